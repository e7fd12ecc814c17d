"""An assignment's report: what came in, and what each part became."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from grader.grades import WITHOUT_SCORE
from grader.store import assignments, due, submissions
from grader.store.assignments import Published
from grader.store.due import Dates
from grader.store.submissions import Progress
from grader.store.tables import Attempt, FeedbackRow, PartRow, Submission


class PartGrade(msgspec.Struct, frozen=True):
    """One part of one submission; ``score`` is None while there is no verdict to give one."""

    id: str
    title: str
    status: str
    score: float | None
    max_score: float
    misconception: str | None


class Row(msgspec.Struct, frozen=True):
    """One submission; ``run_status`` is None and ``parts`` is empty before its feedback.

    ``score`` is None before it too, and as long as a part is ``unjudged``: what nobody judged is no zero.
    ``late``: it came after the due date; None where there is none.
    """

    submission: str
    student: str
    number: int
    created_at: float
    state: str
    run_status: str | None = None
    score: float | None = None
    max_score: float | None = None
    parts: tuple[PartGrade, ...] = ()
    reason: str | None = None
    late: bool | None = None


class PartSummary(msgspec.Struct, frozen=True):
    """How often a part got each status, and each misconception."""

    id: str
    title: str
    max_score: float
    statuses: dict[str, int]
    misconceptions: dict[str, int]


class Report(msgspec.Struct, frozen=True):
    """All submissions to an assignment, oldest first."""

    assignment: str
    title: str
    version: str
    states: dict[str, int]
    parts: tuple[PartSummary, ...]
    submissions: tuple[Row, ...]


def build(session: Session, assignment_id: str) -> Report:
    """The report of an assignment; raises UnknownAssignmentError."""
    assignment = assignments.current(session, assignment_id)
    graded = _grades(session, assignment_id)
    dates = due.of_assignment(session, assignment_id)
    rows = tuple(
        _dated(graded.get(one.attempt) or _waiting(one), dates)
        for one in submissions.listed(session, assignment_id)
    )
    return _report(assignment, rows)


def _grades(session: Session, assignment_id: str) -> dict[str, Row]:
    """By attempt: its submission with the latest feedback."""
    latest = (
        select(func.max(FeedbackRow.id)).where(FeedbackRow.attempt_id == Attempt.id).correlate(Attempt)
    ).scalar_subquery()
    found = session.execute(
        select(Submission, Attempt, FeedbackRow)
        .join(Attempt, Attempt.submission_id == Submission.id)
        .join(FeedbackRow, FeedbackRow.id == latest)
        .where(Submission.assignment_id == assignment_id)
        # Whole documents of a whole class are megabytes that nobody reads here.
        .options(defer(FeedbackRow.document), defer(FeedbackRow.judged))
    ).all()
    parts = _parts(session, assignment_id)
    return {
        attempt.id: _graded(submission, attempt, feedback, tuple(parts.get(feedback.id, ())))
        for submission, attempt, feedback in found
    }


def _graded(
    submission: Submission, attempt: Attempt, feedback: FeedbackRow, parts: tuple[PartGrade, ...]
) -> Row:
    return Row(
        submission=submission.id,
        student=submission.student,
        number=submission.number,
        created_at=submission.created_at,
        state=attempt.state,
        run_status=feedback.run_status,
        score=None if any(part.status == "unjudged" for part in parts) else feedback.score,
        max_score=feedback.max_score,
        parts=parts,
        reason=attempt.reason,
    )


def _parts(session: Session, assignment_id: str) -> dict[str, list[PartGrade]]:
    rows = session.scalars(
        select(PartRow)
        .join(FeedbackRow, FeedbackRow.id == PartRow.feedback_id)
        .join(Attempt, Attempt.id == FeedbackRow.attempt_id)
        .join(Submission, Submission.id == Attempt.submission_id)
        .where(Submission.assignment_id == assignment_id)
        .order_by(PartRow.feedback_id, PartRow.position)
    )
    parts: dict[str, list[PartGrade]] = {}
    for row in rows:
        parts.setdefault(row.feedback_id, []).append(_part(row))
    return parts


def _part(row: PartRow) -> PartGrade:
    score = None if row.status in WITHOUT_SCORE else row.score
    return PartGrade(row.part, row.title, row.status, score, row.max_score, row.misconception)


def _dated(row: Row, dates: Dates) -> Row:
    late = dates.is_late(row.student, row.created_at)
    return row if late is None else msgspec.structs.replace(row, late=late)


def _waiting(one: Progress) -> Row:
    return Row(one.id, one.student, one.number, one.created_at, one.state)


def _report(assignment: Published, rows: tuple[Row, ...]) -> Report:
    return Report(
        assignment=assignment.id,
        title=assignment.title,
        version=assignment.version,
        states=dict(Counter(row.state for row in rows)),
        parts=_summaries(rows),
        submissions=rows,
    )


def _summaries(rows: Iterable[Row]) -> tuple[PartSummary, ...]:
    """In the order of the newest feedback, parts that only older versions had at the end."""
    by_id: dict[str, list[PartGrade]] = {}
    for row in reversed(tuple(rows)):
        for part in row.parts:
            by_id.setdefault(part.id, []).append(part)
    return tuple(
        PartSummary(
            id=name,
            title=grades[0].title,
            max_score=grades[0].max_score,
            statuses=dict(Counter(grade.status for grade in grades)),
            misconceptions=dict(Counter(grade.misconception for grade in grades if grade.misconception)),
        )
        for name, grades in by_id.items()
    )
