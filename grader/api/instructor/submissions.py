"""One submission: its verdict, what its notebook computed, how long that took, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import nbformat
import structlog
from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from checks.assignment import Assignment
from checks.evidence import BadFrameError, Evidence
from checks.feedback import Feedback
from checks.judge import decided_by
from grader import roster
from grader.annotate import annotated
from grader.api.instructor import tables
from grader.api.instructor.page import PageRoute, html
from grader.api.instructor.tables import Format
from grader.api.pages.rendering import PRIVATE, fill
from grader.api.problems import Problem
from grader.api.service import Service, TheService
from grader.api.session import Csrf, SubmissionStaff
from grader.notebook_page import highlight_css, notebook_html
from grader.store import assignments, audit, due, submissions
from grader.store.blobs import BlobMissingError
from grader.store.feedback import latest_row
from grader.store.submissions import Progress
from grader.store.tables import Attempt
from grader.wording import kind, short

# A page that a student's notebook wrote: it may show text and pictures of its own, and nothing else.
FRAME_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
HEAD = ("part", "variable", "type", "value")

AUDIT_WORDS = {
    "verdict.written": "judged",
    "mark.given": "marked by hand",
    "mark.withdrawn": "mark withdrawn",
    "regrade.applied": "regrade applied",
    "regrade.undone": "regrade undone",
}

log = structlog.get_logger()
router = APIRouter(include_in_schema=False, route_class=PageRoute)


class Variable(msgspec.Struct, frozen=True):
    """A part's variable as the evidence has it."""

    part: str
    name: str
    kind: str
    text: str
    answer: bool


@router.get("/submissions/{submission_id}/executed")
def executed(submission_id: str, service: TheService, _caller: SubmissionStaff) -> HTMLResponse:
    """The notebook with the run's outputs and each part's feedback, for a frame that can do nothing."""
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
        row = latest_row(session, found.attempt)
    if found.executed is None or row is None:
        raise Problem(404, "not-graded-yet", "This submission has not been run.")
    try:
        notebook = annotated(service.store.blobs.get(found.executed), Feedback.from_json(row.document))
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise Problem(404, "no-notebook", "What was handed in is no notebook.") from error
    page = fill("instructor_notebook.html", css=Markup(highlight_css()), body=notebook_html(notebook))
    return HTMLResponse(page, headers={"Content-Security-Policy": FRAME_POLICY, **PRIVATE})


@router.get("/submissions/{submission_id}")
def submission_page(
    submission_id: str,
    service: TheService,
    caller: SubmissionStaff,
    csrf: Csrf,
    format: Format = "html",  # noqa: A002 - the parameter's name
) -> Response:
    """Everything that is known of one submission."""
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
        published = assignments.current(session, found.assignment)
        row = latest_row(session, found.attempt)
        others = roster.lines(session, found.assignment, student=found.student)
        attempts = _attempts(session, submission_id)
        changed = audit.of_subject(session, found.assignment, submission_id)
        dates = due.of_assignment(session, found.assignment)
    evidence = _evidence(service, row.evidence if row else None)
    assignment = service.assignment(row.version if row else found.version)
    variables = _variables(assignment, evidence) if evidence else []
    if format != "html":
        rows = [(each.part, each.name, each.kind, each.text) for each in variables]
        return tables.answer(format, f"{submission_id}-evidence", HEAD, rows)
    return html(
        "instructor_submission.html",
        title=found.student,
        assignment=published,
        here="roster",
        submission=found,
        line=next(line for line in others if line.submission == submission_id),
        verdict=Feedback.from_json(row.document) if row else None,
        row=row,
        evidence=evidence,
        variables=variables,
        attempts=attempts,
        others=others,
        audit=changed,
        audit_words=AUDIT_WORDS,
        due=dates.of(found.student),
        late=dates.is_late(found.student, found.created_at),
        position=_position(found),
        feedback_link=service.links.sign("feedback", submission_id),
        caller=caller,
        csrf=csrf,
    )


def _attempts(session: Session, submission_id: str) -> Sequence[Attempt]:
    wanted = select(Attempt).where(Attempt.submission_id == submission_id)
    return session.scalars(wanted.order_by(Attempt.number.desc())).all()


def _evidence(service: Service, name: str | None) -> Evidence | None:
    if name is None:
        return None
    try:
        return Evidence.from_bytes(service.store.blobs.get(name))
    except (BlobMissingError, msgspec.DecodeError) as error:
        log.error("an evidence cannot be read", evidence=name, error=str(error))
        return None


def _variables(assignment: Assignment, evidence: Evidence) -> list[Variable]:
    """The values that decided each part, in the order of the spec."""
    made = []
    for part in assignment.parts:
        try:
            values = decided_by(part, evidence)
        except BadFrameError as error:
            made.append(Variable(part.id, "–", "unreadable", str(error), answer=False))
            continue
        for name, variable in part.variables.items():
            if name in values:
                node = values[name]
                made.append(Variable(part.id, name, kind(node), short(node), variable.role == "answer"))
    return made


def _position(found: Progress) -> str:
    """Where an unfinished submission is, in words."""
    if found.state == "queued":
        return f"number {found.position} in the queue" if found.position else "waiting"
    if found.state == "running":
        return f"cell {found.cell} of {found.cells}" if found.cells else "starting"
    return ""
