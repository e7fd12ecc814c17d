"""What one student handed in to one assignment, and each verdict on it, for the student's own page."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from checks.feedback import Feedback
from grader.store.tables import Attempt, FeedbackRow, Submission


class Verdict(msgspec.Struct, frozen=True):
    """One verdict on a submission's attempt ``attempt`` (from 1), as the instructor sees it.

    ``regraded``: judged again from stored evidence. ``by_hand``: a person's marks are in it.
    """

    attempt: int
    at: float
    feedback: Feedback
    regraded: bool
    by_hand: bool


class HandedIn(msgspec.Struct, frozen=True):
    """One submission with its latest attempt's state and its verdicts, oldest first."""

    id: str
    number: int
    created_at: float
    state: str
    attempt: int
    verdicts: tuple[Verdict, ...]

    @property
    def latest(self) -> Verdict | None:
        """The verdict that counts; None while the latest attempt has none."""
        own = [each for each in self.verdicts if each.attempt == self.attempt]
        return own[-1] if own else None


def students(session: Session, assignment_id: str) -> Sequence[str]:
    """Everybody who handed something in, by name."""
    found = select(Submission.student).where(Submission.assignment_id == assignment_id).distinct()
    return sorted(session.scalars(found), key=str.casefold)


def of_student(session: Session, assignment_id: str, student: str, *, limit: int) -> Sequence[HandedIn]:
    """The student's ``limit`` newest submissions, newest first."""
    other = aliased(Attempt)
    latest = select(func.max(other.number)).where(other.submission_id == Submission.id).scalar_subquery()
    rows = session.execute(
        select(Submission.id, Submission.number, Submission.created_at, Attempt.state, Attempt.number)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .where(
            Submission.assignment_id == assignment_id,
            Submission.student == student,
            Attempt.number == latest,
        )
        .order_by(Submission.number.desc())
        .limit(limit)
    ).all()
    verdicts = _verdicts(session, [row.id for row in rows])
    return [
        HandedIn(identifier, number, created_at, state, attempt, tuple(verdicts[identifier]))
        for identifier, number, created_at, state, attempt in rows
    ]


def _verdicts(session: Session, submission_ids: Sequence[str]) -> dict[str, list[Verdict]]:
    rows = session.execute(
        select(
            Attempt.submission_id,
            Attempt.number,
            FeedbackRow.created_at,
            FeedbackRow.document,
            FeedbackRow.regrade.is_not(None),
            FeedbackRow.judged.is_not(None),
        )
        .join(FeedbackRow, FeedbackRow.attempt_id == Attempt.id)
        .where(Attempt.submission_id.in_(submission_ids))
        .order_by(Attempt.number, FeedbackRow.id)
    )
    found: dict[str, list[Verdict]] = {one: [] for one in submission_ids}
    for submission, attempt, at, document, regraded, by_hand in rows:
        read = Feedback.from_json(document)
        found[submission].append(Verdict(attempt, at, read, bool(regraded), bool(by_hand)))
    return found
