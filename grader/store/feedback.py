"""Verdicts. They add up: judging an attempt again adds a row, and the latest counts."""

from __future__ import annotations

import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store import audit, changes, marks
from grader.store.tables import Attempt, FeedbackRow, PartRow, id_after, new_id


def add(
    session: Session,
    attempt_id: str,
    judged: Feedback,
    *,
    evidence: str | None,
    regrade: str | None = None,
    by: str = audit.WORKER,
) -> str:
    """Store a verdict on ``evidence`` (None: there was none), with a person's marks and what follows from it.

    ``by``: the audit log's name of who caused it. Returns the verdict's id.
    """
    before = changes.mark_before(session, attempt_id)
    verdict = marks.overlaid(judged, marks.in_force(session, _submission(session, attempt_id)))
    row = FeedbackRow(
        id=_later_id(session, attempt_id),
        attempt_id=attempt_id,
        version=verdict.assignment.version,
        evidence=evidence,
        run_status=verdict.run.status,
        score=verdict.score,
        max_score=verdict.max_score,
        run_seconds=verdict.run.seconds,
        document=verdict.to_json(),
        judged=None if verdict is judged else judged.to_json(),
        regrade=regrade,
        created_at=time.time(),
    )
    session.add(row)
    session.flush()
    session.add_all(PartRow(**values) for values in part_values(row.id, verdict))
    changes.verdict_written(session, attempt_id, verdict, before, by=by)
    return row.id


def latest(session: Session, attempt_id: str) -> bytes | None:
    """The ``feedback/1`` document that counts; None before there is one."""
    row = latest_row(session, attempt_id)
    return None if row is None else row.document


def latest_row(session: Session, attempt_id: str) -> FeedbackRow | None:
    """The verdict that counts, with where it came from; None before there is one."""
    return session.scalar(
        select(FeedbackRow)
        .where(FeedbackRow.attempt_id == attempt_id)
        .order_by(FeedbackRow.id.desc())
        .limit(1)
    )


def judged(row: FeedbackRow) -> Feedback:
    """What the judge said, without a person's marks."""
    return Feedback.from_json(row.judged if row.judged is not None else row.document)


def mark_again(session: Session, attempt_id: str, *, by: str = audit.WORKER) -> str:
    """Store the newest verdict again, with the marks now in force; raises LookupError without one."""
    row = latest_row(session, attempt_id)
    if row is None:
        raise LookupError(f"attempt {attempt_id} has no feedback")
    return add(session, attempt_id, judged(row), evidence=row.evidence, by=by)


def _submission(session: Session, attempt_id: str) -> str:
    return session.scalars(select(Attempt.submission_id).where(Attempt.id == attempt_id)).one()


def _later_id(session: Session, attempt_id: str) -> str:
    """An id that sorts after the attempt's other verdicts: within a millisecond, or on a clock set back."""
    last = session.scalar(select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == attempt_id))
    made = new_id()
    return made if last is None or made > last else id_after(last)


def part_values(feedback_id: str, verdict: Feedback) -> list[dict[str, object]]:
    """The rows of a verdict's parts, by column."""
    return [
        {
            "feedback_id": feedback_id,
            "position": position,
            "part": part.id,
            "title": part.title,
            "status": part.status,
            "score": part.score,
            "max_score": part.max_score,
            "misconception": part.misconception,
        }
        for position, part in enumerate(verdict.parts)
    ]
