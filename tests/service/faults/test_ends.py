"""Another world around the service: a clock that jumps, a disk that is full."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import up
from tests.service.conftest import HERE, Lms, need_service, service_settings
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


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with the seconds by which the clock of all processes started from now on is wrong."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / "sitecustomize.py").write_text(CLOCK)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(folder))
        patched.setenv("TEST_CLOCK", str(folder / "offset"))
        yield folder / "offset"


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A file system of 24 MiB; None where only root may mount one."""
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], capture_output=True, check=False
    )
    yield place if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def fragile(clock: Path, small_disk: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lms]:
    """A service with such a clock on such a disk."""
    assert not clock.exists()
    need_service()
    settings = service_settings((small_disk or tmp_path_factory.mktemp("fragile")) / "data")
    with up.service(settings, print) as started:
        lms = Lms(started, settings)
        lms.publish()
        yield lms


def test_a_clock_that_jumps_under_the_whole_service(fragile: Lms, clock: Path) -> None:
    lms = fragile
    sent = [running(lms, 2), lms.submit(slow(2)), lms.submit(slow(0))]
    for offset in (86_400, -86_400, 0):
        clock.write_text(str(offset))
        sent += [lms.submit(slow(1), f"at {offset}")]
        assert abs(lms.show(sent[-1])["created_at"] - time.time() - offset) < 60
        time.sleep(lms.settings.lease_seconds / 2)
    for one in sent:
        lms.feedback(one)
        must_be_right(lms, one, claims=1)


def test_a_full_disk_refuses_what_comes_and_loses_nothing(fragile: Lms, small_disk: Path | None) -> None:
    if small_disk is None:
        pytest.skip("only root may mount a small file system here")
    lms = fragile
    begun = running(lms, 2)
    filler = fill(small_disk)
    refused = lms.client.post(
        f"{HERE}/submissions", data={"student": "eve"}, files={"notebook": ("a.ipynb", slow(0.125))}
    )
    assert (refused.status_code, refused.headers["content-type"]) == (507, "application/problem+json")
    assert refused.json()["type"].endswith("storage-full")
    time.sleep(lms.settings.lease_seconds + 1)
    assert account(lms, begun).verdicts == 0
    filler.unlink()
    lms.feedback(begun)
    must_be_right(lms, begun)
    again = lms.submit(slow(0.125), "eve")
    lms.feedback(again)
    must_be_right(lms, again)
    for part, event in (("api", "accepted"), ("worker", "graded")):
        assert event in events_of(lms, part, str(again["id"])), "the log goes on where it has room again"


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


def events_of(lms: Lms, part: str, submission: str) -> set[str]:
    """What a part of the service logged about a submission."""
    lines = (lms.settings.data_dir / "logs" / f"{part}.log").read_text(errors="replace").splitlines()
    mine = [line for line in lines if line.startswith("{") and line.endswith("}") and submission in line]
    return {json.loads(line)["event"] for line in mine}
