"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException

from grader.due import DueError
from grader.exporters import ExportError
from grader.marking import MarkRefusedError, NotGradedYetError, UnknownMarkError, UnknownPartError
from grader.notebooks import NotANotebookError
from grader.receive import BadRequestError
from grader.regrade import RegradeError
from grader.store import BlobsAwayError
from grader.store.acceptance import KeyReusedError
from grader.store.assignments import UnknownAssignmentError
from grader.store.due import NoDueDateError, UnknownExtensionError
from grader.store.regrades import RegradeBusyError, RegradeStateError, UnknownRegradeError
from grader.store.submissions import UnknownSubmissionError
from grader.store.webhooks import CannotSendAgainError, UnknownDeliveryError, UnknownWebhookError

MEDIA_TYPE = "application/problem+json"
NAMES = "urn:grader:problem:"
# RFC 9110's phrases, and the problem that a bare status stands for. Not Python's own phrases: these change
# from version to version, and programs look at the names.
STATUSES: dict[int, tuple[str, str]] = {
    400: ("Bad Request", "bad-request"),
    401: ("Unauthorized", "no-token"),
    403: ("Forbidden", "wrong-role"),
    404: ("Not Found", "not-found"),
    405: ("Method Not Allowed", "method-not-allowed"),
    409: ("Conflict", "conflict"),
    413: ("Content Too Large", "content-too-large"),
    415: ("Unsupported Media Type", "unsupported-media-type"),
    422: ("Unprocessable Content", "invalid-request"),
    429: ("Too Many Requests", "too-many-requests"),
    500: ("Internal Server Error", "internal-error"),
    503: ("Service Unavailable", "database-unavailable"),
    507: ("Insufficient Storage", "storage-full"),
}
RETRY_SECONDS = "5"
# What a bare status of the OpenAPI document says for example.
EXAMPLES = {
    400: "There was an error parsing the body",
    401: "Send a token: `Authorization: Bearer gr_…`.",
    403: "This needs a token of the role instructor; yours has the role lms.",
    404: "There is no such submission: 0000",
    409: "There is no feedback yet: the submission is queued.",
    413: "The notebook is larger than 10 MiB, the largest accepted here.",
    415: "Send multipart/form-data or application/json.",
    422: "`student` is empty",
    429: "More requests than are answered at once; go on in 0.4 s.",
}
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
# How SQLite says it, and how PostgreSQL does ("No space left on device" is the system's own text).
FULL = re.compile("database or disk is full|no space left on device", re.IGNORECASE)

log = structlog.get_logger()


