"""Many verdicts at once, for regrades: the rules of ``feedback.add`` for a whole class in a few statements.

The caller's transaction holds SQLite's one write lock while this goes on, so nothing is asked or written one
submission at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from checks.feedback import Feedback
from grader.store import audit, changes, feedback, marks, outbox
from grader.store.tables import Attempt, FeedbackRow, PartRow, Submission, id_after, new_id


class Rewritten(msgspec.Struct, frozen=True):
    """What the judge says of an attempt from now on, and the id of the verdict that it takes the place of.

    ``judged`` is a ``feedback/1`` document without a person's marks.
    """

    attempt: str
    submission: str
    judged: bytes
    evidence: str | None
    before: str


class Author(msgspec.Struct, frozen=True):
    """Who causes the verdicts, for the audit log; ``regrade`` where a regrade wrote them."""

    by: str
    assignment: str
    regrade: str | None = None


class _Written(msgspec.Struct, frozen=True):
    """A verdict about to be inserted; ``judged`` is None where no mark changed what the judge said."""

    id: str
    new: Rewritten
    verdict: Feedback
    document: bytes
    judged: bytes | None


def add_all(session: Session, new: Sequence[Rewritten], author: Author) -> dict[str, str]:
    """Store the verdicts with a person's marks; returns each one's id by attempt.

    Each ``before`` must be the newest verdict of its submission. Where nothing but the assignment's version
    differs, the verdict is stored, but there is nothing to tell anybody.
    """
    if not new:
        return {}
    given = marks.all_in_force(session, [each.submission for each in new])
    written = [_overlaid(each, given.get(each.submission, ())) for each in new]
    connection = session.connection()
    connection.execute(insert(FeedbackRow), [_feedback_values(each, author) for each in written])
    parts = [row for each in written for row in feedback.part_values(each.id, each.verdict)]
    if parts:
        connection.execute(insert(PartRow), parts)
    _tell(session, written, author)
    return {each.new.attempt: each.id for each in written}


def _overlaid(new: Rewritten, given: Sequence[marks.Given]) -> _Written:
    judged = Feedback.from_json(new.judged)
    verdict = marks.overlaid(judged, given)
    own = new_id()
    # After the one that it replaces: within a millisecond, or on a clock set back.
    made = own if own > new.before else id_after(new.before)
    if verdict is judged:
        return _Written(made, new, judged, new.judged, None)
    return _Written(made, new, verdict, verdict.to_json(), new.judged)


def _feedback_values(each: _Written, author: Author) -> dict[str, object]:
    verdict = each.verdict
    return {
        "id": each.id,
        "attempt_id": each.new.attempt,
        "version": verdict.assignment.version,
        "evidence": each.new.evidence,
        "run_status": verdict.run.status,
        "score": verdict.score,
        "max_score": verdict.max_score,
        "run_seconds": verdict.run.seconds,
        "document": each.document,
        "judged": each.judged,
        "regrade": author.regrade,
        "created_at": time.time(),
    }


def _tell(session: Session, written: Sequence[_Written], author: Author) -> None:
    """Audit entries and events of those whose verdict says something else than before."""
    old = documents(session, [each.new.before for each in written])
    changed = [(each, Feedback.from_json(old[each.new.before])) for each in written]
    changed = [(each, before) for each, before in changed if changes.tells_more(before, each.verdict)]
    audit.add_all(
        session,
        "verdict.written",
        author.assignment,
        by=author.by,
        facts=[
            (each.new.submission, changes.mark(before), changes.mark(each.verdict))
            for each, before in changed
        ],
    )
    about = _about(session, [each.new.attempt for each, _ in changed])
    outbox.announce_all(
        session,
        "feedback.changed",
        author.assignment,
        [about[each.new.attempt] | changes.mark(each.verdict) for each, _ in changed],
    )


def _about(session: Session, attempts: Sequence[str]) -> Mapping[str, dict[str, object]]:
    rows = session.execute(
        select(Attempt.id, Attempt.number, Attempt.state, Submission)
        .join(Submission, Submission.id == Attempt.submission_id)
        .where(Attempt.id.in_(attempts))
    )
    return {row[0]: changes.data(row[1], row[2], row[3]) for row in rows}


def documents(session: Session, ids: Iterable[str]) -> dict[str, bytes]:
    """The documents of verdicts by their ids."""
    wanted = list(ids)
    rows = session.execute(select(FeedbackRow.id, FeedbackRow.document).where(FeedbackRow.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}
