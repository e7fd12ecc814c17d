"""The notebooks that a rehearsal runs, and what must come out of each.

The reference must be right in every graded part, the starter untouched in each; the author's test cells and
the sample submissions must come to what they claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import msgspec

from checks.assignment import Assignment
from checks.bundle import REFERENCE, STARTER
from checks.errors import Problem, SpecError
from checks.evidence import digest
from checks.feedback import Feedback
from grader.authoring.claims import Claim, claims
from grader.authoring.publish import MasterError
from grader.authoring.samples import Sample, misses, read_samples
from grader.notebooks import NotANotebookError, normal_form

SOURCE = "source.ipynb"


class Play(msgspec.Struct, frozen=True):
    """One notebook to run: what sort it is, its name, and where a feedback is not as it must be."""

    sort: str
    name: str
    notebook: bytes
    misses: Callable[[Feedback], Iterator[str]]

    @property
    def title(self) -> str:
        """How findings name it."""
        return self.sort if self.sort == self.name else f"{self.sort} {self.name}"


class Material(msgspec.Struct, frozen=True):
    """All that is to be run of an assignment; read before anything is."""

    files: dict[str, bytes]
    claims: tuple[Claim, ...]
    samples: tuple[Sample, ...]


def material(folder: Path, files: dict[str, bytes], assignment: Assignment) -> Material:
    """The notebooks of an assignment's folder; raises SpecError with every mistake of what lies there."""
    graded = [part.id for part in assignment.parts if part.graded]
    try:
        master = (folder / SOURCE).read_bytes()
    except OSError as error:
        raise SpecError([Problem(SOURCE, 0, 0, "", f"cannot be read: {error.strerror}")]) from error
    try:
        return Material(files, tuple(claims(master, graded)), tuple(read_samples(folder, assignment)))
    except MasterError as error:
        raise SpecError([Problem(SOURCE, 0, 0, "", problem) for problem in error.problems]) from error


def plays(found: Material, assignment: Assignment, *, samples_only: bool = False) -> list[Play]:
    """What is run, in its order."""
    made = [] if samples_only else list(_own(found, assignment))
    return made + [
        Play("sample", each.name, each.notebook, partial(misses, each.expected)) for each in found.samples
    ]


def _own(found: Material, assignment: Assignment) -> Iterator[Play]:
    graded = [part.id for part in assignment.parts if part.graded and part.marked_by != "hand"]
    yield Play("reference", "reference", found.files[REFERENCE], _all(graded, frozenset({"correct"})))
    yield Play("starter", "starter", found.files[STARTER], _all(graded, frozenset({"not_attempted"})))
    for claim in found.claims:
        if claim.parts:
            yield Play("cell", claim.cell, claim.notebook, _as_claimed(claim, graded))


def _as_claimed(claim: Claim, graded: list[str]) -> Callable[[Feedback], Iterator[str]]:
    """The parts that checks judge come out as the cell says; the others wait for a person."""
    judged = _all([part for part in claim.parts if part in graded], claim.statuses)
    waiting = _all([part for part in claim.parts if part not in graded], frozenset({"needs_review"}))
    return lambda feedback: chain(judged(feedback), waiting(feedback))


def _all(parts: list[str] | tuple[str, ...], allowed: frozenset[str]) -> Callable[[Feedback], Iterator[str]]:
    def wrong(feedback: Feedback) -> Iterator[str]:
        for part in feedback.parts:
            if part.id in parts and part.status not in allowed:
                wanted = " or ".join(sorted(allowed))
                yield f"{part.id} is {part.status}, must be {wanted} (it says: {part.message})"

    return wrong


def distinct(chosen: list[Play]) -> int:
    """How many notebooks really run."""
    return len({key(play.notebook) for play in chosen})


def key(notebook: bytes) -> str:
    """Notebooks with one key are one submission."""
    try:
        return digest(normal_form(notebook))
    except NotANotebookError:
        return digest(notebook)
