"""Reports for programs."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from grader import report
from grader.api.access import AssignmentInstructor
from grader.api.problems import described
from grader.api.service import TheService

router = APIRouter(prefix="/api/v1/assignments", tags=["reports"])


class ReportPage(BaseModel):
    """Where the report opens in a browser, without a token."""

    page: str


@router.get(
    "/{assignment_id:path}/report",
    responses={200: {"content": {"application/json": {}}}, **described(401, 403, 404, 429)},
    response_class=Response,
)
def show(assignment_id: str, service: TheService, _caller: AssignmentInstructor) -> Response:
    """Every submission with its parts, and how often each part got each status."""
    with service.store.read() as session:
        found = report.build(session, assignment_id)
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.get("/{assignment_id:path}/report-page", responses=described(401, 403, 404, 429))
def page(
    assignment_id: str, request: Request, service: TheService, _caller: AssignmentInstructor
) -> ReportPage:
    """A signed link to the report's page."""
    with service.store.read() as session:
        report.build(session, assignment_id)
    return ReportPage(page=service.url(request, service.links.sign("reports", assignment_id)))
