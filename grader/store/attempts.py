"""The life of an attempt: queued, claimed under a lease, finished once, or parked.

    queued --claim--> running --finish--> finished
      ^                  |------park----> parked       (our fault, too often)
      |---release/expire-|

Every step is one compare-and-set, so two workers with the same message, a worker that was believed dead, and
a message that comes twice change nothing. A lease names its owner; a step of an owner that lost the lease
does nothing and says so.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Float,
    Integer,
    Update,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store import changes, feedback
from grader.store.tables import Attempt, Submission


class Lease(msgspec.Struct, frozen=True):
    """The right to work on one attempt while it is renewed; ``claims`` counts the tries from 1."""

    attempt: str
    owner: str
    claims: int


class Job(msgspec.Struct, frozen=True):
    """What an attempt needs to know of its submission."""

    submission: str
    student: str
    notebook: str
    version: str
    number: int


class Remains(msgspec.Struct, frozen=True):
    """The blobs that a run left: its evidence, and the notebook with its outputs."""

    evidence: str
    executed: str


def claim(session: Session, attempt_id: str, *, seconds: float) -> Lease | None:
    """Take a queued attempt, or a running one whose lease ran out; None where there is nothing to take."""
    now, owner = time.time(), secrets.token_hex(8)
    taken = _set(
        session,
        update(Attempt)
        .where(Attempt.id == attempt_id, or_(Attempt.state == "queued", _expired(now)))
        .values(
            state="running",
            owner=owner,
            claims=Attempt.claims + 1,
            lease_until=now + seconds,
            started_at=now,
            phase="starting",
            cell=0,
            cells=0,
        ),
    )
    if not taken:
        return None
    claims = session.scalars(select(Attempt.claims).where(Attempt.id == attempt_id)).one()
    return Lease(attempt_id, owner, claims)


def job(session: Session, attempt_id: str) -> Job:
    """The submission behind an attempt; raises LookupError."""
    row = session.execute(
        select(Submission.id, Submission.student, Submission.notebook, Submission.version, Attempt.number)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .where(Attempt.id == attempt_id)
    ).one_or_none()
    if row is None:
        raise LookupError(f"no attempt {attempt_id}")
    return Job(*row)


def renew(session: Session, lease: Lease, *, seconds: float) -> bool:
    """Keep the lease; False where it was lost."""
    values = {"lease_until": time.time() + seconds}
    return _changed(session, update(Attempt).where(*_held(lease)).values(**values))


def report(session: Session, lease: Lease, *, phase: str, cell: int, cells: int) -> bool:
    """Tell those who watch how far the run is; False where the lease was lost."""
    return _set(session, update(Attempt).where(*_held(lease)).values(phase=phase, cell=cell, cells=cells))


def finish(session: Session, lease: Lease, verdict: Feedback, remains: Remains) -> bool:
    """Store the verdict and end the attempt; False (and nothing stored) where the lease was lost."""
    values = {"state": "finished", "evidence": remains.evidence, "executed": remains.executed, "reason": None}
    if not _end(session, lease, values):
        return False
    feedback.add(session, lease.attempt, verdict, evidence=remains.evidence)
    return True


def park(session: Session, lease: Lease, verdict: Feedback | None, *, reason: str) -> bool:
    """End an attempt that our own fault stopped too often.

    ``verdict`` leaves every part ``unjudged``; None where not even the assignment could be read.
    """
    if not _end(session, lease, {"state": "parked", "reason": reason}):
        return False
    if verdict is not None:
        feedback.add(session, lease.attempt, verdict, evidence=None)
    else:
        changes.parked_without_verdict(session, lease.attempt)
    return True


def release(session: Session, lease: Lease, *, reason: str, pause: float) -> bool:
    """Give the attempt back, to be tried again after ``pause`` seconds; False where the lease was lost."""
    return _set(session, update(Attempt).where(*_held(lease)).values(**_queued(reason, time.time() + pause)))


def any_expired(session: Session) -> bool:
    """Whether a worker fell silent; a plain read, so that looking often does not take the writers' lock."""
    return session.scalar(select(Attempt.id).where(_expired(time.time())).limit(1)) is not None


def expire(session: Session) -> Sequence[str]:
    """Take back every attempt whose worker fell silent; returns their ids."""
    now = time.time()
    # Of several relays, each takes those that no other is just taking (PostgreSQL; SQLite has one writer).
    dead = session.scalars(select(Attempt.id).where(_expired(now)).with_for_update(skip_locked=True)).all()
    reason = "the worker fell silent"
    return [
        attempt
        for attempt in dead
        if _set(
            session,
            update(Attempt).where(Attempt.id == attempt, _expired(now)).values(**_queued(reason, now)),
        )
    ]


def unsent(session: Session, *, limit: int = 500) -> Sequence[tuple[str, str]]:
    """Attempts (id, queue) that are due and that the broker was never told of, oldest first."""
    rows = session.connection().execute(_UNSENT, {"now": time.time(), "limit": limit})
    return [(row.id, row.queue) for row in rows]


def mark_sent(session: Session, attempt_ids: Sequence[str]) -> None:
    """Note that the broker has a message for each of these."""
    session.connection().execute(_MARK_SENT, {"ids": list(attempt_ids), "now": time.time()})


def waiting(session: Session, *, since: float) -> dict[str, int]:
    """By queue: how many attempts have been waiting with a message sent before ``since``."""
    rows = session.execute(
        select(Attempt.queue, func.count())
        .where(Attempt.state == "queued", Attempt.message_at < since)
        .group_by(Attempt.queue)
    )
    return {row[0]: row[1] for row in rows}


def forget_messages(session: Session, queue: str, *, since: float) -> int:
    """Treat the messages that were sent to ``queue`` before ``since`` as lost; returns how many."""
    return _count(
        session,
        update(Attempt)
        .where(Attempt.queue == queue, Attempt.state == "queued", Attempt.message_at < since)
        .values(message_at=None),
    )


def _end(session: Session, lease: Lease, values: dict[str, str | None]) -> bool:
    ending = {"phase": values["state"], "finished_at": time.time(), "owner": None, "lease_until": None}
    return _set(session, update(Attempt).where(*_held(lease)).values(**values, **ending))


def _queued(reason: str, not_before: float) -> dict[str, object]:
    return {
        "state": "queued",
        "phase": "queued",
        "owner": None,
        "lease_until": None,
        "message_at": None,
        "not_before": not_before,
        "cell": 0,
        "reason": reason,
    }


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return Attempt.id == lease.attempt, Attempt.state == "running", Attempt.owner == lease.owner


def _expired(now: float) -> ColumnElement[bool]:
    return (Attempt.state == "running") & (Attempt.lease_until < now)


def _set(session: Session, statement: Update) -> bool:
    """Carry out a change that those who watch should see."""
    return _changed(session, statement.values(revision=Attempt.revision + 1))


def _changed(session: Session, statement: Update) -> bool:
    return _count(session, statement) == 1


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount


# Built once: the relay asks this after each submission.
_UNSENT = (
    select(Attempt.id, Attempt.queue)
    .where(Attempt.state == "queued", Attempt.message_at.is_(None), Attempt.not_before <= bindparam("now"))
    .order_by(Attempt.created_at)
    .limit(bindparam("limit", type_=Integer))
)
_MARK_SENT = (
    update(Attempt)
    .where(Attempt.id.in_(bindparam("ids", expanding=True)))
    .values(message_at=bindparam("now", type_=Float))
)
