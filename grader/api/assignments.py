"""Assignments: published and listed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from checks.errors import BundleError, SpecError
from grader import due
from grader.api.access import AnyCaller, Instructor
from grader.api.problems import Problem, described
from grader.api.service import Service, TheService
from grader.receive import OtherCourseError, receive_bundle
from grader.store import assignments
from grader.store import due as due_dates
from grader.store.assignments import Published
from grader.store.due import Due

ARCHIVE_BODY: dict[str, Any] = {
    "required": True,
    "description": "a packed bundle, as `grader assignment pack` writes it",
    "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
}

router = APIRouter(prefix="/api/v1/assignments", tags=["assignments"])


class Assignment(BaseModel):
    """An assignment and the version in force; ``due`` is ISO 8601 with an offset, null without a due date."""

    id: str
    title: str
    version: str
    environment: str
    published_at: float
    due: str | None = None


class Assignments(BaseModel):
    """All assignments, by id."""

    assignments: list[Assignment]


@router.get("", responses=described(401, 403, 429))
def listed(service: TheService, caller: AnyCaller) -> Assignments:
    """All assignments of the token's course, or of every course."""
    with service.store.read() as session:
        found = [one for one in assignments.listed(session) if caller.sees(one.id)]
        dates = due_dates.of_all(session, (one.id for one in found))
    return Assignments(assignments=[_view(one, dates.get(one.id)) for one in found])


@router.post(
    "",
    responses=described(401, 403, 413, 422, 429),
    openapi_extra={"requestBody": ARCHIVE_BODY},
    status_code=201,
)
async def publish(
    request: Request, response: Response, service: TheService, caller: Instructor
) -> Assignment:
    """Put a version in force. Publishing the same bundle again changes nothing."""
    archive = await request.body()
    try:
        found = await run_in_threadpool(receive_bundle, service.store, archive, caller)
    except SpecError as error:
        detail = "The assignment has mistakes."
        raise Problem(422, "bad-assignment", detail, mistakes=[str(one) for one in error.problems]) from error
    except OtherCourseError as error:
        detail = f"Your token is for the course {caller.course}; the assignment is {error}."
        raise Problem(403, "wrong-course", detail) from error
    except BundleError as error:
        raise Problem(422, "bad-archive", f"The body is no packed bundle: {error}") from error
    response.headers["Location"] = service.url(request, f"/api/v1/assignments/{found.id}")
    return _view(found, await run_in_threadpool(_dated, service, found.id))


def _dated(service: Service, assignment_id: str) -> Due | None:
    with service.store.read() as session:
        return due_dates.of_assignment(session, assignment_id).due


def _view(found: Published, dated: Due | None) -> Assignment:
    return Assignment(
        id=found.id,
        title=found.title,
        version=found.version,
        environment=found.environment,
        published_at=found.published_at,
        due=None if dated is None else due.iso(dated),
    )
