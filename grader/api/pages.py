"""Pages for people, opened by signed links: a student's feedback, an instructor's report. Without scripts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader import report
from grader.api.access import require_turn
from grader.api.links import LinkRefusedError
from grader.api.service import Service, TheService
from grader.markdown import rendered
from grader.store import assignments, submissions
from grader.store.assignments import UnknownAssignmentError
from grader.store.feedback import latest
from grader.store.submissions import UnknownSubmissionError

HERE = Path(__file__).parent
STATIC = HERE / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}
STATUS_WORDS = {
    "correct": "correct",
    "partial": "partly correct",
    "incorrect": "not correct yet",
    "not_attempted": "not attempted",
    "error": "stopped by an error",
    "ungraded": "to think about",
    "needs_review": "waiting for a person",
    "unjudged": "not yet judged",
}
RUN_WORDS = {
    "completed": "The notebook ran from top to bottom.",
    "cell_error": "A cell of the notebook raised an error.",
    "time_limit": "The notebook took longer than it may.",
    "out_of_memory": "The notebook needed more memory than it may.",
    "output_limit": "The notebook printed more than it may.",
    "kernel_died": "The notebook's kernel died.",
    "rejected": "The file could not be run.",
    "system_error": "Something went wrong on our side. It is no fault of yours and costs no points.",
}

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


_TEMPLATES.filters.update(markdown=rendered, moment=_moment, points=_points)
_TEMPLATES.globals.update(status_words=STATUS_WORDS, run_words=RUN_WORDS)


@router.get("/feedback/{submission_id}")
def feedback(submission_id: str, service: TheService, expires: int = 0, signature: str = "") -> HTMLResponse:
    """A student's feedback; while there is none, the page loads itself again."""
    try:
        service.links.check("feedback", submission_id, expires, signature)
        require_turn(service.link_turns, submission_id)
        return _feedback(service, submission_id)
    except LinkRefusedError as refusal:
        return _page("message.html", 403, title="This link does not open", text=str(refusal))
    except UnknownSubmissionError:
        return _page("message.html", 404, title="Not found", text="There is no such submission.")


@router.get("/reports/{assignment_id:path}")
def assignment_report(
    assignment_id: str, service: TheService, expires: int = 0, signature: str = ""
) -> HTMLResponse:
    """An assignment's report for instructors."""
    try:
        service.links.check("reports", assignment_id, expires, signature)
        require_turn(service.link_turns, f"reports/{assignment_id}")
        return _report(service, assignment_id)
    except LinkRefusedError as refusal:
        return _page("message.html", 403, title="This link does not open", text=str(refusal))
    except UnknownAssignmentError:
        return _page("message.html", 404, title="Not found", text="There is no such assignment.")


def _feedback(service: Service, submission_id: str) -> HTMLResponse:
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
        document = latest(session, found.attempt)
        assignment = assignments.current(session, found.assignment)
    read = json.loads(document) if document is not None else None
    return _page("feedback.html", 200, submission=found, title=assignment.title, feedback=read)


def _report(service: Service, assignment_id: str) -> HTMLResponse:
    with service.store.read() as session:
        found = report.build(session, assignment_id)
    links = {row.submission: service.links.sign("feedback", row.submission) for row in found.submissions}
    return _page("report.html", 200, title=found.title, report=found, links=links)


def _page(template: str, status: int, **values: Any) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values), status, headers=HEADERS)
