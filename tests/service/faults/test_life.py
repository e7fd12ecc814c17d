"""A data directory's life over several starts: killed, hurried, drained; and everything is found again.

The directory has a path that is too long for a socket.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from grader import up
from grader.first_tokens import first_tokens
from grader.settings import Settings
from grader.store import open_store
from tests.grader.arithmetic import WRONG
from tests.service.conftest import Lms, need_service, service_settings
from tests.service.faults.breaking import account, must_be_right
from tests.service.faults.test_kills import running

pytestmark = [pytest.mark.service, pytest.mark.faults, pytest.mark.slow]


@dataclass
class Life:
    """What the starts before left: settings, what was graded, and what had begun."""

    settings: Settings
    tokens: dict[str, str]
    graded: dict[str, Any]
    feedback: bytes
    begun: dict[str, Any] | None = None


@contextmanager
def commanded(settings: Settings) -> Iterator[tuple[Lms, subprocess.Popen[str]]]:
    """``grader up`` as a command; killed at the end where it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "up"],
        env=settings.as_environment() | {"PATH": os.environ["PATH"]},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        url = next(line.split()[-1] for line in process.stderr if "ready at" in line)
        store = open_store(settings)
        tokens = first_tokens(store, settings.data_dir / "tokens")
        store.close()
        yield Lms(up.Running(url, tokens, [], print), settings), process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The first start: something is graded, and the supervisor is killed."""
    need_service()
    settings = service_settings(tmp_path_factory.mktemp("life") / ("long" * 30) / "data")
    assert settings.data_dir not in settings.redis_socket.parents
    with commanded(settings) as (lms, process):
        lms.publish()
        graded = lms.submit(WRONG)
        lms.feedback(graded)
        feedback = lms.client.get(graded["links"]["feedback"]).content
        left = psutil.Process(process.pid).children(recursive=True)
        assert len(left) >= 4, "Redis, the API, the worker and its pool"
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(left, timeout=30)
        assert alive == [], "a supervisor that is killed leaves no process behind"
        return Life(settings, lms.running.tokens, graded, feedback)


def test_the_first_signal_drains_and_the_second_hands_back_at_once(life: Life) -> None:
    with commanded(life.settings) as (lms, process):
        assert lms.running.tokens == life.tokens
        answer = lms.client.get(f"/api/v1/submissions/{life.graded['id']}/feedback")
        assert answer.content == life.feedback, "a second start finds everything"
        life.begun = begun = running(lms, 8)
        process.send_signal(signal.SIGTERM)
        # It has begun to drain when the worker takes nothing more.
        lms.said_within(life.settings.data_dir / "logs" / "worker.log", "Warm shutdown")
        assert process.poll() is None, "the first signal drains"
        assert lms.show(begun)["state"] == "running", "the API answers while the worker drains"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    found = account(lms, begun)
    assert (found.state, found.claims) == ("queued", 0), "the second signal does not wait, and no try counts"


def test_what_ends_while_it_drains_is_graded_and_the_rest_is_handed_back(life: Life) -> None:
    settings = life.settings.model_copy(update={"drain_seconds": 6.0})
    with up.service(settings, print) as started:
        lms = Lms(started, settings)
        if life.begun is not None:
            lms.feedback(life.begun)
            must_be_right(lms, life.begun, claims=1)
        longer, short = running(lms, 30), running(lms, 2)
        parts = {part.name: part.process for part in started.parts}
    # uvicorn ends by the signal that it was asked with, after its clean-up.
    assert {name: process.poll() for name, process in parts.items()} == {
        "redis": 0,
        "worker": 0,
        "api": -signal.SIGTERM,
    }
    must_be_right(lms, short, claims=1)
    found = account(lms, longer)
    assert (found.state, found.claims) == ("queued", 0), "its time was over"
