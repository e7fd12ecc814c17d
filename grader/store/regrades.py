"""Regrades as they are kept: previewed line by line, applied in one transaction, undone in one.

    previewing -> previewed -> applied -> undone
         |            `-> discarded
         `-> failed

A line remembers the verdict that it starts from. Where that verdict is no longer the newest (a person marked,
a further attempt ended, another regrade was applied), applying would overwrite what nobody has looked at: it
is refused as a whole, and a new preview is needed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from checks.feedback import Feedback
from grader.store import audit, regrade_jobs
from grader.store.rewriting import Author, Rewritten, add_all
from grader.store.tables import Attempt, FeedbackRow, Regrade, RegradeLine, Submission, new_id
from grader.store.waiting import Line, queue_up

State = Literal["previewing", "previewed", "applied", "undone", "discarded", "failed"]


class UnknownRegradeError(LookupError):
    """There is no such regrade."""


class RegradeStateError(Exception):
    """A step does not fit the regrade's state; the text says which state it is in and what to do."""


class RegradeBusyError(Exception):
    """Another ``regrade`` of the assignment is being previewed; the text names it."""

    def __init__(self, assignment_id: str, regrade: str) -> None:
        super().__init__(f"another regrade of {assignment_id} is being previewed: {regrade}")
        self.regrade = regrade


class LeaseLostError(Exception):
    """The preview is in other hands, or somebody discarded it."""


class Held(msgspec.Struct, frozen=True):
    """The right to preview a regrade."""

    regrade: str
    owner: str


class How(msgspec.Struct, frozen=True):
    """Who asks for a regrade; the ``queue`` of the workers that preview it (None: he does so himself)."""

    by: str
    queue: str | None = None
    then_apply: bool = False


class Candidate(msgspec.Struct, frozen=True):
    """A submission's newest finished attempt with its newest verdict, to be judged again."""

    attempt: str
    submission: str
    student: str
    notebook: str
    number: int
    version: str
    evidence: str | None
    feedback: str


class Kept(msgspec.Struct, frozen=True):
    """A line as it is read again: what changes is ``changes``, as JSON."""

    student: str
    submission: str
    attempt: str
    before: float | None
    after: float | None
    changes: bytes
    needs_run: int


class Judged(msgspec.Struct, frozen=True):
    """One judged candidate. ``after`` is None where the stored evidence does not tell."""

    candidate: Candidate
    before_score: float | None
    after: Feedback | None
    after_score: float | None
    changes: bytes


def begin(session: Session, assignment_id: str, version: str, how: How) -> str:
    """A new regrade, about to be previewed; returns its id.

    Raises RegradeBusyError while another one of the assignment is being previewed.
    """
    queue_up(session.connection(), Line.REGRADING)
    busy = session.scalar(
        select(Regrade.id).where(Regrade.assignment_id == assignment_id, Regrade.state == "previewing")
    )
    if busy is not None:
        raise RegradeBusyError(assignment_id, busy)
    now = time.time()
    row = Regrade(
        id=new_id(), assignment_id=assignment_id, version=version, state="previewing", by=how.by,
        created_at=now, changed_at=now, queue=how.queue, then_apply=int(how.then_apply),
        lease_until=now + regrade_jobs.LOST_SECONDS,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def get(session: Session, regrade_id: str) -> Regrade:
    """A regrade; raises UnknownRegradeError."""
    row = session.get(Regrade, regrade_id)
    if row is None:
        raise UnknownRegradeError(regrade_id)
    return row


def of_assignment(session: Session, assignment_id: str) -> Sequence[Regrade]:
    """An assignment's regrades, newest first."""
    return session.scalars(
        select(Regrade).where(Regrade.assignment_id == assignment_id).order_by(Regrade.id.desc())
    ).all()


def candidates(session: Session, assignment_id: str) -> list[Candidate]:
    """Every submission with a verdict, oldest first: what a regrade looks at."""
    last = (
        select(func.max(Attempt.number)).where(Attempt.submission_id == Submission.id).correlate(Submission)
    ).scalar_subquery()
    newest = (
        select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == Attempt.id).correlate(Attempt)
    ).scalar_subquery()
    rows = session.execute(
        select(
            Attempt.id,
            Submission.id,
            Submission.student,
            Submission.notebook,
            Attempt.number,
            FeedbackRow.version,
            Attempt.evidence,
            FeedbackRow.id,
        )
        .join(Submission, Submission.id == Attempt.submission_id)
        .join(FeedbackRow, FeedbackRow.id == newest)
        .where(
            Submission.assignment_id == assignment_id,
            Attempt.number == last,
            Attempt.state.in_(("finished", "parked")),
        )
        .order_by(Submission.created_at, Submission.id)
    )
    return [Candidate(*row) for row in rows]


