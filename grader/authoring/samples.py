"""Sample submissions: notebooks whose verdict is known, as an assignment's folder keeps them.

    submissions/<case>/submission.ipynb
    submissions/<case>/expect.yaml        run: completed
                                          parts:
                                            part1: {status: incorrect, contains: [squares, one step]}

``run`` is the run's status and may be left out. ``contains`` is a phrase, or a list of them, that the part's
message must hold; upper and lower case are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from checks.assignment import Assignment
from checks.errors import Problem, SpecError
from checks.evidence import RunStatus
from checks.feedback import Feedback, PartStatus
from checks.spec.reading import Document, read_yaml
from checks.spec.suggesting import suggestion

FOLDER, NOTEBOOK, EXPECTATION = "submissions", "submission.ipynb", "expect.yaml"


class ExpectedPart(BaseModel):
    """What a sample's part must come to."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    status: PartStatus
    contains: list[Annotated[str, Field(min_length=1)]] = []

    @field_validator("contains", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given


class Expectation(BaseModel):
    """One ``expect.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    run: RunStatus | None = None
    parts: dict[str, ExpectedPart]


class Sample(msgspec.Struct, frozen=True):
    """One sample submission: its folder's name, the notebook's bytes, what must come out."""

    name: str
    notebook: bytes
    expected: Expectation

    @property
    def statuses(self) -> dict[str, str]:
        """The status that each part must get."""
        return {part: str(stated.status) for part, stated in self.expected.parts.items()}


def sample_folders(assignment_folder: Path) -> list[Path]:
    """The folders of an assignment's samples, by name; none where it has no samples."""
    return sorted(path for path in (assignment_folder / FOLDER).glob("*") if path.is_dir())


def read_samples(assignment_folder: Path, assignment: Assignment | None = None) -> list[Sample]:
    """Every sample of an assignment, by name. Raises SpecError with all mistakes of all of them.

    With the ``assignment``, a part that it does not have is a mistake too.
    """
    problems: list[Problem] = []
    found = [
        sample
        for folder in sample_folders(assignment_folder)
        if (sample := _read(folder, assignment, problems))
    ]
    if problems:
        raise SpecError(problems)
    return found


def misses(expected: Expectation, feedback: Feedback) -> Iterator[str]:
    """Where a feedback is not as expected, a line each: the run, a part's status, a missing phrase."""
    if expected.run is not None and feedback.run.status != expected.run:
        yield f"the run ended {feedback.run.status}, expected {expected.run}"
    got = {part.id: part for part in feedback.parts}
    for name, stated in expected.parts.items():
        if name not in got:
            yield f"{name}: the feedback has no such part"
            continue
        part = got[name]
        if part.status != stated.status:
            yield f"{name} is {part.status}, expected {stated.status} (it says: {part.message})"
        for phrase in stated.contains:
            if phrase.casefold() not in part.message.casefold():
                yield f"{name}: the message lacks {phrase!r} (it says: {part.message})"


def _read(folder: Path, assignment: Assignment | None, problems: list[Problem]) -> Sample | None:
    place = f"{FOLDER}/{folder.name}"
    contents = {}
    for name in (NOTEBOOK, EXPECTATION):
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            problems.append(Problem(f"{place}/{name}", 0, 0, "", f"cannot be read: {error.strerror}"))
    if len(contents) < 2:
        return None
    try:
        expected = _expectation(contents[EXPECTATION], f"{place}/{EXPECTATION}", assignment)
    except SpecError as error:
        problems += error.problems
        return None
    return Sample(folder.name, contents[NOTEBOOK], expected)


def _expectation(raw: bytes, file: str, assignment: Assignment | None) -> Expectation:
    document = read_yaml(raw, file)
    problems = [*document.problems]
    try:
        found = Expectation.model_validate(document.data)
    except ValidationError as error:
        raise SpecError([*problems, *_mistakes(error, document)]) from error
    known = [part.id for part in assignment.parts] if assignment is not None else list(found.parts)
    for name in found.parts:
        if name not in known:
            what = f"the assignment has no part {name!r}"
            problems.append(document.problem(("parts", name), what, suggestion(name, known), at_key=True))
    if problems:
        raise SpecError(problems)
    return found


def _mistakes(error: ValidationError, document: Document) -> Iterator[Problem]:
    for each in error.errors():
        path = each["loc"]
        if each["type"] == "extra_forbidden":
            model = Expectation if len(path) == 1 else ExpectedPart
            what, meant = f"unknown key {path[-1]!r}", suggestion(str(path[-1]), model.model_fields)
            yield document.problem(path, what, meant, at_key=True)
        elif each["type"] == "literal_error":
            known = cast("tuple[str, ...]", get_args(RunStatus if path == ("run",) else PartStatus))
            what = f"{each['input']!r} is no status; use {', '.join(known)}"
            yield document.problem(path, what, suggestion(str(each["input"]), known))
        else:
            yield document.problem(path, each["msg"])
