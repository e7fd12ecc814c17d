"""The tokens that an installation begins with: made at its first start, kept in a private file."""

from __future__ import annotations

from pathlib import Path

from grader.private_files import write_private
from grader.store import Store, tokens
from grader.store.tables import Role

ROLES: tuple[Role, ...] = ("instructor", "lms")


def first_tokens(store: Store, path: Path) -> dict[str, str]:
    """The tokens by role; new ones where the file is missing or belongs to another database."""
    kept = _read(path)
    with store.read() as session:
        if all(role in kept and tokens.check(session, kept[role]) for role in ROLES):
            return kept
    path.unlink(missing_ok=True)
    with store.write() as session:
        made: dict[str, str] = {role: tokens.create(session, role, f"first {role}") for role in ROLES}
    write_private(path, "".join(f"{role} {token}\n" for role, token in made.items()).encode())
    return made


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text().splitlines())
    return {fields[0]: fields[1] for fields in lines if len(fields) == 2}
