"""How the pages of signed-in people are made: templates, headers, and errors that a person can read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from grader.api import pages
from grader.api.problems import Problem
from grader.store.assignments import UnknownAssignmentError
from grader.store.submissions import UnknownSubmissionError

HEADERS = {
    # Nothing inline, nothing of other hosts; forms and frames are ours alone.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # A form's POST must tell its origin to this service, and to nobody else.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(pages.HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TITLES = {
    400: "This cannot be read",
    401: "Sign in first",
    403: "This is not yours to open",
    404: "Not found",
    409: "This does not go together",
    413: "Too large",
    422: "This cannot be used",
    429: "Too many requests",
}


def html(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template."""
    return HTMLResponse(TEMPLATES.get_template(template).render(**values), status, headers=HEADERS)


def message(status: int, text: str) -> HTMLResponse:
    """A page that says what went wrong."""
    return html("message.html", status, title=_TITLES.get(status, "This did not work"), text=text)


class PageRoute(APIRoute):
    """A route whose errors are pages; programs that do not ask for HTML get the problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the errors of its vocabulary answered."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except tuple(_STATUSES) as error:
                if "text/html" not in request.headers.get("accept", "") or _is_redirect(error):
                    raise
                return message(*_said(error))

        return answer


_STATUSES: dict[type[Exception], int] = {
    Problem: 0,
    HTTPException: 0,
    UnknownAssignmentError: 404,
    UnknownSubmissionError: 404,
    RequestValidationError: 422,
}


def _is_redirect(error: Exception) -> bool:
    return isinstance(error, Problem) and error.status < 400


def _said(error: Exception) -> tuple[int, str]:
    if isinstance(error, Problem):
        return error.status, error.detail
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    if isinstance(error, UnknownAssignmentError):
        return 404, f"There is no assignment {error} among those that you may see."
    if isinstance(error, UnknownSubmissionError):
        return 404, f"There is no submission {error} among those that you may see."
    assert isinstance(error, RequestValidationError)
    wrong = ", ".join(str(one["loc"][-1]) for one in error.errors())
    return 422, f"The address has something that cannot be used: {wrong}."
