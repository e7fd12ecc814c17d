"""Courses and assignments with what has come in, counted in one statement."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from sqlalchemy import ColumnElement, case, distinct, func, select
from sqlalchemy.orm import Session

from grader.roster import NEWEST_ATTEMPT
from grader.store.courses import course_of
from grader.store.tables import Assignment, AssignmentVersion, Attempt, Submission
from grader.store.tokens import Caller


class Course(msgspec.Struct, frozen=True):
    """A course with its assignments."""

    name: str
    assignments: tuple[Listed, ...]


class Listed(msgspec.Struct, frozen=True):
    """An assignment as a list shows it; ``newest_at`` is None before anybody handed in."""

    id: str
    title: str
    published_at: float
    students: int
    submissions: int
    waiting: int
    parked: int
    newest_at: float | None


def seen_by(session: Session, caller: Caller) -> list[Course]:
    """The courses in the caller's scope, by name."""
    by_course: dict[str, list[Listed]] = {}
    for row in session.execute(_LISTED):
        found = Listed(*cast(Any, row))
        if caller.sees(found.id):
            by_course.setdefault(course_of(found.id), []).append(found)
    return [Course(name, tuple(found)) for name, found in by_course.items()]


def _counted(*states: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((Attempt.state.in_(states), 1), else_=0)), 0)


_LISTED = (
    select(
        Assignment.id, AssignmentVersion.title, Assignment.published_at,
        func.count(distinct(Submission.student)), func.count(Submission.id),
        _counted("queued", "running"), _counted("parked"), func.max(Submission.created_at),
    )
    .select_from(Assignment)
    .join(AssignmentVersion, AssignmentVersion.version == Assignment.version)
    .outerjoin(Submission, Submission.assignment_id == Assignment.id)
    .outerjoin(Attempt, Attempt.id == NEWEST_ATTEMPT)
    .group_by(Assignment.id, AssignmentVersion.title, Assignment.published_at)
    .order_by(Assignment.id)
)  # fmt: skip
