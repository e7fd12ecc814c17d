"""Grades as they leave the service: the newest feedback of each submission, or a folder of feedback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checks.feedback import Feedback, PartFeedback
from grader.exporters import ExportError, Grade, PartLine
from grader.keep import FEEDBACK
from grader.store import assignments
from grader.store.marks import standing_score
from grader.store.tables import Attempt, FeedbackRow, Submission

# Feedback counts these as 0; where people or learning systems read grades, they are no number at all.
WITHOUT_SCORE = frozenset({"unjudged", "ungraded", "needs_review"})


def grade_of(feedback: Feedback, *, number: int = 1, state: str = "finished") -> Grade:
    """What one feedback says of its student."""
    return Grade(
        student=feedback.submission.student,
        submission=feedback.submission.id,
        number=number,
        state=state,
        score=standing_score(feedback),
        max_score=feedback.max_score,
        parts=tuple(_line(part) for part in feedback.parts),
        run=feedback.run.status,
        seconds=feedback.run.seconds,
    )


def of_assignment(session: Session, assignment_id: str) -> list[Grade]:
    """One grade a submission, oldest first; without a score before its feedback.

    Raises UnknownAssignmentError.
    """
    assignments.current(session, assignment_id)
    newest = (
        select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == Attempt.id).correlate(Attempt)
    ).scalar_subquery()
    last = (
        select(func.max(Attempt.number)).where(Attempt.submission_id == Submission.id).correlate(Submission)
    ).scalar_subquery()
    rows = session.execute(
        select(Submission, Attempt.state, FeedbackRow.document)
        .join(Attempt, (Attempt.submission_id == Submission.id) & (Attempt.number == last))
        .outerjoin(FeedbackRow, FeedbackRow.id == newest)
        .where(Submission.assignment_id == assignment_id)
        .order_by(Submission.created_at, Submission.id)
    )
    return [_stored(submission, state, document) for submission, state, document in rows]


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


def of_folder(folder: Path) -> list[Grade]:
    """The grades of ``grade --out``; raises ExportError where there are none, or one cannot be read."""
    found = [grade_of(feedback) for feedback in _read(folder)]
    if not found:
        raise ExportError(
            f"{folder}: no feedback in it (files named *{FEEDBACK}, as grade --out writes them)"
        )
    return found


def titled(folder: Path) -> str:
    """The title of the assignment whose feedback a folder holds; raises ExportError."""
    return next((feedback.assignment.title for feedback in _read(folder)), "")


def _stored(submission: Submission, state: str, document: bytes | None) -> Grade:
    if document is None:
        return Grade(submission.student, submission.id, submission.number, state, None, None)
    return grade_of(Feedback.from_json(document), number=submission.number, state=state)


def _read(folder: Path) -> Iterator[Feedback]:
    for path in sorted(folder.glob(f"*{FEEDBACK}")):
        try:
            yield Feedback.from_json(path.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            raise ExportError(f"{path}: {error}") from error


def _line(part: PartFeedback) -> PartLine:
    score = None if part.status in WITHOUT_SCORE else part.score
    return PartLine(part.id, part.title, part.status, score, part.max_score, part.message)
