"""An assignment's due dates, for signed-in people. No scripts."""

from __future__ import annotations

from zoneinfo import available_timezones

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from grader import due
from grader.api.instructor.page import PageRoute, html
from grader.api.service import Service, TheService
from grader.api.session import AssignmentStaff, Csrf, StaffForm
from grader.due import DueError
from grader.receive import BadRequestError, check_student
from grader.store import assignments, handed_in
from grader.store import due as due_dates
from grader.store.due import NoDueDateError, UnknownExtensionError
from grader.store.tokens import Caller

REFUSED = (DueError, BadRequestError, NoDueDateError)
NO_DUE_DATE = "Set a due date for everybody first."

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute)


@router.get("/assignments/{assignment_id:path}/due")
def due_page(assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf) -> HTMLResponse:
    """The due date with its form, and the students who have their own."""
    return _page(service, assignment_id, caller, csrf)


@router.post("/assignments/{assignment_id:path}/due")
async def change(
    assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf, form: StaffForm
) -> Response:
    """Set or clear the due date or an extension, and show how it stands."""
    return await run_in_threadpool(_changed, service, assignment_id, caller, csrf, form)


def _changed(service: Service, assignment_id: str, caller: Caller, csrf: str, form: FormData) -> Response:
    try:
        with service.store.write() as session:
            _change(session, assignment_id, form, caller.actor)
    except UnknownExtensionError:
        pass  # withdrawn a moment ago, by another click: the page shows how it stands
    except REFUSED as error:
        refusal = NO_DUE_DATE if isinstance(error, NoDueDateError) else str(error)
        return _page(service, assignment_id, caller, csrf, refusal=refusal, given=form)
    return RedirectResponse(f"/assignments/{assignment_id}/due", 303)


def _change(session: Session, assignment_id: str, form: FormData, by: str) -> None:
    wanted, student = str(form.get("do", "")), str(form.get("student", ""))
    if wanted == "clear":
        due_dates.clear(session, assignment_id, by=by)
    elif wanted == "withdraw":
        due_dates.withdraw(session, assignment_id, student, by=by)
    else:
        found = due.read_due(str(form.get("due", "")), str(form.get("zone", "")))
        if wanted == "extend":
            check_student(student)
            due_dates.extend(session, assignment_id, student, found, by=by)
        else:
            due_dates.put(session, assignment_id, found, by=by)


def _page(
    service: Service,
    assignment_id: str,
    caller: Caller,
    csrf: str,
    *,
    refusal: str = "",
    given: FormData | None = None,
) -> HTMLResponse:
    with service.store.read() as session:
        assignment = assignments.current(session, assignment_id)
        dates = due_dates.of_assignment(session, assignment_id)
        students = handed_in.students(session, assignment_id)
    return html(
        "instructor_due.html",
        422 if refusal else 200,
        title="Due date",
        assignment=assignment,
        here="due",
        dates=dates,
        is_past=due.is_past(dates.due),
        local=None if dates.due is None else due.local(dates.due),
        zone="UTC" if dates.due is None else dates.due.zone,
        zones=sorted(available_timezones()),
        students=students,
        refusal=refusal,
        given=given or {},
        caller=caller,
        csrf=csrf,
    )
