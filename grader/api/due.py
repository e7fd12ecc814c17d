"""Due dates, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from grader import due
from grader.api.access import AssignmentInstructor
from grader.api.problems import described
from grader.api.service import Service, TheService
from grader.receive import MAX_STUDENT, check_student
from grader.store import assignments
from grader.store import due as due_dates
from grader.store.due import Due

router = APIRouter(prefix="/api/v1/assignments", tags=["due dates"])
MAX_TEXT = 64
Moment = Annotated[
    str,
    Field(
        max_length=MAX_TEXT,
        description="ISO 8601, with an offset unless `zone` is given",
        examples=["2026-12-01T23:59:00+01:00"],
    ),
]
Zone = Annotated[
    str | None, Field(max_length=MAX_TEXT, description="the zone it is told in: an IANA name or an offset")
]
Student = Annotated[str, Field(min_length=1, max_length=MAX_STUDENT)]


class NewDueDate(BaseModel):
    """When an assignment is due."""

    due: Moment
    zone: Zone = None


class NewExtension(BaseModel):
    """One student's own due date."""

    student: Student
    due: Moment
    zone: Zone = None


class Extended(BaseModel):
    """One student's own due date, as it is told in ``zone``."""

    student: str
    due: str
    zone: str


class DueDates(BaseModel):
    """An assignment's due date (ISO 8601 with its offset; null: none) and the students who have their own."""

    assignment: str
    due: str | None
    zone: str | None
    extensions: list[Extended]


@router.get("/{assignment_id:path}/due", responses=described(401, 403, 404, 429))
def show(assignment_id: str, service: TheService, _caller: AssignmentInstructor) -> DueDates:
    """When the assignment is due, and for whom later."""
    return _view(service, assignment_id)


@router.put("/{assignment_id:path}/due", responses=described(400, 401, 403, 404, 422, 429))
def put(assignment_id: str, body: NewDueDate, service: TheService, caller: AssignmentInstructor) -> DueDates:
    """Set the due date. Students see what waits for it from that moment on; nothing is run or judged."""
    found = due.read_due(body.due, body.zone)
    with service.store.write() as session:
        due_dates.put(session, assignment_id, found, by=caller.actor)
    return _view(service, assignment_id)


@router.delete("/{assignment_id:path}/due", status_code=204, responses=described(401, 403, 404, 429))
def clear(assignment_id: str, service: TheService, caller: AssignmentInstructor) -> Response:
    """Take the due date away, with every extension: what waits for it stays hidden."""
    with service.store.write() as session:
        due_dates.clear(session, assignment_id, by=caller.actor)
    return Response(status_code=204)


@router.put("/{assignment_id:path}/extensions", responses=described(400, 401, 403, 404, 409, 422, 429))
def extend(
    assignment_id: str, body: NewExtension, service: TheService, caller: AssignmentInstructor
) -> DueDates:
    """Give one student a due date of his own; 409 where the assignment has none.

    It counts where it is later than the assignment's.
    """
    check_student(body.student)
    found = due.read_due(body.due, body.zone)
    with service.store.write() as session:
        due_dates.extend(session, assignment_id, body.student, found, by=caller.actor)
    return _view(service, assignment_id)


@router.delete(
    "/{assignment_id:path}/extensions", status_code=204, responses=described(401, 403, 404, 422, 429)
)
def withdraw(
    assignment_id: str,
    service: TheService,
    caller: AssignmentInstructor,
    student: Annotated[str, Query(min_length=1, max_length=MAX_STUDENT)],
) -> Response:
    """Let the assignment's due date count for the student again."""
    with service.store.write() as session:
        due_dates.withdraw(session, assignment_id, student, by=caller.actor)
    return Response(status_code=204)


def _view(service: Service, assignment_id: str) -> DueDates:
    with service.store.read() as session:
        assignments.current(session, assignment_id)
        found = due_dates.of_assignment(session, assignment_id)
    return DueDates(
        assignment=assignment_id,
        due=None if found.due is None else due.iso(found.due),
        zone=None if found.due is None else found.due.zone,
        extensions=[_extended(student, own) for student, own in found.extensions.items()],
    )


def _extended(student: str, own: Due) -> Extended:
    return Extended(student=student, due=due.iso(own), zone=own.zone)
