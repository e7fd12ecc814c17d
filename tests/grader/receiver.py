"""A real receiver of webhooks on this machine: HTTP, or HTTPS with a certificate of its own."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.conftest import need

NAME = "hooks.example"


@dataclass
class Got:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """``answers`` are given in turn, the last one again and again: a status and headers."""

    url: str
    port: int
    got: list[Got] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=lambda: [(204, {}, b"")])
    drip: float = 0.0

    def until(self, reached: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for something to come in."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, self.got
            time.sleep(0.02)


@contextmanager
def receiving(*, port: int = 0, certificate: Path | None = None) -> Iterator[Receiver]:
    """Serve until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(lambda: receiver))
    server.daemon_threads = True
    scheme = "https" if certificate is not None else "http"
    receiver = Receiver(f"{scheme}://{NAME}:{server.server_port}/hook?a=b", server.server_port)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _socket, name, _context: receiver.names.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate_for(name: str, folder: Path) -> Path:
    """A fresh self-signed certificate with its key, in one file."""
    openssl = shutil.which("openssl")
    need(openssl is not None, "openssl")
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        [
            *(str(openssl), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate


def _handler(receiver_of: Callable[[], Receiver]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver = receiver_of()
            length = int(self.headers["Content-Length"])
            receiver.got.append(Got(self.path, dict(self.headers.items()), self.rfile.read(length)))
            answers = receiver.answers
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self._send(body, receiver.drip)

        def _send(self, body: bytes, drip: float) -> None:
            try:
                for at in range(len(body)) if drip else ():
                    self.wfile.write(body[at : at + 1])
                    self.wfile.flush()
                    time.sleep(drip)
                if not drip:
                    self.wfile.write(body)
            except OSError:
                self.close_connection = True  # whoever asked has heard enough

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler
