"""Regrades that wait for a worker, or are being previewed by one: messages and leases, as with attempts.

A worker that dies leaves a lease that nobody renews; the regrade is then previewed from the beginning by
another one, or, after too many tries, ends ``failed`` with a reason. What was asked for at a command line has
nobody to go on with it: it ends ``failed`` as soon as it falls silent.

As with attempts no clock decides who holds a lease: an owner changes its row at every heartbeat, and who
watches the rows (``grader.store.lease_watch``) takes back those that nobody changes any more. ``lease_until``
is for people.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, CursorResult, Update, delete, or_, select, update
from sqlalchemy.orm import Session

from grader.store.tables import Regrade, RegradeLine

MAX_CLAIMS = 3
# A message that nobody has taken after so long, with an empty queue, was lost.
LOST_SECONDS = 30.0
# A message that was sent so far ahead of now was noted by a clock that has since been put back.
FAR_SECONDS = 600.0


class Beat(msgspec.Struct, frozen=True):
    """A preview's lease as it was seen: ``owner`` and ``until`` change when it is renewed or taken over.

    No owner: a command line has begun the regrade and not yet its preview.
    """

    regrade: str
    owner: str | None
    until: float


def claim(session: Session, regrade_id: str, *, seconds: float) -> str | None:
    """Take a regrade that is to be previewed; returns the owner's name, None where there is nothing to take.

    Whatever an earlier owner left of its preview is forgotten.
    """
    owner = secrets.token_hex(8)
    taken = update(Regrade).where(
        Regrade.id == regrade_id, Regrade.state == "previewing", Regrade.owner.is_(None)
    )
    values = {
        "owner": owner,
        "lease_until": time.time() + seconds,
        "done": 0,
        "claims": Regrade.claims + 1,
    }
    if not _count(session, taken.values(**values)):
        return None
    session.execute(delete(RegradeLine).where(RegradeLine.regrade_id == regrade_id))
    return owner


def renew(session: Session, regrade_id: str, owner: str, *, seconds: float) -> None:
    """Keep the lease while the work goes on."""
    held = update(Regrade).where(Regrade.id == regrade_id, Regrade.owner == owner)
    _count(session, held.values(lease_until=time.time() + seconds))


def beats(session: Session) -> Sequence[Beat]:
    """Every held lease; a plain read. A regrade of a command line has one from its beginning."""
    return [Beat(*row) for row in session.execute(_BEATS)]


def beat(session: Session, regrade_id: str) -> Beat | None:
    """The lease of whoever makes this preview; None where it waits for a worker, or is done."""
    row = session.execute(_BEATS.where(Regrade.id == regrade_id)).one_or_none()
    return None if row is None else Beat(*row)


def take_back(session: Session, beat: Beat) -> bool:
    """Give back, or up, a regrade whose owner fell silent; False where it was renewed since it was seen."""
    row = session.scalar(
        select(Regrade)
        .where(
            Regrade.id == beat.regrade,
            Regrade.state == "previewing",
            Regrade.owner.is_not_distinct_from(beat.owner),
            Regrade.lease_until == beat.until,
        )
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return False
    row.owner, row.message_at, row.changed_at = None, None, time.time()
    if row.queue is None:
        row.state = "failed"
        row.detail = "whoever was making the preview fell silent; nothing was changed"
    elif row.claims >= MAX_CLAIMS:
        row.state = "failed"
        row.detail = f"given up after {row.claims} tries: the workers fell silent; nothing was changed"
    session.flush()
    return True


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
    rows = session.scalars(select(Regrade.queue).where(*_waiting(), _sent_long_ago()).distinct())
    return [str(queue) for queue in rows]


def forget_messages(session: Session, queue: str) -> int:
    """Treat the messages that were sent long ago to ``queue`` as lost; returns how many."""
    lost = update(Regrade).where(*_waiting(), Regrade.queue == queue, _sent_long_ago())
    return _count(session, lost.values(message_at=None))


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return Regrade.state == "previewing", Regrade.owner.is_(None), Regrade.queue.is_not(None)


def _sent_long_ago() -> ColumnElement[bool]:
    """Sent long ago, or in a future that is none."""
    now = time.time()
    return or_(Regrade.message_at < now - LOST_SECONDS, Regrade.message_at > now + FAR_SECONDS)


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount


_BEATS = select(Regrade.id, Regrade.owner, Regrade.lease_until).where(
    Regrade.state == "previewing", or_(Regrade.owner.is_not(None), Regrade.queue.is_(None))
)
