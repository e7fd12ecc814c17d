"""The API as a process of its own, without supervisor and workers: to be killed by tests, or timed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from grader.receive import publish_bundle
from grader.settings import Settings
from grader.store import open_store, tokens
from grader.store.database import migrate
from tests.conftest import ROOT
from tests.grader.arithmetic import BUNDLE

READY_SECONDS = 60.0
UVICORN = (sys.executable, "-m", "uvicorn", "grader.api.app:create_app", "--factory")


@dataclass(frozen=True)
class Served:
    """A running API."""

    url: str
    process: subprocess.Popen[bytes]


def prepare(settings: Settings) -> str:
    """Migrate, publish the tiny assignment, and make a token of the role lms; returns the token."""
    store = open_store(settings)
    try:
        migrate(store.engine)
        publish_bundle(store, BUNDLE)
        with store.write() as session:
            return tokens.create(session, "lms", "test")
    finally:
        store.close()


@contextmanager
def api(settings: Settings, command: Sequence[str] = UVICORN) -> Iterator[Served]:
    """Serve on a free port until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        process = subprocess.Popen(
            [*command, "--fd", str(listener.fileno()), "--no-server-header", "--no-access-log"],
            env={**os.environ, **settings.as_environment()},
            pass_fds=[listener.fileno()],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", process)
    # The place is the server's alone now: when it dies, nobody listens there.
    try:
        _await(served)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _await(served: Served) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _lives(served.url):
        if served.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the API did not start (exit code {served.process.returncode})")
        time.sleep(0.1)


def _lives(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
