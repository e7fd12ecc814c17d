"""Figures for monitoring, counted in the database: right however many processes there are."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Select, SQLColumnExpression, case, func, select
from sqlalchemy.orm import Session

from grader.store.tables import Attempt, FeedbackRow, WebhookMessage

BOUNDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


class QueueFigures(msgspec.Struct, frozen=True):
    """One queue: attempts that wait, the seconds since the oldest of them came, attempts that run."""

    waiting: int
    oldest_seconds: float
    running: int


class Seconds(msgspec.Struct, frozen=True):
    """A histogram: by bound how many took at most so long, the number of all, and their sum."""

    counts: tuple[int, ...]
    count: int
    total: float


class Standing(msgspec.Struct, frozen=True):
    """All figures of one moment; ``phases`` by name, ``endings`` by run status, the others by their names."""

    queues: dict[str, QueueFigures]
    endings: dict[str, int]
    phases: dict[str, Seconds]
    retries: int
    parked: int
    deliveries: dict[str, int]


def standing(session: Session) -> Standing:
    """Count everything."""
    finished = Attempt.finished_at.is_not(None)
    started = Attempt.started_at.is_not(None)
    phases = {
        "waiting": _seconds(session, Attempt.started_at - Attempt.created_at, select().where(started)),
        "grading": _seconds(session, Attempt.finished_at - Attempt.started_at, select().where(finished)),
        "running": _seconds(
            session,
            FeedbackRow.run_seconds,
            select().where(FeedbackRow.run_seconds.is_not(None), FeedbackRow.id.in_(_first_verdicts())),
        ),
    }
    retries = session.scalar(select(func.sum(Attempt.claims - 1)).where(Attempt.claims > 1))
    parked = session.scalar(select(func.count()).where(Attempt.state == "parked"))
    endings = (
        select(FeedbackRow.run_status, func.count())
        .where(FeedbackRow.id.in_(_first_verdicts()))
        .group_by(FeedbackRow.run_status)
    )
    deliveries = select(WebhookMessage.state, func.count()).group_by(WebhookMessage.state)
    return Standing(
        queues=_queues(session),
        endings=_counted(session, endings),
        phases=phases,
        retries=int(retries or 0),
        parked=int(parked or 0),
        deliveries={"pending": 0, "delivered": 0, "failed": 0} | _counted(session, deliveries),
    )


def _first_verdicts() -> Select[str]:
    """An attempt ran once, however often its evidence was judged."""
    return select(func.min(FeedbackRow.id)).group_by(FeedbackRow.attempt_id)


def _queues(session: Session) -> dict[str, QueueFigures]:
    now = time.time()
    rows = session.execute(
        select(
            Attempt.queue,
            func.sum(case((Attempt.state == "queued", 1), else_=0)),
            func.min(case((Attempt.state == "queued", Attempt.created_at))),
            func.sum(case((Attempt.state == "running", 1), else_=0)),
        ).group_by(Attempt.queue)
    )
    return {
        queue: QueueFigures(int(waiting), 0.0 if oldest is None else max(0.0, now - oldest), int(running))
        for queue, waiting, oldest, running in rows
    }


def _seconds(session: Session, value: SQLColumnExpression[float | None], rows: Select[()]) -> Seconds:
    """A clock that was set back between two moments makes no negative time."""
    spent = case((value < 0, 0.0), else_=value)
    within = [func.coalesce(func.sum(case((spent <= bound, 1), else_=0)), 0) for bound in BOUNDS]
    found: Sequence[float] = session.execute(
        rows.add_columns(*within, func.count(), func.coalesce(func.sum(spent), 0.0))
    ).one()
    return Seconds(tuple(int(one) for one in found[:-2]), int(found[-2]), float(found[-1]))


def _counted(session: Session, wanted: Select[str, int]) -> dict[str, int]:
    return dict(list(session.execute(wanted)))
