"""What those who watch an attempt were told, in its order: who comes late or again misses nothing.

An event is written in the transaction of the change that it tells of and takes the attempt's new revision as
its number. The change has locked the attempt's row by then, so numbers grow in the order of the commits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal, cast

import msgspec
from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from grader.store.tables import Attempt, AttemptEvent, AttemptState

Kind = Literal["progress", "part"]


class Step(msgspec.Struct, frozen=True):
    """Where an attempt was: cell ``cell`` of ``cells`` began, where there is one."""

    state: AttemptState
    phase: str
    cell: int
    cells: int


class Event(msgspec.Struct, frozen=True):
    """One event; ``document`` is a Step or a part of ``feedback/1``, as JSON."""

    number: int
    kind: Kind
    document: bytes


def tell_step(session: Session, attempt_id: str) -> None:
    """Note where the attempt is now; its revision has just been raised in this transaction."""
    row = session.execute(
        select(Attempt.revision, Attempt.state, Attempt.phase, Attempt.cell, Attempt.cells).where(
            Attempt.id == attempt_id
        )
    ).one()
    step = Step(cast(AttemptState, row.state), row.phase, row.cell, row.cells)
    _add(session, attempt_id, row.revision, "progress", msgspec.json.encode(step))


def tell_part(session: Session, attempt_id: str, document: bytes) -> None:
    """Note a part's verdict; the attempt's revision has just been raised in this transaction."""
    number = session.scalars(select(Attempt.revision).where(Attempt.id == attempt_id)).one()
    _add(session, attempt_id, number, "part", document)


def after(session: Session, attempt_id: str, number: int) -> Sequence[Event]:
    """The events later than ``number``, in their order."""
    rows = session.scalars(
        select(AttemptEvent)
        .where(AttemptEvent.attempt_id == attempt_id, AttemptEvent.number > number)
        .order_by(AttemptEvent.number)
    )
    return [Event(row.number, cast(Kind, row.kind), row.document) for row in rows]


def latest_parts(session: Session, attempt_id: str) -> Sequence[bytes]:
    """The parts that were told while the notebook ran, oldest first; a later one replaces an earlier one."""
    return session.scalars(
        select(AttemptEvent.document)
        .where(AttemptEvent.attempt_id == attempt_id, AttemptEvent.kind == "part")
        .order_by(AttemptEvent.number)
    ).all()


def forget(session: Session, *, before: float) -> int:
    """Drop what was told before that moment of attempts that have ended; the feedback says it all."""
    ended = select(Attempt.id).where(Attempt.state.in_(("finished", "parked")))
    done = session.execute(
        delete(AttemptEvent)
        .where(AttemptEvent.at < before, AttemptEvent.attempt_id.in_(ended))
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)
    return done.rowcount


def _add(session: Session, attempt_id: str, number: int, kind: Kind, document: bytes) -> None:
    session.add(
        AttemptEvent(attempt_id=attempt_id, number=number, kind=kind, at=time.time(), document=document)
    )
    session.flush()
