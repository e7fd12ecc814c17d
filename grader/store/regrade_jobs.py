"""Regrades that wait for a worker, or are being previewed by one: messages and leases, as with attempts.

A worker that dies leaves a lease that runs out; the regrade is then previewed from the beginning by another
one, or, after too many tries, ends ``failed`` with a reason. What was asked for at a command line has nobody
to go on with it: it ends ``failed`` as soon as its lease runs out.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from sqlalchemy import ColumnElement, CursorResult, Update, delete, or_, select, update
from sqlalchemy.orm import Session

from grader.store.tables import Regrade, RegradeLine

MAX_CLAIMS = 3
# A message that nobody has taken after so long, with an empty queue, was lost.
LOST_SECONDS = 30.0


def claim(session: Session, regrade_id: str, *, seconds: float) -> str | None:
    """Take a regrade that is to be previewed; returns the owner's name, None where there is nothing to take.

    Whatever an earlier owner left of its preview is forgotten.
    """
    now, owner = time.time(), secrets.token_hex(8)
    free = or_(Regrade.owner.is_(None), Regrade.lease_until < now)
    taken = update(Regrade).where(Regrade.id == regrade_id, Regrade.state == "previewing", free)
    values = {"owner": owner, "lease_until": now + seconds, "done": 0, "claims": Regrade.claims + 1}
    if not _count(session, taken.values(**values)):
        return None
    session.execute(delete(RegradeLine).where(RegradeLine.regrade_id == regrade_id))
    return owner


def renew(session: Session, regrade_id: str, owner: str, *, seconds: float) -> None:
    """Keep the lease while the work goes on."""
    held = update(Regrade).where(Regrade.id == regrade_id, Regrade.owner == owner)
    _count(session, held.values(lease_until=time.time() + seconds))


def any_expired(session: Session) -> bool:
    """Whether somebody fell silent; a plain read."""
    return session.scalar(select(Regrade.id).where(_expired()).limit(1)) is not None


def expire(session: Session) -> Sequence[str]:
    """Give back, or up, every regrade whose owner fell silent; returns their ids."""
    dead = session.scalars(select(Regrade).where(_expired()).with_for_update(skip_locked=True)).all()
    for row in dead:
        row.owner, row.message_at, row.changed_at = None, None, time.time()
        if row.queue is None:
            row.state, row.detail = (
                "failed",
                "whoever was making the preview fell silent; nothing was changed",
            )
        elif row.claims >= MAX_CLAIMS:
            row.state = "failed"
            row.detail = f"given up after {row.claims} tries: the workers fell silent; nothing was changed"
    session.flush()
    return [row.id for row in dead]


def unsent(session: Session) -> Sequence[tuple[str, str]]:
    """Regrades (id, queue) that no worker was told of."""
    rows = session.execute(
        select(Regrade.id, Regrade.queue)
        .where(*_waiting(), Regrade.message_at.is_(None))
        .order_by(Regrade.id)
    )
    return [(row[0], str(row[1])) for row in rows]


def mark_sent(session: Session, regrade_ids: Sequence[str]) -> None:
    """Note that the broker has a message for each of these."""
    _count(session, update(Regrade).where(Regrade.id.in_(regrade_ids)).values(message_at=time.time()))


def waiting_long(session: Session) -> Sequence[str]:
    """The queues in which a regrade has been waiting for long."""
    since = time.time() - LOST_SECONDS
    rows = session.scalars(select(Regrade.queue).where(*_waiting(), Regrade.message_at < since).distinct())
    return [str(queue) for queue in rows]


def forget_messages(session: Session, queue: str) -> int:
    """Treat the messages that were sent long ago to ``queue`` as lost; returns how many."""
    since = time.time() - LOST_SECONDS
    lost = update(Regrade).where(*_waiting(), Regrade.queue == queue, Regrade.message_at < since)
    return _count(session, lost.values(message_at=None))


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return Regrade.state == "previewing", Regrade.owner.is_(None), Regrade.queue.is_not(None)


def _expired() -> ColumnElement[bool]:
    """A lease that ran out; a regrade of a command line has one from its beginning."""
    mine = or_(Regrade.owner.is_not(None), Regrade.queue.is_(None))
    return (Regrade.state == "previewing") & (Regrade.lease_until < time.time()) & mine


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount
