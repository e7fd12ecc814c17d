"""Services of their own: stopped in the middle, with a full disk, with a clock that jumps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader import up
from grader.first_tokens import first_tokens
from grader.settings import Settings
from grader.store import open_store
from tests.service.conftest import Lms, need_service, service_settings
from tests.service.faults.breaking import account, must_be_right
from tests.service.faults.test_kills import running, slow

pytestmark = [pytest.mark.service, pytest.mark.faults, pytest.mark.slow]

CLOCK = """
import os, time
real, real_ns = time.time, time.time_ns
def offset():
    try:
        with open(os.environ["TEST_CLOCK"]) as file:
            return float(file.read() or 0)
    except OSError:
        return 0.0
time.time = lambda: real() + offset()
time.time_ns = lambda: real_ns() + int(offset() * 1e9)
"""


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


def test_what_does_not_end_in_time_is_handed_back_and_graded_by_the_next_start(tmp_path: Path) -> None:
    need_service()
    settings = service_settings(tmp_path / "data")
    with commanded(settings) as (lms, process):
        lms.publish()
        begun = running(lms, 8)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert process.poll() is None, "the first signal drains"
        assert lms.show(begun)["state"] == "running", "the API answers while the worker drains"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    found = account(lms, begun)
    assert (found.state, found.claims) == ("queued", 0), "the second signal does not wait, and no try counts"
    with commanded(settings.model_copy(update={"drain_seconds": 1.0})) as (lms, process):
        lms.feedback(begun)
        must_be_right(lms, begun, claims=1)
        longer = running(lms, 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    found = account(lms, longer)
    assert (found.state, found.claims) == ("queued", 0), "its time was over"


def test_a_clock_that_jumps_under_the_whole_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_service()
    (tmp_path / "patched").mkdir()
    (tmp_path / "patched" / "sitecustomize.py").write_text(CLOCK)
    clock = tmp_path / "clock"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "patched"))
    monkeypatch.setenv("TEST_CLOCK", str(clock))
    settings = service_settings(tmp_path / "data")
    with up.service(settings, print) as started:
        lms = Lms(started, settings)
        lms.publish()
        sent = [running(lms, 2), lms.submit(slow(2)), lms.submit(slow(0))]
        for offset in (86_400, -86_400, 0):
            clock.write_text(str(offset))
            sent += [lms.submit(slow(1), f"at {offset}")]
            assert abs(lms.show(sent[-1])["created_at"] - time.time() - offset) < 60
            time.sleep(settings.lease_seconds / 2)
        for one in sent:
            lms.feedback(one)
            must_be_right(lms, one, claims=1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small file system here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_refuses_what_comes_and_loses_nothing(small_disk: Path) -> None:
    need_service()
    settings = service_settings(small_disk / "data")
    with up.service(settings, print) as started:
        lms = Lms(started, settings)
        lms.publish()
        begun = running(lms, 2)
        filler = fill(small_disk)
        refused = lms.client.post(
            "/api/v1/assignments/tests/arithmetic/submissions",
            data={"student": "eve"},
            files={"notebook": ("a.ipynb", slow(0.125))},
        )
        assert (refused.status_code, refused.headers["content-type"]) == (507, "application/problem+json")
        assert refused.json()["type"].endswith("storage-full")
        time.sleep(settings.lease_seconds + 2)
        assert account(lms, begun).verdicts == 0
        filler.unlink()
        lms.feedback(begun)
        must_be_right(lms, begun)
        again = lms.submit(slow(0.125), "eve")
        lms.feedback(again)
        must_be_right(lms, again)


def fill(place: Path) -> Path:
    """A file that takes all that is left."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return filler
