"""A person's points for a part: checked, kept, and in force at once."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from checks.feedback import Feedback, PartFeedback
from grader.store import Store, audit, feedback, marks, submissions
from grader.store.marks import Given
from grader.store.tables import FeedbackRow

MAX_REASON = 2000


class MarkRefusedError(ValueError):
    """The mark cannot be given so; the text says why and what can."""


class NotGradedYetError(Exception):
    """There is no verdict that a person could correct; the text is the submission's state."""


class UnknownPartError(LookupError):
    """The submission has no such part."""


class UnknownMarkError(LookupError):
    """The part has no mark."""


class Marked(msgspec.Struct, frozen=True):
    """One part as it stands, with the mark of a person where there is one, and what the judge says."""

    part: PartFeedback
    judged: PartFeedback
    given: Given | None


def give(store: Store, submission_id: str, part: str, *, score: float, reason: str, by: str) -> Marked:
    """Put a person's points in the place of the judge's, for good: no regrade touches them.

    Raises UnknownSubmissionError, NotGradedYetError, UnknownPartError, or MarkRefusedError for points out of
    0 to the part's points and for an unusable reason.
    """
    told = _reason(reason)
    with store.write() as session:
        before = _standing(session, submission_id, part)
        most = before.part.max_score
        if not 0 <= score <= most:
            raise MarkRefusedError(f"`score` must be from 0 to {most:g}, the points of {part}, not {score:g}")
        marks.give(session, submission_id, part, score=score, reason=told, by=by)
        return _renewed(session, submission_id, before, "mark.given", by)


def withdraw(store: Store, submission_id: str, part: str, *, by: str) -> Marked:
    """Let the judge's word count again.

    Raises UnknownSubmissionError, NotGradedYetError, UnknownPartError or UnknownMarkError.
    """
    with store.write() as session:
        before = _standing(session, submission_id, part)
        if not marks.withdraw(session, submission_id, part):
            raise UnknownMarkError(part)
        return _renewed(session, submission_id, before, "mark.withdrawn", by)


def standing(session: Session, submission_id: str) -> list[Marked]:
    """Every part of a submission as a person marks it; raises UnknownSubmissionError, NotGradedYetError."""
    row = _row(session, submission_id)
    shown, judged = Feedback.from_json(row.document), feedback.judged(row)
    given = {mark.part: mark for mark in marks.in_force(session, submission_id)}
    return [
        Marked(part, said, given.get(part.id)) for part, said in zip(shown.parts, judged.parts, strict=True)
    ]


def _renewed(session: Session, submission_id: str, before: Marked, action: audit.Action, by: str) -> Marked:
    found = submissions.progress(session, submission_id)
    feedback.mark_again(session, found.attempt, by=by)
    after = _standing(session, submission_id, before.part.id)
    audit.add(
        session,
        action,
        submission_id,
        by=by,
        assignment=found.assignment,
        before=_facts(before),
        after=_facts(after),
    )
    return after


def _facts(marked: Marked) -> dict[str, object]:
    given = marked.given
    part = marked.part
    return {
        "part": part.id,
        "status": part.status,
        "score": part.score,
        "mark": None if given is None else {"score": given.score, "reason": given.reason, "by": given.by},
    }


def _standing(session: Session, submission_id: str, part: str) -> Marked:
    for marked in standing(session, submission_id):
        if marked.part.id == part:
            return marked
    raise UnknownPartError(part)


def _row(session: Session, submission_id: str) -> FeedbackRow:
    found = submissions.progress(session, submission_id)
    row = feedback.latest_row(session, found.attempt)
    if row is None:
        raise NotGradedYetError(found.state)
    return row


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise MarkRefusedError("`reason` is empty; the student reads it")
    if len(reason) > MAX_REASON:
        raise MarkRefusedError(f"`reason` is longer than {MAX_REASON} characters")
    return reason
