"""A part of the service that ends is started again: with a pause that grows, and told of."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from grader import processes
from grader.processes import Launcher, StartError
from grader.settings import Settings


@pytest.fixture
def launcher(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.05)
    settings = Settings(data_dir=tmp_path / "data", drain_seconds=30)
    settings.make_folders()
    with (settings.data_dir / "lock").open("w") as lock:
        yield Launcher(settings, lock.fileno(), threading.Event())


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def tend_until(part, said, count):
    deadline = time.monotonic() + 30
    while len(said) < count:
        assert time.monotonic() < deadline, said
        part.tend(said.append)
        time.sleep(0.02)


def test_it_is_started_again_after_a_pause_that_doubles(launcher):
    said: list[str] = []
    with launcher.part("one", python("import sys; sys.exit('my last words')")) as part:
        tend_until(part, said, 6)
    assert [line.partition("; ")[2].partition(" (")[0] for line in said[::2]] == [
        f"it is started again in {pause} s" for pause in ("0.05", "0.1", "0.2")
    ]
    assert said[0].startswith("one ended with code 1: my last words")
    assert said[1::2] == ["one was started again"] * 3


def test_one_that_has_lived_for_long_begins_with_the_shortest_pause_again(launcher, monkeypatch):
    monkeypatch.setattr(processes, "STEADY_SECONDS", 0.0)
    said: list[str] = []
    with launcher.part("one", python("")) as part:
        tend_until(part, said, 4)
        assert part.deaths == 1


def test_what_can_be_mended_is_mended_before_the_next_start(launcher):
    seen = []

    def mend(words: str, deaths: int) -> str:
        seen.append((words, deaths))
        return "mended"

    said: list[str] = []
    with launcher.part("one", python("print('broken')"), mend=mend) as part:
        tend_until(part, said, 3)
    assert (seen, said[1]) == ([("broken", 1)], "one: mended")


def test_while_the_service_starts_an_ending_is_an_error(launcher):
    with launcher.part("one", python("print('why')")) as part:
        part.process.wait()
        with pytest.raises(StartError, match="one ended with code 0: why"):
            part.check()


DEAF = """
import signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
print("deaf", flush=True)
while len(asked) < 2: time.sleep(0.05)
"""


def test_who_is_in_a_hurry_asks_a_second_time_and_does_not_wait_out_the_drain(launcher):
    with launcher.part("one", python(DEAF)) as part:
        while "deaf" not in part.log.read_text():
            time.sleep(0.05)
        threading.Timer(0.5, launcher.hurry.set).start()
        began = time.monotonic()
    assert part.process.returncode == 0
    assert time.monotonic() - began < launcher.settings.drain_seconds
