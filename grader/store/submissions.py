"""Submissions: taken in once and for ever, and looked at while they are graded."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from grader.store.assignments import Published
from grader.store.tables import Attempt, AttemptState, IdempotencyKey, Submission, new_id


class UnknownSubmissionError(LookupError):
    """There is no such submission."""


class KeyReusedError(Exception):
    """An ``Idempotency-Key`` came again with another request."""


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


def add(session: Session, assignment: Published, *, student: str, notebook: str, queue: str) -> str:
    """A new submission with its first attempt queued, both in this transaction; returns its id."""
    now = time.time()
    submission = Submission(
        id=new_id(),
        assignment_id=assignment.id,
        version=assignment.version,
        student=student,
        number=_next_number(session, assignment.id, student),
        notebook=notebook,
        created_at=now,
    )
    session.add(submission)
    session.flush()
    session.add(Attempt(id=new_id(), submission_id=submission.id, number=1, queue=queue, created_at=now))
    return submission.id


def answered(session: Session, *, token: str, key: str, request: str) -> str | None:
    """The submission that this key made before; raises KeyReusedError where the request was another one."""
    found = session.get(IdempotencyKey, (token, key))
    if found is None:
        return None
    if found.request != request:
        raise KeyReusedError(key)
    return found.submission_id


def remember(session: Session, submission_id: str, *, token: str, key: str, request: str) -> None:
    """Keep what a key was answered."""
    session.add(
        IdempotencyKey(
            token=token, key=key, request=request, submission_id=submission_id, created_at=time.time()
        )
    )


def progress(session: Session, submission_id: str) -> Progress:
    """Where a submission stands; raises UnknownSubmissionError."""
    row = session.execute(
        _PROGRESS.where(Submission.id == submission_id).order_by(Attempt.number.desc()).limit(1)
    ).one_or_none()
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


def _next_number(session: Session, assignment_id: str, student: str) -> int:
    last = session.scalar(
        select(func.max(Submission.number)).where(
            Submission.assignment_id == assignment_id, Submission.student == student
        )
    )
    return (last or 0) + 1


def _position(session: Session, attempt_id: str) -> int:
    """How many wait in front, itself included; 0 where it waits no more."""
    own = session.execute(
        select(Attempt.queue, Attempt.created_at, Attempt.id).where(Attempt.id == attempt_id)
    ).one()
    # Of two of one moment one is first, too.
    earlier = tuple_(Attempt.created_at, Attempt.id) <= (own.created_at, own.id)
    waiting = select(func.count()).where(Attempt.queue == own.queue, Attempt.state == "queued", earlier)
    return session.scalar(waiting) or 0


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
