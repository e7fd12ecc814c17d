"""One outer jail with its warm server inside: started, watched, drained, killed.

The server says on its status pipe when its imports are done and when it has forked often enough to be
replaced. The trusted side asks it to drain by closing the other pipe: it then takes no connection more and
ends with its last child.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from worker.environment import INSIDE, Environment
from worker.errors import InfrastructureError

SANDBOX_UID = 61840  # in the range that systemd leaves to dynamic users; no account has it
_START_SECONDS = 180.0
_MAX_LOG = 1 << 20
Event = Literal["tired", "ended"]


@dataclass(frozen=True)
class Upkeep:
    """After how many submissions a server is replaced, and how many kernels stand by in it (0: none)."""

    recycle_after: int = 500
    standby: int = 1


class Jail:
    """A running jail. Making one starts it and waits for its imports, or raises InfrastructureError."""

    def __init__(
        self,
        environment: Environment,
        runtime: Path,
        listener: int,
        stopping: threading.Event,
        upkeep: Upkeep,
    ) -> None:
        self.environment = environment
        self._log = runtime / "server.log"
        status_read, status_write = os.pipe()
        drain_read, self._drain = os.pipe()
        inside = {
            "preload": environment.preload, "label": environment.label,
            "recycle_after": upkeep.recycle_after, "standby": upkeep.standby,
            "listen_fd": listener, "status_fd": status_write, "drain_fd": drain_read,
        }  # fmt: skip
        configuration = _configuration(environment, runtime, inside)
        self._status = os.fdopen(status_read, "rb", buffering=0)
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "worker.sandbox.launch", json.dumps(configuration)],
                    pass_fds=(listener, status_write, drain_read), env=_launchers_environment(),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=Path(__file__).parent.parent,
                )  # fmt: skip
        except OSError as error:
            self._status.close()
            self.drain()
            raise InfrastructureError(f"the sandbox could not be launched: {error}") from error
        finally:
            os.close(status_write)
            os.close(drain_read)
        self.ready = self._await_ready(stopping)

    @property
    def pid(self) -> int:
        """bubblewrap's process on this host."""
        return self._process.pid

    def wait(self, seconds: float) -> Event | None:
        """What happened within ``seconds``: the server wants to be replaced, or has ended; None: nothing."""
        if not _readable(self._status, seconds):
            return None
        if self._status.readline():
            return "tired"
        self._process.wait()
        return "ended"

    def drain(self) -> None:
        """Let the server finish what it has begun and end by itself."""
        if self._drain >= 0:
            os.close(self._drain)
            self._drain = -1

    def has_ended(self) -> bool:
        """Whether the process is gone (and collect it)."""
        return self._process.poll() is not None

    def disown(self) -> None:
        """Let go of it, in a child of the process that owns it: neither its end nor its draining is ours."""
        self._status.close()
        self.drain()

    def kill(self) -> None:
        """End the jail and everything in it, now. Safe to call twice."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self.drain()
        self._status.close()

    def _await_ready(self, stopping: threading.Event) -> dict[str, Any]:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and not stopping.is_set():
            if not _readable(self._status, 0.2):
                continue
            line = self._status.readline()
            if line:
                answer: dict[str, Any] = json.loads(line)
                return answer
            break
        self.kill()
        raise InfrastructureError(
            f"the sandbox of {self.environment.name} did not start: {last_words(self._log)}"
        )


def bound_log(log: Path) -> None:
    """Move what a log holds to ``….1`` once it is long; its writers go on in the emptied file.

    They append, so that nothing has to be opened anew.
    """
    with contextlib.suppress(OSError):  # a full disk: perhaps at the next look
        if log.stat().st_size > _MAX_LOG:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)


def last_words(log: Path) -> str:
    """The end of a sandbox's log, on one line, for our own error messages."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return " | ".join(lines[-4:]) or "it said nothing"


def _readable(stream: IO[bytes], seconds: float) -> bool:
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _launchers_environment() -> dict[str, str]:
    """All that bubblewrap and its launcher need: none of the host's variables comes near the jail."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def _configuration(environment: Environment, runtime: Path, inside: dict[str, Any]) -> dict[str, Any]:
    """What ``worker.sandbox.launch`` reads: whom to become, what to show, which variables, which command."""
    return {
        "uid": SANDBOX_UID,
        "shown": {
            "/env": str(environment.prefix),
            "/opt/grader/_grader_inside": str(INSIDE),
            "/inputs": str(runtime / "inputs"),
            "/seccomp.bpf": str(runtime / "seccomp.bpf"),
        },
        "variables": {
            **environment.variables,
            "PATH": "/env/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONPATH": "/opt/grader",
            "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1",
            "MPLCONFIGDIR": "/tmp/matplotlib", "IPYTHONDIR": "/tmp/ipython",
        },
        "arguments": ["/env/bin/python", "-P", "-m", "_grader_inside.server", json.dumps(inside)],
    }  # fmt: skip
