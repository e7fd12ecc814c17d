"""Points that a person gave: kept apart from verdicts, so that no regrade loses them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from checks.feedback import Feedback, PartFeedback, total
from grader.store.tables import Mark, new_id

# While one of a submission's parts is such, its sum is no grade.
OPEN = frozenset({"unjudged", "needs_review"})


class Given(msgspec.Struct, frozen=True):
    """A mark in force."""

    part: str
    score: float
    reason: str
    by: str
    at: float


def give(session: Session, submission_id: str, part: str, *, score: float, reason: str, by: str) -> None:
    """Put a mark in force, in place of an earlier one for the part; the earlier one is kept as withdrawn."""
    withdraw(session, submission_id, part)
    session.add(
        Mark(
            id=new_id(),
            submission_id=submission_id,
            part=part,
            score=score,
            reason=reason,
            by=by,
            at=time.time(),
        )
    )
    session.flush()


def withdraw(session: Session, submission_id: str, part: str) -> bool:
    """Let the judge's word count again; False where there was no mark."""
    done = session.execute(
        update(Mark)
        .where(Mark.submission_id == submission_id, Mark.part == part, Mark.withdrawn_at.is_(None))
        .values(withdrawn_at=time.time())
    )
    assert isinstance(done, CursorResult)
    return done.rowcount > 0


def in_force(session: Session, submission_id: str) -> Sequence[Given]:
    """The marks that count, in the order in which they were given."""
    rows = session.scalars(
        select(Mark)
        .where(Mark.submission_id == submission_id, Mark.withdrawn_at.is_(None))
        .order_by(Mark.at, Mark.id)
    )
    return [Given(row.part, row.score, row.reason, row.by, row.at) for row in rows]


def all_in_force(session: Session, submission_ids: Sequence[str]) -> dict[str, list[Given]]:
    """By submission: the marks that count, for those that have any."""
    rows = session.scalars(
        select(Mark)
        .where(Mark.submission_id.in_(submission_ids), Mark.withdrawn_at.is_(None))
        .order_by(Mark.at, Mark.id)
    )
    found: dict[str, list[Given]] = {}
    for row in rows:
        mark = Given(row.part, row.score, row.reason, row.by, row.at)
        found.setdefault(row.submission_id, []).append(mark)
    return found


def standing_score(feedback: Feedback) -> float | None:
    """The score; None while a part waits for us or for a person."""
    return None if any(part.status in OPEN for part in feedback.parts) else feedback.score


def overlaid(judged: Feedback, given: Sequence[Given]) -> Feedback:
    """The verdict with a person's points for the judge's; a mark for a part that is no more is left out."""
    by_part = {mark.part: mark for mark in given}
    if not any(part.id in by_part for part in judged.parts):
        return judged
    parts = tuple(_marked(part, by_part.get(part.id)) for part in judged.parts)
    return msgspec.structs.replace(judged, parts=parts, score=total(parts, capped=judged.capped))


def _marked(part: PartFeedback, mark: Given | None) -> PartFeedback:
    if mark is None:
        return part
    score = min(mark.score, part.max_score) if part.max_score else mark.score
    status = "correct" if score >= part.max_score else "partial" if score > 0 else "incorrect"
    note = f"Marked by a person: {mark.reason}" if mark.reason else "Marked by a person."
    return msgspec.structs.replace(part, score=score, status=status, message=note, misconception=None)
