"""An assignment's inputs as a folder that the jail can show, made once an assignment version."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from worker.errors import InfrastructureError


def materialise(root: Path, version: str, inputs: Mapping[str, bytes]) -> str:
    """Write ``inputs`` (path as the notebook sees it -> content) below ``root``; the folder's name below
    ``root``.

    ``../x`` goes to ``beside/x`` (shown next to the working folder), anything else to ``working/…``. Safe to
    call from several processes at once: the folder appears complete or not at all.
    """
    name = version.replace(":", "-")
    if (root / name).is_dir():
        return name
    root.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=root))
    try:
        for target, content in inputs.items():
            place = making / _place(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        _open_to_all(making)
        _put(making, root / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return name


def _place(target: str) -> PurePosixPath:
    path = PurePosixPath(target)
    parts = path.parts
    beside = bool(parts) and parts[0] == ".."
    rest = parts[1:] if beside else parts
    if path.is_absolute() or not rest or ".." in rest:
        raise InfrastructureError(f"an input cannot be shown at {target!r}")
    return PurePosixPath("beside" if beside else "working", *rest)


def _open_to_all(folder: Path) -> None:
    """The jail runs as another user: folders 0755, files 0644."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _put(made: Path, place: Path) -> None:
    try:
        made.rename(place)
    except OSError:
        if not place.is_dir():  # otherwise another process was first
            raise
