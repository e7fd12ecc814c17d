"""How the pages of signed-in people are made: an instructor's words, and errors that a person can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from grader.api.links import CHANGED, LinkRefusedError
from grader.api.pages.notebook import framed_refusal
from grader.api.pages.rendering import page, refusal, refused_words
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
    "unjudged": "not judged",
}
STANDINGS = {
    "complete": ("tone-good", "full score"),
    "open": ("tone-half", "points missing"),
    "needs_review": ("tone-person", "to mark"),
    "waiting": ("tone-calm", "waiting"),
    "unjudged": ("tone-bad", "not judged"),
}
RUN_WORDS = {
    "completed": "ran to its end",
    "cell_error": "a cell raised an error",
    "time_limit": "stopped at the time limit",
    "out_of_memory": "stopped at the memory limit",
    "output_limit": "stopped at the output limit",
    "kernel_died": "the kernel died",
    "rejected": "not run: rejected",
    "system_error": "fault of the grader",
}
BY_LINK = ("/feedback/", "/reports/")
FRAMED = re.compile("/feedback/[^/]+/notebook|/submissions/[^/]+/executed")
NO_PAGE = "There is no page at this address. Perhaps it was cut off when it was copied."
_TITLES = {
    400: "The request could not be read",
    401: "Sign in first",
    403: "You may not open this",
    404: "Page not found",
    405: "This address takes no such request",
    409: "This is not possible right now",
    413: "Too large",
    422: "The address or form has a mistake",
    429: "Too many requests",
    500: "This did not work",
    503: "The service is not available right now",
    507: "There is no space left",
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


def message(scope: Scope, status: int, text: str) -> HTMLResponse:
    """A page that says what went wrong: one that shows in the notebook's frame where it was asked for there,
    for people who teach with the way to their first page. Students and holders of a link have no such way.
    """
    title = _TITLES.get(status, "This did not work")
    text = NO_PAGE if (status, text) == (404, "Not Found") else text
    by_link = scope["path"].startswith(BY_LINK)
    if by_link and status == 422:
        title, text = "This link does not open", refused_words(LinkRefusedError(CHANGED))
    if _is_framed(scope):
        return framed_refusal(status, title, text)
    if by_link:
        return refusal(status, title, text)
    return html("message.html", status, title=title, text=text, way_back=("Go to the courses", "/courses"))


def _is_framed(scope: Scope) -> bool:
    return Headers(scope=scope).get("sec-fetch-dest") == "iframe" or bool(FRAMED.fullmatch(scope["path"]))


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
                answered = message(request.scope, *_said(error))
                answered.headers.update(_headers(error))
                return answered

        return answer


KNOWN = (Problem, HTTPException, UnknownAssignmentError, UnknownSubmissionError, RequestValidationError)


def _is_redirect(error: Exception) -> bool:
    return isinstance(error, Problem) and error.status < 400


def _headers(error: Exception) -> Mapping[str, str]:
    return (error.headers if isinstance(error, Problem | HTTPException) else None) or {}


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
