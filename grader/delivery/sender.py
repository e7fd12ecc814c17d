"""One try: sign, connect to the checked address, post, read a little of the answer. Follows no redirect."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import httpcore
from standardwebhooks.webhooks import Webhook

from grader import __version__
from grader.delivery.address import (
    PORTS,
    AddressRefusedError,
    AddressUnknownError,
    Resolve,
    Target,
    pinned,
    system_resolver,
    target,
)
from grader.store.outbox import Outcome, Outgoing

TRY_SECONDS = 5.0
ANSWER_BYTES = 64 << 10
EXCERPT_CHARACTERS = 500


class Sender:
    """Sends messages; ``resolve`` and ``trust`` are the system's unless given. Threads may share it."""

    def __init__(
        self, *, local: bool = False, resolve: Resolve = system_resolver, trust: ssl.SSLContext | None = None
    ) -> None:
        self._local = local
        self._resolve = resolve
        self._trust = trust or ssl.create_default_context()

    def send(self, message: Outgoing) -> Outcome:
        """Try once, for at most five seconds after the name was resolved; what fails is in the outcome."""
        at, begun = time.time(), time.monotonic()
        try:
            status, excerpt = self._post(message)
        except (AddressRefusedError, AddressUnknownError) as error:
            return Outcome(at, time.monotonic() - begun, error=str(error))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            reason = str(error) or type(error).__name__
            return Outcome(at, time.monotonic() - begun, error=f"{type(error).__name__}: {reason}")
        return Outcome(at, time.monotonic() - begun, status=status, excerpt=excerpt)

    def _post(self, message: Outgoing) -> tuple[int, str]:
        goal = target(message.url, local=self._local)
        backend = _Pinned(pinned(goal, self._resolve), time.monotonic() + TRY_SECONDS)
        url = httpcore.URL(
            scheme=goal.scheme, host=_bracketed(goal.host), port=goal.port, target=goal.path.encode()
        )
        with (
            httpcore.ConnectionPool(ssl_context=self._trust, network_backend=backend) as pool,
            pool.stream(
                "POST", url, headers=_headers(message, goal), content=message.body.encode()
            ) as answer,
        ):
            return answer.status, _beginning(answer.iter_stream())


def signed(message_id: str, secret: str, body: str, at: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
    }


def _headers(message: Outgoing, goal: Target) -> list[tuple[str, str]]:
    host = _bracketed(goal.host) + ("" if goal.port == PORTS[goal.scheme] else f":{goal.port}")
    return [
        ("Host", host),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(message.body.encode()))),
        ("User-Agent", f"notebook-grader/{__version__}"),
        ("Connection", "close"),
        *signed(message.id, message.secret, message.body, datetime.now(UTC)).items(),
    ]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _beginning(body: Iterable[bytes]) -> str:
    """As much of an answer as the log keeps; what comes beyond the bound is never read."""
    read = b""
    for piece in body:
        read += piece
        if len(read) >= ANSWER_BYTES:
            break
    text = (
        read[: 4 * EXCERPT_CHARACTERS].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    )
    return text[:EXCERPT_CHARACTERS]


class _Pinned(httpcore.NetworkBackend):
    """Connects to one address whatever the URL's host is; TLS still asks for the host's name.

    ``deadline`` bounds the try as a whole: a receiver that sends a byte now and then gains nothing.
    """

    def __init__(self, address: str, deadline: float) -> None:
        self._inner = httpcore.SyncBackend()
        self._address = address
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the pinned address instead of ``host``."""
        stream = self._inner.connect_tcp(
            self._address, port, _left(self._deadline), local_address, socket_options
        )
        return _Bounded(stream, self._deadline)


class _Bounded(httpcore.NetworkStream):
    """A stream whose every step ends at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises ReadTimeout at the deadline."""
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Raises WriteTimeout at the deadline."""
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands, verifying the certificate for the URL's host."""
        inner = self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Bounded(inner, self._deadline)


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout(f"no answer within {TRY_SECONDS:g} s")
    return seconds
