"""Submissions: taken in once and for ever, and looked at while they are graded."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from grader.store.tables import Attempt, AttemptState, Submission


class UnknownSubmissionError(LookupError):
    """There is no such submission."""


class Progress(msgspec.Struct, frozen=True):
    """A submission's latest attempt as people watch it.

    ``position`` counts from 1 while it waits, 0 afterwards; cell ``cell`` of ``cells`` is running.
    ``revision`` grows with every change.
    """

    id: str
    assignment: str
    version: str
    student: str
    number: int
    notebook: str
    executed: str | None
    created_at: float
    attempt: str
    attempt_number: int
    state: AttemptState
    phase: str
    cell: int
    cells: int
    revision: int
    started_at: float | None
    finished_at: float | None
    position: int = 0


def progress(session: Session, submission_id: str) -> Progress:
    """Where a submission stands; raises UnknownSubmissionError."""
    row = session.connection().execute(_LATEST, {"submission": submission_id}).one_or_none()
    if row is None:
        raise UnknownSubmissionError(submission_id)
    found = Progress(*tuple(row))
    if found.state != "queued":
        return found
    return msgspec.structs.replace(found, position=_position(session, found.attempt))


def listed(session: Session, assignment_id: str) -> Sequence[Progress]:
    """All submissions to an assignment with their latest attempts, oldest first; without positions."""
    other = aliased(Attempt)
    latest = select(func.max(other.number)).where(other.submission_id == Submission.id).scalar_subquery()
    rows = session.execute(
        _PROGRESS.where(Submission.assignment_id == assignment_id, Attempt.number == latest).order_by(
            Submission.created_at, Submission.id
        )
    )
    return [Progress(*tuple(row)) for row in rows]


def _position(session: Session, attempt_id: str) -> int:
    """How many wait in front, itself included; 0 where it waits no more."""
    return int(session.connection().execute(_POSITION, {"attempt": attempt_id}).scalar_one())


_PROGRESS = select(
    Submission.id,
    Submission.assignment_id,
    Submission.version,
    Submission.student,
    Submission.number,
    Submission.notebook,
    Attempt.executed,
    Submission.created_at,
    Attempt.id,
    Attempt.number,
    Attempt.state,
    Attempt.phase,
    Attempt.cell,
    Attempt.cells,
    Attempt.revision,
    Attempt.started_at,
    Attempt.finished_at,
).join(Attempt, Attempt.submission_id == Submission.id)
# Built once: building a statement takes longer than the database takes to answer it.
_LATEST = _PROGRESS.where(Submission.id == bindparam("submission")).order_by(Attempt.number.desc()).limit(1)
_OWN = aliased(Attempt)
# One range of one index, whatever else the table holds.
_POSITION = (
    select(func.count())
    .select_from(_OWN)
    .join(
        Attempt,
        (Attempt.queue == _OWN.queue)
        # Of two of one moment one is first, too.
        & (tuple_(Attempt.created_at, Attempt.id) <= tuple_(_OWN.created_at, _OWN.id)),
    )
    .where(_OWN.id == bindparam("attempt"), Attempt.state == "queued", _OWN.state == "queued")
)
