"""The errors of this room.

    GraderError
    ├── SpecError                 an assignment's files are wrong; carries every problem found
    ├── BundleError               bytes are no bundle (checks.bundle)
    └── MissingReferenceError     the author's run left no value where one is needed (checks.scene)
        ├── NotMadeError          a call was not made, by the grader's own fault (checks.spec.expectation)
        └── UndecidedError        a comparison would take longer than it may (checks.compare.matching)

``checks.evidence.BadFrameError`` stands beside the tree: it tells of bytes that a student's code may have
written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class GraderError(Exception):
    """Base of all errors of the judge's side."""


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake of an author: where it stands (line and column from 1; 0 where unknown) and what it is.

    ``path`` leads to it from the document's top (``parts.0.points``), ``meant`` is a suggestion or empty.
    """

    file: str
    line: int
    column: int
    path: str
    what: str
    meant: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        path = f" {self.path}:" if self.path else ""
        meant = f"; {self.meant}" if self.meant else ""
        return f"{where}:{path} {self.what}{meant}"


class SpecError(GraderError):
    """The author's fault: ``problems`` holds every mistake, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class BundleError(GraderError, ValueError):
    """Bytes or names that are no bundle; the text says which rule they break."""


class MissingReferenceError(GraderError):
    """A check needs a value of the author's run, and the run left none."""


class NotMadeError(MissingReferenceError):
    """A call or a query that a check needs was not made, by the grader's own fault: nothing to judge."""


class UndecidedError(MissingReferenceError):
    """A comparison came to the end of its budget before it was decided: the part stays unjudged."""
