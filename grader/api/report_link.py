"""An assignment's report for instructors, opened by a signed link."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from grader.api.access import require_turn
from grader.api.instructor import report
from grader.api.links import LinkRefusedError
from grader.api.pages.rendering import refusal, refused_words
from grader.api.service import TheService
from grader.store import assignments
from grader.store.assignments import UnknownAssignmentError

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/reports/{assignment_id:path}")
def assignment_report(
    assignment_id: str, service: TheService, expires: int = 0, signature: str = ""
) -> HTMLResponse:
    """The same page as for those who signed in, for whoever holds the link."""
    try:
        service.links.check("reports", assignment_id, expires, signature)
        require_turn(service.link_turns, f"reports/{assignment_id}")
        with service.store.read() as session:
            found = assignments.current(session, assignment_id)
        return report.page(service, found, report.Reader(until=expires))
    except LinkRefusedError as error:
        return refusal(403, "This link does not open", refused_words(error))
    except UnknownAssignmentError:
        return refusal(404, "Not found", "There is no such assignment.")