def add_lines(session: Session, held: Held, lines: Sequence[Judged]) -> None:
    """Keep what was judged, and count it."""
    session.execute(insert(RegradeLine), [_values(held.regrade, line) for line in lines])
    _mine(session, held, {"done": Regrade.done + len(lines)})


def set_total(session: Session, held: Held, total: int) -> None:
    """Tell those who watch how much there is to judge."""
    _mine(session, held, {"total": total})


def previewed(session: Session, held: Held) -> None:
    """The preview is complete."""
    _mine(session, held, {"state": "previewed", "owner": None})


def failed(session: Session, held: Held, why: str) -> None:
    """The preview could not be made; nothing was changed."""
    _mine(session, held, {"state": "failed", "detail": why, "owner": None})


def not_applied(session: Session, regrade_id: str, why: str) -> None:
    """It was to be applied once it was previewed, and could not be: it stays what it is."""
    session.execute(update(Regrade).where(Regrade.id == regrade_id).values(detail=why))


def discard(session: Session, regrade_id: str) -> None:
    """Forget a preview, also one that is still being made; raises RegradeStateError where it was applied."""
    get(session, regrade_id)
    _move(session, regrade_id, {"state": "discarded", "owner": None}, "previewed", "failed", "previewing")


def lines(session: Session, regrade_id: str) -> list[Kept]:
    """The regrade's lines in the order of their submissions, without the verdicts themselves."""
    rows = session.execute(
        select(
            RegradeLine.student,
            RegradeLine.submission_id,
            RegradeLine.attempt_id,
            RegradeLine.before_score,
            RegradeLine.after_score,
            RegradeLine.changes,
            RegradeLine.needs_run,
        )
        .where(RegradeLine.regrade_id == regrade_id)
        .order_by(RegradeLine.submission_id)
    )
    return [Kept(*row) for row in rows]


def stale(session: Session, regrade_id: str) -> list[str]:
    """The students of lines that would take the place of a verdict that is no longer the newest."""
    newest = (
        select(func.max(FeedbackRow.id))
        .join(Attempt, Attempt.id == FeedbackRow.attempt_id)
        .where(Attempt.submission_id == RegradeLine.submission_id)
        .correlate(RegradeLine)
    ).scalar_subquery()
    found = select(RegradeLine.student).where(
        RegradeLine.regrade_id == regrade_id,
        RegradeLine.after.is_not(None),
        func.coalesce(RegradeLine.written, RegradeLine.before) != newest,
    )
    return list(session.scalars(found))


def apply(session: Session, regrade_id: str, *, by: str) -> int:
    """Write the previewed verdicts, all in the caller's transaction; returns how many.

    Raises RegradeStateError, with nothing written, unless it is previewed and no verdict is newer.
    """
    row = get(session, regrade_id)
    _move(session, regrade_id, {"state": "applied", "detail": ""}, "previewed")
    _refuse_stale(session, regrade_id)
    author = Author(by, row.assignment_id, regrade_id)
    count = sum(
        _write(session, regrade_id, author, chunk) for chunk in _in_chunks(session, _NEW_VERDICTS, regrade_id)
    )
    rewritten = _submissions_where(regrade_id, RegradeLine.after.is_not(None))
    session.execute(
        update(Submission)
        .where(Submission.id.in_(rewritten))
        .values(version=row.version)
        .execution_options(synchronize_session=False)
    )
    _note(session, "regrade.applied", row, by, count)
    return count


def undo(session: Session, regrade_id: str, *, by: str) -> int:
    """Put the verdicts from before it in force again, as new ones; returns how many.

    A person's marks given since stay. Raises RegradeStateError, with nothing written, unless it is the newest
    word on each of its submissions.
    """
    row = get(session, regrade_id)
    _move(session, regrade_id, {"state": "undone", "detail": ""}, "applied")
    _refuse_stale(session, regrade_id)
    author = Author(by, row.assignment_id)
    count = sum(
        _write(session, regrade_id, author, chunk) for chunk in _in_chunks(session, _OLD_VERDICTS, regrade_id)
    )
    # Joined, because asking for each submission's line anew would read all lines for each.
    session.execute(
        update(Submission)
        .where(
            RegradeLine.regrade_id == regrade_id,
            RegradeLine.written.is_not(None),
            RegradeLine.submission_id == Submission.id,
        )
        .values(version=RegradeLine.from_version)
        .execution_options(synchronize_session=False)
    )
    _note(session, "regrade.undone", row, by, count)
    return count


def _write(session: Session, regrade_id: str, author: Author, verdicts: Sequence[Rewritten]) -> int:
    written = add_all(session, verdicts, author)
    session.connection().execute(
        update(RegradeLine)
        .where(
            RegradeLine.regrade_id == bindparam("of_regrade"),
            RegradeLine.attempt_id == bindparam("of_attempt"),
        )
        .values(written=bindparam("made")),
        [
            {"of_regrade": regrade_id, "of_attempt": attempt, "made": made}
            for attempt, made in written.items()
        ],
    )
    return len(written)


