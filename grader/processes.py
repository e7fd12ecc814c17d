"""The service's processes: started with the service's settings, watched, and ended with their supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.settings import Settings

# So long a worker may go on with the notebooks that it has begun; then they are left to the next start.
DRAIN_SECONDS = 60.0
PR_SET_PDEATHSIG = 1
PACKAGES = Path(__file__).parent.parent
_LIBC = ctypes.CDLL(None, use_errno=True)


class StartError(Exception):
    """The service did not come up, or a part of it died; the text says which and where to read on."""


@dataclass
class Part:
    """One process of the service and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises StartError where the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise StartError(
                f"{self.name} ended with code {code}: {self._last_words()} (all of it: {self.log})"
            )

    def stop(self, seconds: float) -> None:
        """Ask the process to end, and insist after ``seconds``."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


@dataclass(frozen=True)
class Launcher:
    """Starts parts with the settings of ``settings``.

    Each holds the lock ``lock`` (a descriptor) while it lives.
    """

    settings: Settings
    lock: int

    @contextmanager
    def part(self, name: str, command: list[str], *keep: int) -> Iterator[Part]:
        """A process that inherits the descriptors ``keep``; ended at the end."""
        folder = self.settings.data_dir / "logs"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"{name}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(
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
        part = Part(name, process, path)
        try:
            yield part
        finally:
            part.stop(DRAIN_SECONDS)


def _python_variables() -> dict[str, str]:
    """Our packages are found whether they are installed or only lie there."""
    known = os.environ.get("PYTHONPATH")
    return {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PACKAGES) + (os.pathsep + known if known else "")}


def _end_with_supervisor() -> None:
    """Have the kernel ask this process to end when its supervisor was killed and could not ask itself."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
