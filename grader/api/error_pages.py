"""What a browser gets in the place of a problem document: the same words on a page, with a way back."""

from __future__ import annotations

import json

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.api.instructor.page import message
from grader.api.problems import MEDIA_TYPE, Problem

API = "/api/"
FOR_MACHINES = frozenset({"/metrics", "/livez", "/readyz"})
LATER = "Load the page again; if it happens once more, tell whoever runs this service the number {}."


class ErrorPages:
    """ASGI middleware. Programs, and whatever is asked under ``/api/`` or at a monitor's addresses, get the
    document itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; turn a problem document into a page for who asked for a page."""
        if scope["type"] != "http" or not _wants_page(scope):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, receive, send).send)


def bug(request: Request, problem: Problem) -> Response:
    """Our own bug as whoever met it can read it, and tell of it."""
    if not _wants_page(request.scope):
        return problem.response()
    text = f"{problem.detail} {LATER.format(request.scope['request_id'])}"
    page = message(request.scope, problem.status, text)
    page.headers.update(problem.headers or {})
    return page


class _Answer:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._start: Message | None = None
        self._body = b""

    async def send(self, told: Message) -> None:
        """Hold a problem document back until it is whole; everything else goes on as it comes."""
        if told["type"] == "http.response.start" and _is_problem(told):
            self._start = told
        elif self._start is None or told["type"] != "http.response.body":
            await self._send(told)
        else:
            self._body += told.get("body", b"")
            if not told.get("more_body", False):
                await self._page(self._start)

    async def _page(self, start: Message) -> None:
        page = message(self._scope, start["status"], json.loads(self._body)["detail"])
        for name, value in Headers(raw=start["headers"]).items():
            if name not in ("content-type", "content-length"):
                page.headers.setdefault(name, value)
        await page(self._scope, self._receive, self._send)


def _wants_page(scope: Scope) -> bool:
    accepts = Headers(scope=scope).get("accept", "")
    path = scope["path"]
    return "text/html" in accepts and not path.startswith(API) and path not in FOR_MACHINES


def _is_problem(start: Message) -> bool:
    content_type = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] >= 400 and content_type.startswith(MEDIA_TYPE)
