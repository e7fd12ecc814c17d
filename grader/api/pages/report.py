"""An assignment's report for instructors, opened by a signed link."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from grader import report
from grader.api.access import require_turn
from grader.api.links import LinkRefusedError
from grader.api.pages.rendering import page, refusal, refused_words
from grader.api.service import Service, TheService
from grader.store.assignments import UnknownAssignmentError

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/reports/{assignment_id:path}")
def assignment_report(
    assignment_id: str, service: TheService, expires: int = 0, signature: str = ""
) -> HTMLResponse:
    """An assignment's report for instructors."""
    try:
        service.links.check("reports", assignment_id, expires, signature)
        require_turn(service.link_turns, f"reports/{assignment_id}")
        return _report(service, assignment_id)
    except LinkRefusedError as error:
        return refusal(403, "This link does not open", refused_words(error))
    except UnknownAssignmentError:
        return refusal(404, "Not found", "There is no such assignment.")


def _report(service: Service, assignment_id: str) -> HTMLResponse:
    with service.store.read() as session:
        found = report.build(session, assignment_id)
    links = {row.submission: service.links.sign("feedback", row.submission) for row in found.submissions}
    return page("report.html", title=found.title, report=found, links=links)
