"""From the bytes of an ``assignment.yaml`` to its models, or to every mistake in it at once.

A mistake in one place must not hide those elsewhere: what pydantic refuses is noted, taken out, and the rest
is looked at again, until a spec is left whose names can be checked against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from checks.errors import Problem, SpecError
from checks.spec.base import Scope, walk_in_scope
from checks.spec.draft import Draft
from checks.spec.models import AssignmentSpec, Part
from checks.spec.reading import Document, Path, read_yaml
from checks.spec.schema import known_keys
from checks.spec.target import suggestion

MAX_ROUNDS = 100
_QUOTED = re.compile(r"'([^']*)'")


def load_spec(raw: bytes, file: str = "assignment.yaml") -> AssignmentSpec:
    """Read and check a spec; raises SpecError with every mistake, each at its line and column."""
    return read_spec(raw, file)[0]


def read_spec(raw: bytes, file: str) -> tuple[AssignmentSpec, Document]:
    """The spec with the positions of everything in it; raises SpecError with every mistake."""
    document = read_yaml(raw, file)
    draft = Draft(document)
    spec, problems = _validate(document, draft)
    if spec is not None:
        problems += _semantic_problems(spec, document, draft)
    if spec is None or problems or document.problems:
        raise SpecError([*document.problems, *problems])
    return spec, document


def _validate(document: Document, draft: Draft) -> tuple[AssignmentSpec | None, list[Problem]]:
    """A spec out of what is right in the document (None where nothing is), and what is not."""
    problems: list[Problem] = []
    for _ in range(MAX_ROUNDS):
        try:
            return AssignmentSpec.model_validate(draft.data), problems
        except ValidationError as error:
            details = error.errors(include_url=False)
        found = [(_place(draft, detail), detail) for detail in details]
        problems += [
            _problem(document, path, each) for path, each in found if not draft.lost(path, _missing(each))
        ]
        repairs = [draft.repair(path, _missing(detail)) for path, detail in found]
        if not any(repairs):
            break
    return None, problems


def _place(draft: Draft, detail: ErrorDetails) -> Path:
    """Where the mistake is: a missing key in its holder, which is all that the file has of it."""
    return draft.path(detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"])


def _missing(detail: ErrorDetails) -> str:
    return str(detail["loc"][-1]) if detail["type"] == "missing" else ""


def _problem(document: Document, path: Path, detail: ErrorDetails) -> Problem:
    match detail["type"]:
        case "extra_forbidden":
            name = str(detail["loc"][-1])
            return document.problem(
                path, f"unknown key {name!r}", suggestion(name, known_keys(path[:-1])), at_key=True
            )
        case "missing":
            return document.problem(path, f"{_missing(detail)!r} is missing")
        case "bool_type" | "bool_parsing":
            meant = "write true or false" if isinstance(detail["input"], str) else ""
            return document.problem(path, _plain(detail["msg"], detail["input"]), meant)
        case "literal_error":
            near = suggestion(str(detail["input"]), _QUOTED.findall(detail["ctx"]["expected"]))
            meant = near if near.startswith("did") else ""
            return document.problem(path, _plain(detail["msg"], detail["input"]), meant)
        case _:
            return document.problem(path, _plain(detail["msg"], detail["input"]))


# pydantic names its own classes; who writes YAML knows none.
_INSTANCE = re.compile(r"a valid dictionary(?: or (?:instance|object) .*)?$")


def _plain(message: str, given: Any) -> str:
    """pydantic's sentence as the middle of a line, with what was given where it is short."""
    text = _INSTANCE.sub("a mapping", message[:1].lower() + message[1:])
    shown = isinstance(given, (str, int, float)) or given is None
    return f"{text}, not {given!r}" if shown and repr(given) not in text else text


def _semantic_problems(spec: AssignmentSpec, document: Document, draft: Draft) -> list[Problem]:
    """What single pieces cannot know: names that nothing declares, parts that are named twice …"""
    found = list(_asked(spec, (), Scope(), document, draft))
    for number, part in enumerate(spec.parts):
        prefix = ("parts", number)
        scope = _scope(spec, part, draft.path(prefix), document)
        found += _asked(part, prefix, scope, document, draft)
    return found


def _asked(
    piece: BaseModel, prefix: Path, scope: Scope, document: Document, draft: Draft
) -> Iterator[Problem]:
    """The problems that a piece and all pieces inside it find; parts are asked with their own scope only."""
    for path, inner, inside in walk_in_scope(piece, prefix, scope):
        if path[:1] == ("parts",) and not prefix:
            continue
        for where, what, meant in getattr(inner, "problems", lambda _scope: ())(inside):
            real = draft.path((*path, *where))
            if not draft.lost(real):
                yield document.problem(real, what, meant)


def _scope(spec: AssignmentSpec, part: Part, place: Path, document: Document) -> Scope:
    """Names count as declared where the file declares them,
    even if their declaration has a mistake of its own.
    """
    prefix = (*place, "variables")
    declared = {str(path[-1]) for path in document.keys if path[:-1] == prefix}
    return Scope(
        variables=frozenset(declared | set(part.variables)),
        reference=frozenset(spec.reference.variables),
        checks={
            **dict.fromkeys(_check_names(document, place), ""),
            **{name: check.word for name, check in part.named_checks().items()},
        },
    )


def _check_names(document: Document, place: Path) -> Iterator[str]:
    """The ids that the file gives to the checks of the part at ``place``."""
    found: Any = document.data
    for step in (*place, "checks"):
        found = found.get(step) if isinstance(found, dict) else found[int(step)]
    for check in found if isinstance(found, list) else []:
        if isinstance(check, dict) and isinstance(check.get("id"), str):
            yield check["id"]
