"""The bound of request bodies: announced or not, nothing larger is read."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BoundBody:
    """ASGI middleware; ``limit`` gives a path's bound in bytes. Reading beyond it raises a 413."""

    def __init__(self, app: ASGIApp, limit: Callable[[str], int]) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting ``receive``."""
        if scope["type"] == "http":
            receive = _counting(
                receive, self._limit(scope["path"]), Headers(scope=scope).get("content-length", "0")
            )
        await self._app(scope, receive, send)


def _counting(receive: Receive, limit: int, announced: str) -> Receive:
    seen = int(announced) if announced.isdecimal() else 0
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive() if seen <= limit else {"type": "http.request"}
        read += len(message.get("body", b""))
        if message["type"] == "http.request" and max(read, seen) > limit:
            raise HTTPException(
                413, f"The body is larger than {limit / (1 << 20):g} MiB, the largest accepted here."
            )
        return message

    return bounded
