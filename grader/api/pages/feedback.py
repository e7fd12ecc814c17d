"""A student's pages, opened by the signed link of one submission."""

from __future__ import annotations

import json

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from grader.api.access import require_turn
from grader.api.links import LinkRefusedError
from grader.api.pages.rendering import page
from grader.api.service import Service, TheService
from grader.store import assignments, submissions
from grader.store.feedback import latest
from grader.store.submissions import UnknownSubmissionError

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/feedback/{submission_id}")
def feedback(submission_id: str, service: TheService, expires: int = 0, signature: str = "") -> HTMLResponse:
    """A student's feedback; while there is none, the page loads itself again."""
    try:
        service.links.check("feedback", submission_id, expires, signature)
        require_turn(service.link_turns, submission_id)
        return _feedback(service, submission_id)
    except LinkRefusedError as refusal:
        return page("message.html", 403, title="This link does not open", text=str(refusal))
    except UnknownSubmissionError:
        return page("message.html", 404, title="Not found", text="There is no such submission.")


def _feedback(service: Service, submission_id: str) -> HTMLResponse:
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
        document = latest(session, found.attempt)
        assignment = assignments.current(session, found.assignment)
    read = json.loads(document) if document is not None else None
    return page("feedback.html", submission=found, title=assignment.title, feedback=read)
