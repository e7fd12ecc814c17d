"""Submissions: handed in, watched, and their feedback."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import structlog
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from grader.api.access import Reader, Sender, unknown_token
from grader.api.following import STREAM_HEADERS, Mark, Watched, following, for_students
from grader.api.problems import Problem, described
from grader.api.service import Service, TheService
from grader.receive import BadRequestError, Sent, receive_notebook
from grader.store import due, submissions
from grader.store import feedback as verdicts
from grader.store.submissions import Progress
from grader.store.tables import AttemptState
from grader.store.tokens import Caller, RevokedTokenError

FORM_FIELD_BYTES = 64 << 10

router = APIRouter(prefix="/api/v1", tags=["submissions"])
log = structlog.get_logger()


class Cells(BaseModel):
    """Cell ``current`` of ``total`` code cells is running (from 1)."""

    current: int
    total: int


class SubmissionLinks(BaseModel):
    """Where to look further; ``page`` opens in the student's browser without a token."""

    self: str
    feedback: str
    events: str
    notebook: str
    page: str


class Submission(BaseModel):
    """A submission and where it stands. ``position`` counts from 1 while it waits."""

    id: str
    assignment: str
    version: str
    student: str
    number: int
    attempt: int
    state: AttemptState
    phase: str
    position: int | None
    cells: Cells | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    links: SubmissionLinks


class _JsonBody(msgspec.Struct):
    student: str
    # Kept as it was sent: the notebook is read once, where it is checked.
    notebook: msgspec.Raw


SUBMIT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["student", "notebook"],
                "properties": {
                    "student": {"type": "string"},
                    "notebook": {"type": "string", "format": "binary"},
                },
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["student", "notebook"],
                "properties": {"student": {"type": "string"}, "notebook": {"type": "object"}},
            }
        },
    },
}


