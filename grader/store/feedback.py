"""Verdicts. They add up: judging an attempt again adds a row, and the latest counts."""

from __future__ import annotations

import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store.tables import FeedbackRow, PartRow, id_after, new_id


def add(session: Session, attempt_id: str, verdict: Feedback, *, evidence: str | None) -> None:
    """Store a verdict on ``evidence`` (None: there was none to judge)."""
    row = FeedbackRow(
        id=_later_id(session, attempt_id),
        attempt_id=attempt_id,
        version=verdict.assignment.version,
        evidence=evidence,
        run_status=verdict.run.status,
        score=verdict.score,
        max_score=verdict.max_score,
        document=verdict.to_json(),
        created_at=time.time(),
    )
    session.add(row)
    session.flush()
    session.add_all(_part_rows(row.id, verdict))


def latest(session: Session, attempt_id: str) -> bytes | None:
    """The ``feedback/1`` document that counts; None before there is one."""
    return session.scalar(
        select(FeedbackRow.document)
        .where(FeedbackRow.attempt_id == attempt_id)
        .order_by(FeedbackRow.id.desc())
        .limit(1)
    )


def _later_id(session: Session, attempt_id: str) -> str:
    """An id that sorts after the attempt's other verdicts: within a millisecond, or on a clock set back."""
    last = session.scalar(select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == attempt_id))
    made = new_id()
    return made if last is None or made > last else id_after(last)


def _part_rows(feedback_id: str, verdict: Feedback) -> list[PartRow]:
    return [
        PartRow(
            feedback_id=feedback_id,
            position=position,
            part=part.id,
            title=part.title,
            status=part.status,
            score=part.score,
            max_score=part.max_score,
            misconception=part.misconception,
        )
        for position, part in enumerate(verdict.parts)
    ]
