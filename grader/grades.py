"""Grades as they leave the service: the newest feedback of each submission, or a folder of feedback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checks.feedback import Feedback, PartFeedback
from grader.exporters import ExportError, Grade, PartLine
from grader.keep import FEEDBACK
from grader.store import assignments, due
from grader.store.marks import standing_score
from grader.store.tables import Attempt, FeedbackRow, Submission

# Feedback counts these as 0; where people or learning systems read grades, they are no number at all.
WITHOUT_SCORE = frozenset({"unjudged", "ungraded", "needs_review"})


def grade_of(
    feedback: Feedback,
    *,
    number: int = 1,
    state: str = "finished",
    seen: Feedback | None = None,
    late: bool | None = None,
) -> Grade:
    """What one feedback says of its student; ``seen``: what he may see of it (all when left out)."""
    shown = {part.id: part for part in (feedback if seen is None else seen).parts}
    return Grade(
        student=feedback.submission.student,
        submission=feedback.submission.id,
        number=number,
        state=state,
        score=standing_score(feedback),
        max_score=feedback.max_score,
        parts=tuple(_line(part, shown.get(part.id)) for part in feedback.parts),
        late=late,
        run=feedback.run.status,
        seconds=feedback.run.seconds,
    )


class Stored(msgspec.Struct, frozen=True):
    """A submission with its newest verdict's document (None before it); ``late`` as in ``Grade``."""

    student: str
    submission: str
    number: int
    state: str
    document: bytes | None
    late: bool | None

    def grade(self, seen: Callable[[Feedback], Feedback]) -> Grade:
        """The grade; ``seen`` makes of a feedback what its student may see."""
        if self.document is None:
            return Grade(self.student, self.submission, self.number, self.state, None, None, late=self.late)
        whole = Feedback.from_json(self.document)
        return grade_of(whole, number=self.number, state=self.state, seen=seen(whole), late=self.late)


def stored(session: Session, assignment_id: str) -> list[Stored]:
    """Every submission, oldest first; raises UnknownAssignmentError."""
    assignments.current(session, assignment_id)
    dates = due.of_assignment(session, assignment_id)
    newest = (
        select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == Attempt.id).correlate(Attempt)
    ).scalar_subquery()
    last = (
        select(func.max(Attempt.number)).where(Attempt.submission_id == Submission.id).correlate(Submission)
    ).scalar_subquery()
    rows = session.execute(
        select(
            Submission.student,
            Submission.id,
            Submission.number,
            Attempt.state,
            FeedbackRow.document,
            Submission.created_at,
        )
        .join(Attempt, (Attempt.submission_id == Submission.id) & (Attempt.number == last))
        .outerjoin(FeedbackRow, FeedbackRow.id == newest)
        .where(Submission.assignment_id == assignment_id)
        .order_by(Submission.created_at, Submission.id)
    )
    return [Stored(*row[:5], late=dates.is_late(row[0], row[5])) for row in rows]


class Judged(msgspec.Struct, frozen=True):
    """A student's newest judged submission: the ``feedback/1`` document, and the executed notebook's blob."""

    student: str
    document: bytes
    executed: str | None


def feedback_of_assignment(session: Session, assignment_id: str) -> list[Judged]:
    """One a student who has feedback, by name; raises UnknownAssignmentError."""
    assignments.current(session, assignment_id)
    newest = (
        select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == Attempt.id).correlate(Attempt)
    ).scalar_subquery()
    rows = session.execute(
        select(Submission.student, FeedbackRow.document, Attempt.executed)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .join(FeedbackRow, FeedbackRow.id == newest)
        .where(Submission.assignment_id == assignment_id)
        .order_by(Submission.number, Attempt.number)
    )
    latest = {row[0]: Judged(*row) for row in rows}
    return [latest[student] for student in sorted(latest)]


def of_folder(folder: Path, seen: Callable[[Feedback], Feedback]) -> list[Grade]:
    """The grades of ``grade --out``; ``seen`` makes of a feedback what its student may see.

    Raises ExportError where there are none, or one cannot be read.
    """
    found = [grade_of(feedback, seen=seen(feedback)) for feedback in _read(folder)]
    if not found:
        raise ExportError(
            f"{folder}: no feedback in it (files named *{FEEDBACK}, as grade --out writes them)"
        )
    return found


def titled(folder: Path) -> str:
    """The title of the assignment whose feedback a folder holds; raises ExportError."""
    return next((feedback.assignment.title for feedback in _read(folder)), "")


def _read(folder: Path) -> Iterator[Feedback]:
    for path in sorted(folder.glob(f"*{FEEDBACK}")):
        try:
            yield Feedback.from_json(path.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            raise ExportError(f"{path}: {error}") from error


def _line(part: PartFeedback, shown: PartFeedback | None) -> PartLine:
    score = None if part.status in WITHOUT_SCORE else part.score
    message = part.message if shown is None else shown.message
    return PartLine(part.id, part.title, part.status, score, part.max_score, message, hidden=shown is None)
