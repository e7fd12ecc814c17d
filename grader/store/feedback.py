"""Verdicts. They add up: judging an attempt again adds a row, and the latest counts."""

from __future__ import annotations

import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store import audit, changes
from grader.store.tables import FeedbackRow, PartRow, new_id


def add(
    session: Session, attempt_id: str, verdict: Feedback, *, evidence: str | None, by: str = audit.WORKER
) -> None:
    """Store a verdict on ``evidence`` (None: there was none to judge), with what follows from it.

    ``by``: the audit log's name of who caused it.
    """
    before = changes.mark_before(session, attempt_id)
    row = FeedbackRow(
        id=new_id(),
        attempt_id=attempt_id,
        version=verdict.assignment.version,
        evidence=evidence,
        run_status=verdict.run.status,
        score=verdict.score,
        max_score=verdict.max_score,
        run_seconds=verdict.run.seconds,
        document=verdict.to_json(),
        created_at=time.time(),
    )
    session.add(row)
    session.flush()
    session.add_all(_part_rows(row.id, verdict))
    changes.verdict_written(session, attempt_id, verdict, before, by=by)


def latest(session: Session, attempt_id: str) -> bytes | None:
    """The ``feedback/1`` document that counts; None before there is one."""
    return session.scalar(
        select(FeedbackRow.document)
        .where(FeedbackRow.attempt_id == attempt_id)
        .order_by(FeedbackRow.id.desc())
        .limit(1)
    )


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
