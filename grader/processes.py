"""The service's processes: started with its settings, kept running, and ended with their supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grader.settings import Settings

# Beyond the time that notebooks get to finish: for handing back the rest and ending in order.
END_SECONDS = 15.0
# So much when somebody is in a hurry.
HURRY_SECONDS = 3.0
# The pause before a part is started again: doubled at each death until it has lived for STEADY_SECONDS.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0
POLL_SECONDS = 0.1
PR_SET_PDEATHSIG = 1
PACKAGES = Path(__file__).parent.parent
_LIBC = ctypes.CDLL(None, use_errno=True)
Say = Callable[[str], None]


class StartError(Exception):
    """The service did not come up; the text says which part did not and where to read on."""


@dataclass
class Part:
    """One process of the service and its log. ``deaths`` counts those in short succession."""

    name: str
    log: Path
    start: Callable[[], subprocess.Popen[bytes]]
    mend: Callable[[str, int], str]
    process: subprocess.Popen[bytes] = field(init=False)
    deaths: int = 0
    _started: float = 0.0
    _due: float | None = None

    def __post_init__(self) -> None:
        self._begin()

    def check(self) -> None:
        """Raises StartError where the process has ended."""
        if self.process.poll() is not None:
            raise StartError(f"{self._ending()} (all of it: {self.log})")

    def tend(self, say: Say) -> None:
        """Start the process again where it has ended, after a pause; tells of both."""
        if self._due is None:
            if self.process.poll() is not None:
                self._mourn(say)
        elif time.monotonic() >= self._due:
            self._due = None
            self._begin()
            say(f"{self.name} was started again")

    def stop(self, seconds: float, hurry: threading.Event) -> None:
        """Ask the process to end, and insist after ``seconds``, or soon where somebody is in a hurry."""
        if self.process.poll() is None:
            self.process.terminate()
        if not self._ends_within(seconds, hurry.is_set) and hurry.is_set():
            # The worker takes this as the word to hand back what it runs, at once.
            self.process.terminate()
            self._ends_within(HURRY_SECONDS, lambda: False)
        self.process.kill()
        self.process.wait()

    def _begin(self) -> None:
        self.process = self.start()
        self._started = time.monotonic()

    def _mourn(self, say: Say) -> None:
        lived = time.monotonic() - self._started
        self.deaths = 1 if lived > STEADY_SECONDS else self.deaths + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.deaths - 1))
        self._due = time.monotonic() + pause
        say(f"{self._ending()}; it is started again in {pause:g} s (all of it: {self.log})")
        mended = self.mend(self._last_words(), self.deaths)
        if mended:
            say(f"{self.name}: {mended}")

    def _ends_within(self, seconds: float, given_up: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if given_up() or time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _ending(self) -> str:
        return f"{self.name} ended with code {self.process.returncode}: {self._last_words()}"

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


def nothing_to_mend(_last_words: str, _deaths: int) -> str:
    """For a part that needs nothing but another start."""
    return ""


@dataclass(frozen=True)
class Launcher:
    """Starts parts with the settings of ``settings``.

    Each holds the lock ``lock`` (a descriptor) while it lives. ``hurry`` is set when draining is to be short.
    """

    settings: Settings
    lock: int
    hurry: threading.Event

    @contextmanager
    def part(
        self, name: str, command: list[str], *keep: int, mend: Callable[[str, int], str] = nothing_to_mend
    ) -> Iterator[Part]:
        """A process that inherits the descriptors ``keep``; ended at the end.

        ``mend`` gets its last words and the deaths so far, and says what it has put right (empty: nothing).
        """
        folder = self.settings.data_dir / "logs"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"{name}.log"
        part = Part(name, path, lambda: self._start(command, path, keep), mend)
        try:
            yield part
        finally:
            part.stop(self.settings.drain_seconds + END_SECONDS, self.hurry)

    def _start(self, command: list[str], path: Path, keep: tuple[int, ...]) -> subprocess.Popen[bytes]:
        with path.open("ab") as log:
            return subprocess.Popen(
                command,
                env=os.environ | self.settings.as_environment() | _python_variables(),
                # Celery and uvicorn import from the current folder first: it must be one that we know.
                cwd=self.settings.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self.lock, *keep),
                # A session of its own: Ctrl-C reaches the supervisor only, which then drains in order.
                start_new_session=True,
                preexec_fn=_end_with_supervisor,  # noqa: PLW1509 - one system call, looked up beforehand
            )


def _python_variables() -> dict[str, str]:
    """Our packages are found whether they are installed or only lie there."""
    known = os.environ.get("PYTHONPATH")
    return {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PACKAGES) + (os.pathsep + known if known else "")}


def _end_with_supervisor() -> None:
    """Have the kernel ask this process to end when its supervisor was killed and could not ask itself.

    It counts the thread that starts the process as the supervisor: parts are started by one that stays.
    """
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
