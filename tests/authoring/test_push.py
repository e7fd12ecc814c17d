"""Pushing to a real API over HTTP, and what is said where that does not work."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from checks import bundle
from grader import cli
from grader.bundles import read_bundle
from grader.settings import Settings
from grader.store import Store, open_store, tokens
from grader.store.database import migrate
from tests import serving
from tests.authoring import weather

run = CliRunner()


class Service:
    """A running API and its tokens."""

    def __init__(self, url: str, store: Store) -> None:
        self.url, self._store = url, store

    def token(self, role: tokens.Role, course: str | None = None) -> str:
        with self._store.write() as session:
            return tokens.create(session, role, "test", course)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("service")
    settings = Settings(data_dir=place / "data", broker_url="memory://")  # type: ignore[arg-type]
    store = open_store(settings)
    migrate(store.engine)
    with serving.api(settings) as served:
        yield Service(served.url, store)
    store.close()


def pushed(folder: Path, server: str, token: str) -> tuple[int, str, str]:
    result = run.invoke(cli.app, ["assignment", "push", str(folder), "--server", server, "--token", token])
    return result.exit_code, result.stdout, result.stderr


def test_a_pushed_assignment_is_in_force_and_again_changes_nothing(service: Service, tmp_path: Path) -> None:
    folder = weather.write(tmp_path)
    version = bundle.digest(read_bundle(folder))
    token = service.token("instructor")
    for address in (service.url, service.url + "/"):
        assert pushed(folder, address, token) == (0, f"weather/means: version {version}\n", "")


def test_who_may_not_push_is_told_so(service: Service, tmp_path: Path) -> None:
    folder = weather.write(tmp_path)
    code, out, said = pushed(folder, service.url, "gr_nobody")
    assert (code, out) == (2, "")
    assert "the token is not known" in said
    code, _, said = pushed(folder, service.url, service.token("lms"))
    assert (code, "an instructor's" in said) == (2, True)
    code, _, said = pushed(folder, service.url, service.token("instructor", "other"))
    assert (code, "Your token is for the course other" in said) == (2, True)


def test_a_bundle_with_mistakes_never_leaves(tmp_path: Path) -> None:
    folder = weather.write(tmp_path, weather.SPEC.replace("title: Means", "titel: Means"))
    code, _, said = pushed(folder, "http://127.0.0.1:9", "gr_x")
    assert (code, "did you mean 'title'" in said) == (2, True)


@contextmanager
def answering(status: int, body: bytes, location: str = "") -> Iterator[str]:
    """A server that is no grading service."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (200, b"<html>", 3, "is no grading service"),
        (201, b'{"id": "weather/means", "version": "sha256:0"}', 3, "has sha256:0 in force"),
        (301, b"", 2, "moved to https://new.example; give that address"),
        (404, b"", 2, "answered 404"),
        (422, b'{"detail": "The assignment has mistakes.", "mistakes": ["a:1:2: b"]}', 2, "a:1:2: b"),
        (500, b"oops", 3, "the service failed (500)"),
        (503, b'{"detail": "starting"}', 3, "not ready just now (503); try again: starting"),
    ],
)
def test_every_answer_becomes_a_sentence(
    status: int, body: bytes, code: int, says: str, tmp_path: Path
) -> None:
    with answering(status, body, "https://new.example" if status == 301 else "") as server:
        ended, out, said = pushed(weather.write(tmp_path), server, "gr_x")
    assert (ended, out) == (code, "")
    assert says in said


@pytest.mark.parametrize(
    ("server", "code", "says"),
    [
        ("http://127.0.0.1:1", 3, "no service answers there"),
        ("grader.example.edu", 2, "begins with https://"),
        ("ftp://grader.example.edu", 2, "begins with https://"),
        ("https://me:secret@grader.example.edu", 2, "by --token"),
    ],
)
def test_an_address_without_a_service_is_told(server: str, code: int, says: str, tmp_path: Path) -> None:
    ended, out, said = pushed(weather.write(tmp_path), server, "gr_x")
    assert (ended, out) == (code, "")
    assert says in said
    assert "secret" not in said.replace("me:secret@", "")
