"""How the pages of signed-in people are made: an instructor's words, and errors that a person can read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from grader.api.pages.rendering import page
from grader.api.problems import Problem
from grader.store.assignments import UnknownAssignmentError
from grader.store.submissions import UnknownSubmissionError

# As people who teach say it, in the order of a bar: what is done first, what is ours last.
WORDS = {
    "correct": "correct",
    "partial": "partial",
    "incorrect": "incorrect",
    "error": "stopped by an error",
    "not_attempted": "not attempted",
    "needs_review": "to mark",
    "ungraded": "not graded",
    "unjudged": "not judged (ours)",
}
STANDINGS = {
    "complete": ("tone-good", "every point"),
    "open": ("tone-half", "points missing"),
    "needs_review": ("tone-person", "to mark"),
    "waiting": ("tone-calm", "waiting"),
    "unjudged": ("tone-bad", "not judged (ours)"),
}
RUN_WORDS = {
    "completed": "ran to its end",
    "cell_error": "a cell raised an error",
    "time_limit": "time limit",
    "out_of_memory": "out of memory",
    "output_limit": "output limit",
    "kernel_died": "the kernel died",
    "rejected": "not run: rejected",
    "system_error": "our fault",
}
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


def seconds(value: float | None) -> str:
    """A length of time for people."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def html(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template."""
    words = {"status_words": WORDS, "run_words": RUN_WORDS, "standings": STANDINGS, "seconds": seconds}
    return page(template, status, **words | values)


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
            except KNOWN as error:
                if "text/html" not in request.headers.get("accept", "") or _is_redirect(error):
                    raise
                return message(*_said(error))

        return answer


KNOWN = (Problem, HTTPException, UnknownAssignmentError, UnknownSubmissionError, RequestValidationError)


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
