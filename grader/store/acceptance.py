"""Taking submissions in: many at once, in one transaction, each with its first attempt queued."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Table, bindparam, func, insert, select, tuple_
from sqlalchemy.orm import Session

from grader.settings import queue_name
from grader.store import tokens
from grader.store.assignments import Published, UnknownAssignmentError, in_force
from grader.store.submissions import Progress, progress
from grader.store.tables import Attempt, IdempotencyKey, Submission, new_id
from grader.store.tokens import RevokedTokenError
from grader.store.waiting import Line, queue_up


class KeyReusedError(Exception):
    """An ``Idempotency-Key`` came again with another request."""


class New(msgspec.Struct, frozen=True):
    """A notebook to be taken in. ``request`` tells requests with one ``key`` apart; keys are the token's."""

    assignment: str
    student: str
    notebook: str
    token: str = ""
    key: str | None = None
    request: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """``created`` is False where the key had been answered before."""

    progress: Progress
    created: bool

    @property
    def submission(self) -> str:
        """The submission's id."""
        return self.progress.id


Answer = Receipt | UnknownAssignmentError | KeyReusedError | RevokedTokenError


def accept(session: Session, wanted: Sequence[New]) -> list[Answer]:
    """Take all of these in, each with its first attempt queued; the answers are in their order.

    What is refused changes nothing. On PostgreSQL acceptances wait for each other; on SQLite all writers do.
    """
    queue_up(session.connection(), Line.ACCEPTANCE)
    intake = _Intake(session, wanted)
    answers = [intake.answer(one) for one in wanted]
    intake.store()
    return answers


class _Intake:
    """One transaction's acceptances: what has to be known of the database is read once for all of them."""

    def __init__(self, session: Session, wanted: Sequence[New]) -> None:
        self._session = session
        self._assignments = in_force(session, {one.assignment for one in wanted})
        self._numbers = _last_numbers(session, {(one.assignment, one.student) for one in wanted})
        self._keys = _answered(session, {(one.token, one.key) for one in wanted if one.key is not None})
        # Whose token it is was found out before, perhaps without a look at the database; this one counts.
        self._revoked = tokens.revoked(session, {one.token for one in wanted})
        self._waiting: dict[str, int] = {}
        self._made: dict[str, Progress] = {}
        self._rows: dict[Table, list[dict[str, object]]] = {_SUBMISSIONS: [], _ATTEMPTS: [], _KEYS: []}
        self._moment = 0.0

    def answer(self, new: New) -> Answer:
        """What this one gets."""
        if new.token in self._revoked:
            return RevokedTokenError(new.token)
        assignment = self._assignments.get(new.assignment)
        if assignment is None:
            return UnknownAssignmentError(new.assignment)
        if new.key is None:
            return Receipt(self._take_in(new, assignment), created=True)
        before = self._keys.get((new.token, new.key))
        if before is None:
            return Receipt(self._take_in(new, assignment), created=True)
        request, submission = before
        if request != new.request:
            return KeyReusedError(new.key)
        return Receipt(self._made.get(submission) or progress(self._session, submission), created=False)

    def store(self) -> None:
        """Write all rows, those that others refer to first."""
        for table, rows in self._rows.items():
            if rows:
                self._session.connection().execute(insert(table), rows)

    def _take_in(self, new: New, assignment: Published) -> Progress:
        queue = queue_name(assignment.environment)
        # Strictly growing: equal moments would share a place in the queue.
        self._moment = now = max(time.time(), self._moment + 1e-6)
        made = Progress(
            id=new_id(),
            assignment=assignment.id,
            version=assignment.version,
            student=new.student,
            number=self._next_number(assignment.id, new.student),
            notebook=new.notebook,
            executed=None,
            created_at=now,
            attempt=new_id(),
            attempt_number=1,
            state="queued",
            phase="queued",
            cell=0,
            cells=0,
            revision=1,
            started_at=None,
            finished_at=None,
            position=self._next_position(queue),
        )
        self._add_rows(made, queue)
        self._made[made.id] = made
        if new.key is not None:
            self._remember(new, new.key, made)
        return made

    def _next_number(self, assignment: str, student: str) -> int:
        number = self._numbers.get((assignment, student), 0) + 1
        self._numbers[assignment, student] = number
        return number

    def _next_position(self, queue: str) -> int:
        if queue not in self._waiting:
            self._waiting[queue] = _length(self._session, queue)
        self._waiting[queue] += 1
        return self._waiting[queue]

    def _add_rows(self, made: Progress, queue: str) -> None:
        self._rows[_SUBMISSIONS].append(
            {
                "id": made.id,
                "assignment_id": made.assignment,
                "version": made.version,
                "student": made.student,
                "number": made.number,
                "notebook": made.notebook,
                "created_at": made.created_at,
            }
        )
        self._rows[_ATTEMPTS].append(
            {
                "id": made.attempt,
                "submission_id": made.id,
                "number": made.attempt_number,
                "queue": queue,
                "created_at": made.created_at,
            }
        )

    def _remember(self, new: New, key: str, made: Progress) -> None:
        self._keys[new.token, key] = new.request, made.id
        self._rows[_KEYS].append(
            {
                "token": new.token,
                "key": key,
                "request": new.request,
                "submission_id": made.id,
                "created_at": made.created_at,
            }
        )


def _last_numbers(session: Session, students: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """By assignment and student: the number of the latest submission."""
    rows = session.connection().execute(_LAST_NUMBERS, {"students": sorted(students)})
    return {(row[0], row[1]): row[2] for row in rows}


def _answered(session: Session, keys: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """By token and key: the request that came with it, and the submission that it got."""
    if not keys:
        return {}
    rows = session.connection().execute(_ANSWERED, {"keys": sorted(keys)})
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _length(session: Session, queue: str) -> int:
    return int(session.connection().execute(_LENGTH, {"queue": queue}).scalar_one())


def _tables() -> tuple[Table, Table, Table]:
    """The tables as such: statements on them skip what the mapper would do for each row."""
    submissions, attempts, keys = Submission.__table__, Attempt.__table__, IdempotencyKey.__table__
    assert isinstance(submissions, Table)
    assert isinstance(attempts, Table)
    assert isinstance(keys, Table)
    return submissions, attempts, keys


# Built once: building a statement takes longer than SQLite takes to answer it.
_SUBMISSIONS, _ATTEMPTS, _KEYS = _tables()
_WHO = (_SUBMISSIONS.c.assignment_id, _SUBMISSIONS.c.student)
_LAST_NUMBERS = (
    select(*_WHO, func.max(_SUBMISSIONS.c.number))
    .where(tuple_(*_WHO).in_(bindparam("students", expanding=True)))
    .group_by(*_WHO)
)
_KEY = (_KEYS.c.token, _KEYS.c.key)
_ANSWERED = select(*_KEY, _KEYS.c.request, _KEYS.c.submission_id).where(
    tuple_(*_KEY).in_(bindparam("keys", expanding=True))
)
_LENGTH = select(func.count()).where(_ATTEMPTS.c.queue == bindparam("queue"), _ATTEMPTS.c.state == "queued")