class Problem(Exception):  # noqa: N818 - RFC 9457's own name
    """An answer that says what went wrong; ``name`` ends the problem's type URI and never changes."""

    def __init__(
        self, status: int, name: str, detail: str, *, headers: dict[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = headers
        self.members = members

    def document(self) -> dict[str, object]:
        """The JSON object."""
        title, _ = STATUSES[self.status]
        known: dict[str, object] = {"type": NAMES + self.name, "title": title, "status": self.status}
        return known | {"detail": self.detail} | self.members

    def response(self) -> Response:
        """The HTTP answer."""
        return JSONResponse(self.document(), self.status, headers=self.headers, media_type=MEDIA_TYPE)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for the OpenAPI document."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict[str, Any]:
    title, name = STATUSES[status]
    example = Problem(status, name, EXAMPLES.get(status, f"{title}.")).document()
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": title, "content": content}


def _document(_request: Request, problem: Problem) -> Response:
    return problem.response()


def install(app: FastAPI, bug: Callable[[Request, Problem], Response] = _document) -> None:
    """Answer every error of the service's vocabulary with its problem document; our own bugs, which no
    middleware sees, as ``bug`` says.
    """

    @app.exception_handler(Problem)
    async def _problem(_request: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> Response:
        status = error.status_code
        if status not in STATUSES:
            status = 400 if status < 500 else 500
        headers = dict(error.headers) if error.headers else None
        return Problem(status, STATUSES[status][1], str(error.detail), headers=headers).response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        mistakes = [{"where": list(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
        return Problem(422, "invalid-request", "The request has unusable fields.", errors=mistakes).response()

    @app.exception_handler(DBAPIError)
    @app.exception_handler(NoConnectionError)
    async def _database(_request: Request, error: Exception) -> Response:
        log.error("the database failed", exc_info=error)
        if FULL.search(str(error)):
            return _storage_full()
        detail = "The database does not answer. Nothing was changed; send the request again."
        return Problem(503, "database-unavailable", detail, headers={"Retry-After": RETRY_SECONDS}).response()

    @app.exception_handler(Exception)
    async def _bug(request: Request, _error: Exception) -> Response:
        # The error itself goes on to the server's log, under the same id.
        headers = {"X-Request-ID": request.scope["request_id"]}
        detail = "Something went wrong on our side."
        return bug(request, Problem(500, "internal-error", detail, headers=headers))

    app.add_exception_handler(BlobsAwayError, _blobs_away)
    app.add_exception_handler(OSError, _disk_failed)
    for kind, status, name in KNOWN:
        app.add_exception_handler(kind, _answer(status, name))


async def _blobs_away(_request: Request, error: Exception) -> Response:
    log.error("the blobs failed", exc_info=error)
    if _is_for_want_of_space(error.__cause__):
        return _storage_full()
    detail = "The store of notebooks does not answer. Nothing was changed; send the request again."
    return Problem(503, "blobs-unavailable", detail, headers={"Retry-After": RETRY_SECONDS}).response()


async def _disk_failed(_request: Request, error: Exception) -> Response:
    if not _is_for_want_of_space(error):
        raise error
    log.error("no space to store what came", exc_info=error)
    return _storage_full()


def _is_for_want_of_space(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in NO_SPACE


def _storage_full() -> Response:
    detail = "There is no space left to store this. Nothing was changed; send the request again later."
    return Problem(507, "storage-full", detail, headers={"Retry-After": RETRY_SECONDS}).response()


KNOWN: tuple[tuple[type[Exception], int, str], ...] = (
    (UnknownAssignmentError, 404, "unknown-assignment"),
    (UnknownSubmissionError, 404, "unknown-submission"),
    (UnknownWebhookError, 404, "unknown-webhook"),
    (UnknownDeliveryError, 404, "unknown-delivery"),
    (CannotSendAgainError, 409, "cannot-send-again"),
    (UnknownRegradeError, 404, "unknown-regrade"),
    (UnknownPartError, 404, "unknown-part"),
    (UnknownMarkError, 404, "unknown-mark"),
    (UnknownExtensionError, 404, "unknown-extension"),
    (NoDueDateError, 409, "no-due-date"),
    (DueError, 422, "invalid-due-date"),
    (RegradeBusyError, 409, "regrade-running"),
    (RegradeStateError, 409, "regrade-state"),
    (NotGradedYetError, 409, "not-graded-yet"),
    (RegradeError, 422, "unknown-version"),
    (MarkRefusedError, 422, "invalid-mark"),
    (ExportError, 422, "cannot-export"),
    (NotANotebookError, 422, "not-a-notebook"),
    (BadRequestError, 422, "invalid-request"),
    (KeyReusedError, 409, "idempotency-key-reused"),
)
DETAILS = {
    "unknown-assignment": "No assignment is published under this id: {}",
    "unknown-submission": "There is no such submission: {}",
    "unknown-regrade": "The assignment has no such regrade: {}",
    "unknown-part": "The submission has no such part: {}",
    "unknown-extension": "The student has no due date of his own: {}",
    "no-due-date": "Set a due date first; without one there is nothing to extend: {}",
    "unknown-mark": "No person has marked this part: {}",
    "regrade-running": "Wait, or discard it: {}",
    "not-graded-yet": "There is no verdict to mark yet: the submission is {}.",
    "unknown-webhook": "The course has no such webhook: {}",
    "unknown-delivery": "Nothing with this id was to be sent to the webhook: {}",
    "cannot-send-again": "This cannot be sent again: {}.",
    "idempotency-key-reused": "This Idempotency-Key was sent before with another request: {}",
}


def _answer(status: int, name: str) -> Any:
    async def handle(_request: Request, error: Exception) -> Response:
        return Problem(status, name, DETAILS.get(name, "{}").format(error)).response()

    return handle
