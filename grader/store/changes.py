"""What follows from a new verdict, in its own transaction: an audit entry and the webhooks' events."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store import audit, outbox
from grader.store.tables import Attempt, FeedbackRow, Submission
from grader.store.webhooks import Event


def verdict_written(
    session: Session, attempt_id: str, verdict: Feedback, before: Feedback | None, *, by: str
) -> None:
    """A submission's mark is ``verdict`` from now on; ``before`` it was another one, or there was none."""
    attempt, submission = _of(session, attempt_id)
    audit.add(
        session,
        "verdict.written",
        submission.id,
        by=by,
        assignment=submission.assignment_id,
        before=None if before is None else mark(before),
        after=mark(verdict),
    )
    facts = data(attempt.number, attempt.state, submission) | mark(verdict)
    outbox.announce(session, _event(attempt.state, before), submission.assignment_id, facts)


def parked_without_verdict(session: Session, attempt_id: str, *, by: str = audit.WORKER) -> None:
    """Not even the assignment could be read: there is no mark to speak of."""
    attempt, submission = _of(session, attempt_id)
    nothing: dict[str, object] = {"score": None, "max_score": None, "run_status": "system_error"}
    facts = data(attempt.number, attempt.state, submission) | nothing
    outbox.announce(session, "submission.parked", submission.assignment_id, facts)
    audit.add(
        session,
        "verdict.written",
        submission.id,
        by=by,
        assignment=submission.assignment_id,
        after={"run_status": "system_error"},
    )


def mark_before(session: Session, attempt_id: str) -> Feedback | None:
    """The submission's latest verdict, of this attempt or of an earlier one."""
    own = select(Attempt.submission_id).where(Attempt.id == attempt_id).scalar_subquery()
    document = session.scalar(
        select(FeedbackRow.document)
        .join(Attempt, Attempt.id == FeedbackRow.attempt_id)
        .where(Attempt.submission_id == own)
        .order_by(Attempt.number.desc(), FeedbackRow.id.desc())
        .limit(1)
    )
    return None if document is None else Feedback.from_json(document)


def _of(session: Session, attempt_id: str) -> tuple[Attempt, Submission]:
    row = session.execute(
        select(Attempt, Submission)
        .join(Submission, Submission.id == Attempt.submission_id)
        .where(Attempt.id == attempt_id)
        # The state was changed by a statement of its own; what the session remembers is older.
        .execution_options(populate_existing=True)
    ).one()
    return row[0], row[1]


def _event(state: str, before: Feedback | None) -> Event:
    if before is not None:
        return "feedback.changed"
    return "submission.parked" if state == "parked" else "submission.graded"


def tells_more(before: Feedback, after: Feedback) -> bool:
    """Whether somebody reads something else now; the assignment's version alone is nothing to tell."""
    of_the_same = msgspec.structs.replace(before, assignment=after.assignment, submission=after.submission)
    return of_the_same != after


def mark(verdict: Feedback) -> dict[str, object]:
    """A verdict in short, for the log and for receivers: a total is no number while a part is not judged."""
    judged = all(part.status != "unjudged" for part in verdict.parts)
    return {
        "version": verdict.assignment.version,
        "run_status": verdict.run.status,
        "score": verdict.score if judged else None,
        "max_score": verdict.max_score,
        "parts": {part.id: part.status for part in verdict.parts},
    }


def data(number: int, state: str, submission: Submission) -> dict[str, object]:
    """Which attempt and submission an event tells of."""
    return {
        "submission": submission.id,
        "assignment": submission.assignment_id,
        "student": submission.student,
        "number": submission.number,
        "attempt": number,
        "state": state,
        "feedback": f"/api/v1/submissions/{submission.id}/feedback",
    }
