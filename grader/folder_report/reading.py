"""The folder of ``grade --out``, read again: feedback and executed notebooks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from checks.feedback import Feedback, PartFeedback
from grader.keep import EXECUTED, FEEDBACK
from grader.store.marks import OPEN

WRONG = ("partial", "incorrect", "error")
ORDER = ("correct", "partial", "incorrect", "error", "not_attempted", "needs_review", "unjudged")


class NothingToReportError(Exception):
    """The folder holds nothing that can be reported; the text says why."""


class Entry(msgspec.Struct, frozen=True):
    """One student: ``page`` is the name of the files, ``executed`` None where no run was kept."""

    page: str
    feedback: Feedback
    executed: bytes | None

    @property
    def student(self) -> str:
        """The name as the notebook's file or the learning system gave it."""
        return self.feedback.submission.student

    @property
    def points(self) -> float | None:
        """None while a part waits for its verdict: then the sum is no grade."""
        return None if any(part.status in OPEN for part in self.feedback.parts) else self.feedback.score


class Group(msgspec.Struct, frozen=True):
    """Students whose part came to the same words, those with the most students first."""

    status: str
    misconception: str | None
    message: str
    entries: tuple[Entry, ...]


class PartReport(msgspec.Struct, frozen=True):
    """One part over the class: how often each status, and the groups of equal messages."""

    id: str
    title: str
    max_score: float
    statuses: dict[str, int]
    groups: tuple[Group, ...]


class ClassReport(msgspec.Struct, frozen=True):
    """A graded class, by the students' names; parts as the newest version of the assignment has them."""

    title: str
    assignment: str
    versions: tuple[str, ...]
    entries: tuple[Entry, ...]
    parts: tuple[PartReport, ...]


def read_folder(folder: Path) -> ClassReport:
    """The class that ``grade --out`` left in ``folder``.

    Raises NothingToReportError where there is no feedback, where some cannot be read, or where it is that of
    several assignments.
    """
    entries = sorted(map(_entry, sorted(folder.glob(f"*{FEEDBACK}"))), key=lambda one: one.student.casefold())
    if not entries:
        why = f"no feedback in it (files named *{FEEDBACK}, as grade --out writes them)"
        raise NothingToReportError(f"{folder}: {why}")
    found = {one.feedback.assignment.id: one.feedback.assignment.title for one in entries}
    if len(found) > 1:
        named = ", ".join(sorted(found))
        raise NothingToReportError(
            f"{folder}: feedback of several assignments ({named}); report one at a time"
        )
    (assignment, title), *_ = found.items()
    return ClassReport(
        title=title,
        assignment=assignment,
        versions=tuple(sorted({one.feedback.assignment.version for one in entries})),
        entries=tuple(entries),
        parts=tuple(_parts(entries)),
    )


def _entry(path: Path) -> Entry:
    name = path.name.removesuffix(FEEDBACK)
    executed = path.with_name(name + EXECUTED)
    try:
        feedback = Feedback.from_json(path.read_bytes())
        return Entry(name, feedback, executed.read_bytes() if executed.exists() else None)
    except OSError as error:
        raise NothingToReportError(f"{error.filename}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise NothingToReportError(f"{path}: not feedback: {error}") from error


def _parts(entries: list[Entry]) -> list[PartReport]:
    by_part: dict[str, list[tuple[Entry, PartFeedback]]] = {}
    for entry in entries:
        for part in entry.feedback.parts:
            if part.status != "ungraded":
                by_part.setdefault(part.id, []).append((entry, part))
    return [_part(answers) for answers in by_part.values()]


def _part(answers: list[tuple[Entry, PartFeedback]]) -> PartReport:
    first = answers[0][1]
    counted = Counter(str(part.status) for _, part in answers)
    grouped: dict[tuple[str, str | None, str], list[Entry]] = {}
    for entry, part in answers:
        if part.status in WRONG:
            grouped.setdefault((part.status, part.misconception, part.message), []).append(entry)
    groups = [Group(*key, entries=tuple(members)) for key, members in grouped.items()]
    return PartReport(
        id=first.id,
        title=first.title,
        max_score=first.max_score,
        statuses={status: counted[status] for status in ORDER if counted[status]},
        groups=tuple(sorted(groups, key=lambda group: (-len(group.entries), group.message))),
    )
