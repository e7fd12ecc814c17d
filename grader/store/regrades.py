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
from typing import Literal

import msgspec
from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store import feedback
from grader.store.tables import Attempt, FeedbackRow, Regrade, RegradeLine, Submission, new_id

State = Literal["previewing", "previewed", "applied", "undone", "discarded", "failed"]


class UnknownRegradeError(LookupError):
    """There is no such regrade."""


class RegradeStateError(Exception):
    """A step does not fit the regrade's state; the text says which state it is in and what to do."""


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


class Line(msgspec.Struct, frozen=True):
    """One judged candidate. ``after`` is None where the stored evidence does not tell."""

    candidate: Candidate
    before_score: float | None
    after: Feedback | None
    after_score: float | None
    changes: bytes


def begin(session: Session, assignment_id: str, version: str, *, by: str) -> str:
    """A new regrade, about to be previewed; returns its id."""
    now = time.time()
    row = Regrade(
        id=new_id(), assignment_id=assignment_id, version=version, state="previewing", by=by,
        created_at=now, changed_at=now,
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


def documents(session: Session, ids: Sequence[str]) -> dict[str, bytes]:
    """The documents of verdicts by their ids."""
    rows = session.execute(select(FeedbackRow.id, FeedbackRow.document).where(FeedbackRow.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def add_lines(session: Session, regrade_id: str, lines: Sequence[Line]) -> None:
    """Keep what was judged, and count it."""
    session.execute(insert(RegradeLine), [_values(regrade_id, line) for line in lines])
    _move(session, regrade_id, {"done": Regrade.done + len(lines)}, "previewing")


def set_total(session: Session, regrade_id: str, total: int) -> None:
    """Tell those who watch how much there is to judge."""
    _move(session, regrade_id, {"total": total}, "previewing")


def previewed(session: Session, regrade_id: str) -> None:
    """The preview is complete."""
    _move(session, regrade_id, {"state": "previewed"}, "previewing")


def failed(session: Session, regrade_id: str, why: str) -> None:
    """The preview could not be made; nothing was changed."""
    _move(session, regrade_id, {"state": "failed", "detail": why}, "previewing")


def discard(session: Session, regrade_id: str) -> None:
    """Forget a preview; raises RegradeStateError where it was applied."""
    _move(session, regrade_id, {"state": "discarded"}, "previewed", "failed", "previewing")


def lines(session: Session, regrade_id: str) -> Iterator[RegradeLine]:
    """The regrade's lines in the order of their submissions."""
    yield from session.scalars(
        select(RegradeLine).where(RegradeLine.regrade_id == regrade_id).order_by(RegradeLine.submission_id)
    )


def stale(session: Session, regrade_id: str) -> list[str]:
    """The students of lines whose verdict is no longer the newest."""
    newest = (
        select(func.max(FeedbackRow.id))
        .join(Attempt, Attempt.id == FeedbackRow.attempt_id)
        .where(Attempt.submission_id == RegradeLine.submission_id)
        .correlate(RegradeLine)
    ).scalar_subquery()
    found = select(RegradeLine.student).where(
        RegradeLine.regrade_id == regrade_id,
        func.coalesce(RegradeLine.written, RegradeLine.before) != newest,
    )
    return list(session.scalars(found))


def apply(session: Session, regrade_id: str, *, by: str) -> int:
    """Write the previewed verdicts, all in the caller's transaction; returns how many.

    Raises RegradeStateError, with nothing written, unless it is previewed and no verdict is newer.
    """
    row = get(session, regrade_id)
    _move(session, regrade_id, {"state": "applied"}, "previewed")
    _refuse_stale(session, regrade_id)
    count = 0
    for line in list(lines(session, regrade_id)):
        if line.after is None:
            continue
        verdict = Feedback.from_json(line.after)
        evidence = session.scalar(select(Attempt.evidence).where(Attempt.id == line.attempt_id))
        line.written = feedback.add(
            session, line.attempt_id, verdict, evidence=evidence, regrade=regrade_id, by=by
        )
        point_at(session, line.submission_id, row.version)
        count += 1
    return count


def undo(session: Session, regrade_id: str, *, by: str) -> int:
    """Put the verdicts from before it in force again, as new ones; returns how many.

    A person's marks given since stay. Raises RegradeStateError, with nothing written, unless it is the newest
    word on each of its submissions.
    """
    get(session, regrade_id)
    _move(session, regrade_id, {"state": "undone"}, "applied")
    _refuse_stale(session, regrade_id)
    count = 0
    for line in list(lines(session, regrade_id)):
        if line.written is None:
            continue
        before = session.get_one(FeedbackRow, line.before)
        line.written = feedback.add(
            session, line.attempt_id, feedback.judged(before), evidence=before.evidence, by=by
        )
        point_at(session, line.submission_id, line.from_version)
        count += 1
    return count


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


def _values(regrade_id: str, line: Line) -> dict[str, object]:
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