@router.post(
    "/assignments/{assignment_id:path}/submissions",
    status_code=202,
    response_model=Submission,
    responses=described(400, 401, 403, 404, 409, 413, 415, 422, 429, 507),
    openapi_extra={"requestBody": SUBMIT_BODY},
)
async def submit(
    assignment_id: str,
    request: Request,
    service: TheService,
    caller: Sender,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Hand in a notebook. Answered once it is durable; ``Location`` says where to watch it.

    The same ``Idempotency-Key`` with the same request gets the same submission again.
    """
    student, notebook = await _sent(request)
    if len(notebook) > service.settings.max_notebook_bytes:
        limit = f"{service.settings.max_notebook_mib:g} MiB"
        raise Problem(
            413, "content-too-large", f"The notebook is larger than {limit}, the largest accepted here."
        )
    sent = Sent(assignment_id, student, notebook, token=caller.token, key=idempotency_key)
    try:
        receipt = await run_in_threadpool(receive_notebook, service.store, sent)
    except RevokedTokenError as error:
        service.recent.forget(caller.token)
        raise unknown_token() from error
    service.relay.wake()
    log.info("accepted", submission=receipt.submission, assignment=assignment_id, again=not receipt.created)
    found = _view(service, request, receipt.progress, caller)
    # As bytes: FastAPI would check what it is given against the model once more.
    return Response(
        found.model_dump_json(),
        status_code=202,
        headers={"Location": found.links.self},
        media_type="application/json",
    )


@router.get("/submissions/{submission_id}", responses=described(401, 403, 404, 422, 429))
def show(submission_id: str, request: Request, service: TheService, caller: Reader) -> Submission:
    """Where a submission stands: its place in the queue, the running cell, the end."""
    return _view(service, request, _progress(service, submission_id), caller)


@router.get(
    "/submissions/{submission_id}/feedback",
    response_class=Response,
    responses={
        200: {"description": "a feedback/1 document", "content": {"application/json": {}}},
        **described(401, 403, 404, 409, 422, 429),
    },
)
def feedback(submission_id: str, service: TheService, caller: Reader) -> Response:
    """The feedback of the latest attempt, as ``feedback/1``; 409 while there is none.

    Only an instructor's token gets the checks that the assignment hides from students.
    """
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
    document = _document(service, found, caller)
    if document is None:
        detail = f"There is no feedback yet: the submission is {found.state}."
        raise Problem(409, "not-graded-yet", detail, headers={"Retry-After": "1"}, state=found.state)
    return Response(document, media_type="application/json")


@router.get(
    "/submissions/{submission_id}/notebook",
    responses={200: {"content": {"application/x-ipynb+json": {}}}, **described(401, 403, 404, 409, 422, 429)},
    response_class=Response,
)
def notebook(submission_id: str, service: TheService, _caller: Reader, *, executed: bool = False) -> Response:
    """The notebook as it was accepted (nbformat 4), or with the outputs of the run.

    409 before there are any.
    """
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
    blob = found.executed if executed else found.notebook
    if blob is None:
        raise Problem(
            409, "not-graded-yet", f"The notebook has not been run: the submission is {found.state}."
        )
    headers = {"Content-Disposition": f'attachment; filename="{submission_id}.ipynb"'}
    return Response(service.store.blobs.get(blob), headers=headers, media_type="application/x-ipynb+json")


@router.get(
    "/submissions/{submission_id}/events",
    response_class=Response,
    responses={
        200: {"description": "server-sent events", "content": {"text/event-stream": {}}},
        204: {"description": "everything was told before: do not come back"},
        **described(401, 403, 404, 422, 429),
    },
)
def events(
    submission_id: str,
    request: Request,
    service: TheService,
    caller: Reader,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Server-sent events: ``progress`` at every change, ``part`` as soon as one is judged, then ``feedback``.

    Who reconnects with ``Last-Event-ID`` gets what came since; 204 where that was all.
    """
    watched = Watched(
        service,
        submission_id,
        lambda found: _view(service, request, found, caller).model_dump(mode="json"),
        whole=caller.role == "instructor",
    )
    mark = Mark.read(last_event_id)
    if watched.is_over(mark):
        return Response(status_code=204)
    return StreamingResponse(following(watched, mark), headers=STREAM_HEADERS, media_type="text/event-stream")


async def _sent(request: Request) -> tuple[str, bytes]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _sent_form(request)
    if kind == "application/json":
        return _sent_json(await request.body())
    raise Problem(415, "unsupported-media-type", "Send multipart/form-data or application/json.")


async def _sent_form(request: Request) -> tuple[str, bytes]:
    async with request.form(max_files=1, max_fields=10, max_part_size=FORM_FIELD_BYTES) as form:
        student, file = form.get("student"), form.get("notebook")
        if not isinstance(student, str):
            raise BadRequestError("the form has no field `student`")
        if not isinstance(file, UploadFile):
            raise BadRequestError("the form has no file `notebook`")
        return student, await file.read()


def _sent_json(raw: bytes) -> tuple[str, bytes]:
    try:
        body = msgspec.json.decode(raw, type=_JsonBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(f"the body is not {{student, notebook}} as JSON: {error}") from error
    return body.student, bytes(body.notebook)


def _progress(service: Service, submission_id: str) -> Progress:
    with service.store.read() as session:
        return submissions.progress(session, submission_id)


def _document(service: Service, found: Progress, caller: Caller) -> bytes | None:
    with service.store.read() as session:
        document = verdicts.latest(session, found.attempt)
        dates = due.of_assignment(session, found.assignment)
    if document is None or caller.role == "instructor":
        return document
    return for_students(service, document, dates)


def _view(service: Service, request: Request, found: Progress, caller: Caller) -> Submission:
    host = service.base(request)
    base = f"{host}/api/v1/submissions/{found.id}"
    return Submission(
        id=found.id,
        assignment=found.assignment,
        version=found.version,
        student=found.student,
        number=found.number,
        attempt=found.attempt_number,
        state=found.state,
        phase=found.phase,
        position=found.position or None,
        cells=Cells(current=found.cell, total=found.cells) if found.cells else None,
        created_at=found.created_at,
        started_at=found.started_at,
        finished_at=found.finished_at,
        links=SubmissionLinks(
            self=base,
            feedback=f"{base}/feedback",
            events=f"{base}/events",
            notebook=f"{base}/notebook",
            page=host + service.links.sign("feedback", found.id, until=caller.until),
        ),
    )
