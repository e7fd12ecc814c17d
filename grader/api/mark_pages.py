"""Marking by hand and exports, for signed-in people. No scripts."""

from __future__ import annotations

import base64

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from grader import marking, roster
from grader.api.exporting import FEEDBACK_ZIP, bundled, exported, streamed, zipped
from grader.api.instructor.page import PageRoute, html
from grader.api.problems import DETAILS, Problem
from grader.api.service import Service, TheService
from grader.api.session import AssignmentStaff, Csrf, StaffForm, SubmissionStaff
from grader.exporters import Export, ExportError, formats
from grader.marking import MarkRefusedError, NotGradedYetError, UnknownMarkError, UnknownPartError
from grader.store import assignments, submissions
from grader.store.submissions import Progress
from grader.store.tokens import Caller

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute)

IN_PAGE = 16 << 20


@router.get("/submissions/{submission_id}/marks")
def marks(submission_id: str, service: TheService, caller: SubmissionStaff, csrf: Csrf) -> HTMLResponse:
    """Every part of a submission, with what the judge said and a form for a person's points."""
    return _marks(service, submission_id, caller, csrf)


@router.post("/submissions/{submission_id}/marks")
async def mark(
    submission_id: str, service: TheService, caller: SubmissionStaff, csrf: Csrf, form: StaffForm
) -> Response:
    """Give or withdraw the points of one part, and show the submission again."""
    return await run_in_threadpool(_marked, service, submission_id, caller, csrf, form)


def _marked(service: Service, submission_id: str, caller: Caller, csrf: str, form: FormData) -> Response:
    part = str(form.get("part", ""))
    try:
        if "withdraw" in form:
            marking.withdraw(service.store, submission_id, part, by=caller.actor)
        else:
            score, reason = _points(str(form.get("score", ""))), str(form.get("reason", ""))
            marking.give(service.store, submission_id, part, score=score, reason=reason, by=caller.actor)
    except MarkRefusedError as error:
        return _marks(service, submission_id, caller, csrf, refusal=str(error), about=part, given=form)
    except UnknownMarkError:
        pass  # withdrawn a moment ago, by another click: the page shows how it stands
    except (UnknownPartError, NotGradedYetError) as error:
        raise _problem(error) from error
    return RedirectResponse(f"/submissions/{submission_id}/marks#{part}", 303)


def _points(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise MarkRefusedError(f"`score` is no number: {text!r}") from error


def _marks(
    service: Service,
    submission_id: str,
    caller: Caller,
    csrf: str,
    *,
    refusal: str = "",
    about: str = "",
    given: FormData | None = None,
) -> HTMLResponse:
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
        assignment = assignments.current(session, found.assignment)
        to_mark = _to_mark(session, found)
        try:
            parts = marking.standing(session, submission_id)
        except NotGradedYetError as error:
            raise _problem(error) from error
    return html(
        "mark_submission.html",
        422 if refusal else 200,
        submission=found,
        title=f"Mark {found.student}",
        here="roster",
        assignment=assignment,
        caller=caller,
        parts=parts,
        to_mark=to_mark,
        csrf=csrf,
        refusal=refusal,
        about=about,
        given=given or {},
    )


def _to_mark(session: Session, found: Progress) -> list[str]:
    """The other students' submissions that wait for a person, by name, from this student on and round."""
    waiting = [each for each in roster.to_mark(session, found.assignment) if each[0] != found.student]
    waiting.sort(key=lambda each: (each[0].casefold() <= found.student.casefold(), each[0].casefold()))
    return [submission for _, submission in waiting]


def _problem(error: Exception) -> Problem:
    if isinstance(error, NotGradedYetError):
        return Problem(409, "not-graded-yet", DETAILS["not-graded-yet"].format(error))
    return Problem(404, "unknown-part", DETAILS["unknown-part"].format(error))


@router.get("/assignments/{assignment_id:path}/export")
def export_form(assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf) -> HTMLResponse:
    """Choose a format; give the gradebook or worksheet that it fills in."""
    return _export(service, assignment_id, caller, csrf)


@router.post("/assignments/{assignment_id:path}/export")
async def export_file(
    assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf, form: StaffForm
) -> HTMLResponse:
    """The file as a link on a page, beside the remarks on who was left out and why."""
    sent = form.get("template")
    template = await sent.read() if isinstance(sent, UploadFile) else b""
    return await run_in_threadpool(_exported, service, assignment_id, caller, csrf, form, template or None)


@router.get("/assignments/{assignment_id:path}/feedback.zip", response_class=StreamingResponse)
def feedback_zip(assignment_id: str, service: TheService, _caller: AssignmentStaff) -> StreamingResponse:
    """A folder a student."""
    return zipped(service, assignment_id, None)


@router.post("/assignments/{assignment_id:path}/feedback.zip", response_model=None)
async def feedback_into(
    assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf, form: StaffForm
) -> Response:
    """The same under the names of a learning system's download; who is left out is told on a page first."""
    sent = form.get("download")
    download = await sent.read() if isinstance(sent, UploadFile) else b""
    return await run_in_threadpool(_returned, service, assignment_id, caller, csrf, form, download)


def _returned(  # noqa: PLR0917 - as the route has them
    service: Service, assignment_id: str, caller: Caller, csrf: str, form: FormData, download: bytes
) -> Response:
    try:
        back = bundled(service, assignment_id, download)
    except ExportError as error:
        return _export(service, assignment_id, caller, csrf, refusal=str(error))
    if not back.remarks or "told" in form:
        return streamed(back)
    with back.made as file:
        content = file.read(IN_PAGE + 1)
    # Not every browser saves a link that holds a very large file: that one is asked for once more.
    content = b"" if len(content) > IN_PAGE else content
    made = Export(content, "application/zip", FEEDBACK_ZIP, back.remarks)
    return _export(service, assignment_id, caller, csrf, made=made)


def _exported(  # noqa: PLR0917 - as the route has them
    service: Service, assignment_id: str, caller: Caller, csrf: str, form: FormData, template: bytes | None
) -> HTMLResponse:
    wanted, column = str(form.get("format", "plain")), str(form.get("column", "")).strip() or None
    try:
        made = exported(service, assignment_id, wanted, template, column)
    except ExportError as error:
        return _export(service, assignment_id, caller, csrf, refusal=str(error), wanted=wanted)
    return _export(service, assignment_id, caller, csrf, made=made, wanted=wanted)


def _export(
    service: Service,
    assignment_id: str,
    caller: Caller,
    csrf: str,
    *,
    made: Export | None = None,
    refusal: str = "",
    wanted: str = "plain",
) -> HTMLResponse:
    with service.store.read() as session:
        assignment = assignments.current(session, assignment_id)
    return html(
        "mark_export.html",
        422 if refusal else 200,
        title="Export",
        here="export",
        caller=caller,
        assignment=assignment,
        formats=formats(),
        wanted=wanted,
        made=made,
        link=_link(made) if made is not None and made.content else "",
        csrf=csrf,
        refusal=refusal,
    )


def _link(made: Export) -> str:
    """The file inside the page: nothing of it is kept here after the answer."""
    kind = made.media_type.replace(" ", "")
    return f"data:{kind};base64,{base64.b64encode(made.content).decode()}"
