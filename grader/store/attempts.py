"""The life of an attempt: queued, claimed under a lease, finished once, or parked.

    queued --claim--> running --finish--> finished
      ^                  |------park----> parked       (our fault, too often)
      |---release/expire-|

Every step is one compare-and-set, so two workers with the same message, a worker that was believed dead, and
a message that comes twice change nothing. A lease names its owner; a step of an owner that lost the lease
does nothing and says so.

No clock decides who holds a lease: an owner changes its row at every heartbeat, and who watches the rows
(``grader.store.silence``) takes back those that nobody changes any more. ``lease_until`` is for people.
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

from checks.feedback import Feedback, PartFeedback
from grader.store import changes, events, feedback
from grader.store.tables import Attempt, Submission

# A moment further away than this was noted by a clock that has since been put back.
LONGEST_PAUSE = 600.0


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


class Beat(msgspec.Struct, frozen=True):
    """A held lease as it was seen: ``owner`` and ``until`` change when it is renewed or taken over."""

    attempt: str
    owner: str
    until: float


def claim(session: Session, attempt_id: str, *, seconds: float, host: str = "") -> Lease | None:
    """Take a queued attempt; None where there is nothing to take. ``host`` is who may hand it back."""
    now, owner = time.time(), f"{host}-{secrets.token_hex(8)}"
    taken = _set(
        session,
        attempt_id,
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.state == "queued")
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
    values = {"phase": phase, "cell": cell, "cells": cells}
    return _set(session, lease.attempt, update(Attempt).where(*_held(lease)).values(**values))


def report_part(session: Session, lease: Lease, part: PartFeedback) -> bool:
    """Tell those who watch how a part stands while the notebook runs; False where the lease was lost."""
    if not _changed(session, update(Attempt).where(*_held(lease)).values(revision=Attempt.revision + 1)):
        return False
    events.tell_part(session, lease.attempt, msgspec.json.encode(part))
    return True


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


def release(session: Session, lease: Lease, *, reason: str, pause: float, counted: bool = True) -> bool:
    """Give the attempt back, to be tried again after ``pause`` seconds; False where the lease was lost.

    ``counted`` is False where the attempt had no part in the failure: the try does not count.
    """
    values = _queued(reason, time.time() + min(pause, LONGEST_PAUSE), counted=counted)
    return _set(session, lease.attempt, update(Attempt).where(*_held(lease)).values(**values))


def hand_back(session: Session, host: str, *, reason: str) -> Sequence[str]:
    """Give back what ``host`` still runs, as if it had not been tried; returns the attempts' ids."""
    held = Attempt.state == "running", Attempt.owner.startswith(f"{host}-", autoescape=True)
    found = session.scalars(select(Attempt.id).where(*held)).all()
    values = _queued(reason, time.time(), counted=False)
    return [
        attempt
        for attempt in found
        if _set(session, attempt, update(Attempt).where(Attempt.id == attempt, *held).values(**values))
    ]


def beats(session: Session) -> Sequence[Beat]:
    """Every held lease; a plain read, so that looking often does not take the writers' lock."""
    rows = session.execute(
        select(Attempt.id, Attempt.owner, Attempt.lease_until).where(Attempt.state == "running")
    )
    return [Beat(row[0], row[1] or "", row[2] or 0.0) for row in rows]


def take_back(session: Session, beat: Beat) -> bool:
    """Take the attempt of a worker that fell silent; False where the lease was renewed since it was seen."""
    values = _queued("the worker fell silent", time.time(), counted=True)
    unchanged = (
        Attempt.id == beat.attempt,
        Attempt.state == "running",
        Attempt.owner == beat.owner,
        Attempt.lease_until == beat.until,
    )
    return _set(session, beat.attempt, update(Attempt).where(*unchanged).values(**values))


def unsent(session: Session, *, limit: int = 500) -> Sequence[tuple[str, str]]:
    """Attempts (id, queue) that are due and that the broker was never told of, oldest first."""
    now = time.time()
    rows = session.connection().execute(_UNSENT, {"now": now, "far": now + LONGEST_PAUSE, "limit": limit})
    return [(row.id, row.queue) for row in rows]


def mark_sent(session: Session, attempt_ids: Sequence[str]) -> None:
    """Note that the broker has a message for each of these."""
    session.connection().execute(_MARK_SENT, {"ids": list(attempt_ids), "now": time.time()})


def waiting(session: Session, *, since: float) -> dict[str, int]:
    """By queue: how many attempts have been waiting with a message sent before ``since``."""
    rows = session.execute(
        select(Attempt.queue, func.count())
        .where(Attempt.state == "queued", _sent_before(since))
        .group_by(Attempt.queue)
    )
    return {row[0]: row[1] for row in rows}


def forget_messages(session: Session, queue: str, *, since: float) -> int:
    """Treat the messages that were sent to ``queue`` before ``since`` as lost; returns how many."""
    return _count(
        session,
        update(Attempt)
        .where(Attempt.queue == queue, Attempt.state == "queued", _sent_before(since))
        .values(message_at=None),
    )


def _end(session: Session, lease: Lease, values: dict[str, str | None]) -> bool:
    ending = {"phase": values["state"], "finished_at": time.time(), "owner": None, "lease_until": None}
    return _set(session, lease.attempt, update(Attempt).where(*_held(lease)).values(**values, **ending))


def _queued(reason: str, not_before: float, *, counted: bool) -> dict[str, object]:
    return {
        "state": "queued",
        "phase": "queued",
        "owner": None,
        "lease_until": None,
        "message_at": None,
        "not_before": not_before,
        "cell": 0,
        "cells": 0,
        "reason": reason,
        "claims": Attempt.claims if counted else Attempt.claims - 1,
    }


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return Attempt.id == lease.attempt, Attempt.state == "running", Attempt.owner == lease.owner


def _sent_before(since: float) -> ColumnElement[bool]:
    """Sent before ``since``, or in a future that is none."""
    return or_(Attempt.message_at < since, Attempt.message_at > since + LONGEST_PAUSE)


def _set(session: Session, attempt_id: str, statement: Update) -> bool:
    """Carry out a change that those who watch should see."""
    if not _changed(session, statement.values(revision=Attempt.revision + 1)):
        return False
    events.tell_step(session, attempt_id)
    return True


def _changed(session: Session, statement: Update) -> bool:
    return _count(session, statement) == 1


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount


# Built once: the relay asks this after each submission.
_UNSENT = (
    select(Attempt.id, Attempt.queue)
    .where(
        Attempt.state == "queued",
        Attempt.message_at.is_(None),
        # A moment far ahead was noted by a clock that has since been put back.
        or_(Attempt.not_before <= bindparam("now"), Attempt.not_before > bindparam("far")),
    )
    .order_by(Attempt.created_at, Attempt.id)
    .limit(bindparam("limit", type_=Integer))
)
_MARK_SENT = (
    update(Attempt)
    .where(Attempt.id.in_(bindparam("ids", expanding=True)))
    .values(message_at=bindparam("now", type_=Float))
)