def _in_chunks(session: Session, wanted: Executable, regrade_id: str) -> Iterator[list[Rewritten]]:
    """The verdicts that ``wanted`` finds for the regrade's lines, some hundreds at a time."""
    last = ""
    while rows := session.execute(wanted, {"regrade": regrade_id, "last": last}).all():
        yield [Rewritten(*row) for row in rows]
        last = rows[-1][0]


def _submissions_where(regrade_id: str, condition: ColumnElement[bool]) -> Select[Any]:
    return select(RegradeLine.submission_id).where(RegradeLine.regrade_id == regrade_id, condition)


def _note(session: Session, action: audit.Action, row: Regrade, by: str, count: int) -> None:
    facts = {"version": row.version, "verdicts": count}
    audit.add(session, action, row.id, by=by, assignment=row.assignment_id, after=facts)


def to_run(session: Session, regrade_id: str) -> Sequence[Attempt]:
    """The attempts whose evidence does not tell, where no later attempt has been queued since."""
    later = aliased(Attempt)
    again = (
        select(later.id)
        .where(later.submission_id == Attempt.submission_id, later.number > Attempt.number)
        .correlate(Attempt)
    )
    return session.scalars(
        select(Attempt)
        .join(RegradeLine, RegradeLine.attempt_id == Attempt.id)
        .where(RegradeLine.regrade_id == regrade_id, RegradeLine.needs_run == 1, ~again.exists())
        .order_by(Attempt.submission_id)
    ).all()


def point_at(session: Session, submission_id: str, version: str) -> None:
    """From now on the submission is judged by ``version``."""
    session.execute(update(Submission).where(Submission.id == submission_id).values(version=version))


def _refuse_stale(session: Session, regrade_id: str) -> None:
    changed = stale(session, regrade_id)
    if changed:
        who = ", ".join(sorted(changed)[:5]) + (" …" if len(changed) > 5 else "")
        raise RegradeStateError(
            f"{len(changed)} of its submissions have had another verdict since ({who}); make a new preview"
        )


def _mine(session: Session, held: Held, values: dict[str, object]) -> None:
    """A step of whoever holds the lease; raises LeaseLostError where he does no more."""
    done = session.execute(
        update(Regrade)
        .where(Regrade.id == held.regrade, Regrade.state == "previewing", Regrade.owner == held.owner)
        .values(**values, changed_at=time.time())
        .execution_options(synchronize_session="fetch")
    )
    assert isinstance(done, CursorResult)
    if done.rowcount != 1:
        raise LeaseLostError(held.regrade)


def _move(session: Session, regrade_id: str, values: dict[str, object], *states: State) -> None:
    done = session.execute(
        update(Regrade)
        .where(Regrade.id == regrade_id, Regrade.state.in_(states))
        .values(**values, changed_at=time.time())
        .execution_options(synchronize_session="fetch")
    )
    assert isinstance(done, CursorResult)
    if done.rowcount != 1:
        state = get(session, regrade_id).state
        raise RegradeStateError(f"the regrade is {state}; this step needs it to be {' or '.join(states)}")


def _values(regrade_id: str, line: Judged) -> dict[str, object]:
    candidate = line.candidate
    return {
        "regrade_id": regrade_id,
        "attempt_id": candidate.attempt,
        "submission_id": candidate.submission,
        "student": candidate.student,
        "from_version": candidate.version,
        "before": candidate.feedback,
        "before_score": line.before_score,
        "after": None if line.after is None else line.after.to_json(),
        "after_score": line.after_score,
        "changes": line.changes,
        "needs_run": int(line.after is None),
        "written": None,
    }


# What is written in one go: small enough for every database's limit of parameters.
CHUNK = 500
_LINES = (RegradeLine.regrade_id == bindparam("regrade"), RegradeLine.attempt_id > bindparam("last"))
_NEW_VERDICTS = (
    select(
        RegradeLine.attempt_id, RegradeLine.submission_id, RegradeLine.after, Attempt.evidence,
        RegradeLine.before,
    )
    .join(Attempt, Attempt.id == RegradeLine.attempt_id)
    .where(*_LINES, RegradeLine.after.is_not(None))
    .order_by(RegradeLine.attempt_id)
    .limit(CHUNK)
)  # fmt: skip
_OLD_VERDICTS = (
    select(
        RegradeLine.attempt_id, RegradeLine.submission_id,
        func.coalesce(FeedbackRow.judged, FeedbackRow.document), FeedbackRow.evidence, RegradeLine.written,
    )
    .join(FeedbackRow, FeedbackRow.id == RegradeLine.before)
    .where(*_LINES, RegradeLine.written.is_not(None))
    .order_by(RegradeLine.attempt_id)
    .limit(CHUNK)
)  # fmt: skip
