"""Around every request: an id in its answer and all that it logs, one line at its end, and figures.

An answer that says nothing of caches is kept by none, and no browser guesses another type for it.
"""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.api.service import Service

HEADER = "X-Request-ID"
# What a caller may choose itself; anything else could write lines of its own into the log.
CHOSEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
SUBMISSION = re.compile(r"/(?:submissions|feedback)/([0-9a-f]{32})(?:/|$)")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The same for everybody, and the only answers that a cache may keep.
STATIC = "/static/"
GUARDED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# Asked every few seconds by machines; they are counted, not logged.
QUIET = frozenset({"/livez", "/readyz", "/metrics"})

log = structlog.get_logger()


class Requests:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its id bound and its answer watched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(_id(Headers(scope=scope).get(HEADER)), scope["path"], send)
        scope["request_id"] = answer.request
        begun = time.perf_counter()
        with structlog.contextvars.bound_contextvars(**_ids(answer.request, scope["path"])):
            try:
                await self._app(scope, receive, answer.send)
            finally:
                _note(scope, answer.status, time.perf_counter() - begun)


class _Answer:
    """What goes back, with the request's id; ``status`` stays 500 where an error came before an answer."""

    def __init__(self, request: str, path: str, send: Send) -> None:
        self.request = request
        self._guard = {} if path.startswith(STATIC) else GUARDED
        self.status = 500
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[HEADER] = self.request
            for name, value in self._guard.items():
                headers.setdefault(name, value)
        await self._send(message)


def _id(sent: str | None) -> str:
    return sent if sent is not None and CHOSEN.fullmatch(sent) else secrets.token_hex(8)


def _ids(request: str, path: str) -> dict[str, str]:
    named = SUBMISSION.search(path)
    return {"request": request} | ({"submission": named[1]} if named else {})


def _note(scope: Scope, status: int, seconds: float) -> None:
    path = scope["path"]
    service: Service = scope["app"].state.service
    route = getattr(scope.get("route"), "path", "other")
    method = scope["method"] if scope["method"] in METHODS else "other"
    service.figures.count(method, route, status, seconds)
    if path not in QUIET:
        log.info("request", method=scope["method"], path=path, status=status, seconds=round(seconds, 4))
