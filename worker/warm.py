"""The warm server's trusted half: starts the jail, keeps it running, and hands out its address.

One server an environment and host. Its owner (the Celery worker's main process, or a command) calls
:meth:`start`; any other process of the host makes a :class:`WarmServer` over the same runtime folder and
connects. The owner keeps the listening socket, so that while a server that died is being replaced,
connections wait and none is refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from worker.environment import INSIDE, Environment
from worker.errors import InfrastructureError, SandboxUnavailable
from worker.sandbox.cgroups import Driver, choose_driver
from worker.sandbox.filter import compile_filter

SANDBOX_UID = 61840  # in the range that systemd leaves to dynamic users; no account has it
_PATH_LIMIT = 70  # a socket's path may have 107 bytes, and the kernels' names follow
_START_SECONDS = 180.0
_BACKLOG = 64


class WarmServer:
    """A host's warm server for one environment. Making one costs nothing; :meth:`start` is for its owner."""

    def __init__(self, environment: Environment, runtime_dir: Path) -> None:
        self.environment = environment
        self.runtime = _short(runtime_dir) / environment.name
        self.address = self.runtime / "server.sock"
        self.inputs = self.runtime / "inputs"
        self.ready: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._up = threading.Event()
        self._failure: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: threading.Thread | None = None
        self._listener: socket.socket | None = None
        self._lock: IO[str] | None = None

    @cached_property
    def driver(self) -> Driver:
        """The control-group driver of this host."""
        return choose_driver()

    def start(self) -> None:
        """Start the jail; return when its imports are done. Raises InfrastructureError saying what stopped it."""
        self._prepare()
        self._supervisor = threading.Thread(
            target=self._supervise, name=f"warm-{self.environment.name}", daemon=True
        )
        self._supervisor.start()
        while not self._up.wait(0.1):
            if self._failure is not None:
                self.stop()
                raise InfrastructureError(self._failure)

    def stop(self) -> None:
        """End the jail and everything in it. Safe to call twice."""
        self._stopping.set()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self._supervisor is not None:
            self._supervisor.join(10)
        if self._listener is not None:
            self._listener.close()
            self.address.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            shutil.rmtree(self.runtime, ignore_errors=True)
        self._listener = self._lock = self._supervisor = self._process = None

    def __enter__(self) -> WarmServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The jail's process as this host numbers it; None where another process owns it."""
        return None if self._process is None else self._process.pid

    def _prepare(self) -> None:
        self.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self.runtime / "owner.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            self._lock = None
            raise InfrastructureError(f"another process owns the warm server at {self.runtime}") from error
        self.inputs.mkdir(exist_ok=True)
        self.inputs.chmod(0o755)
        program = self.runtime / "seccomp.bpf"
        program.write_bytes(compile_filter())
        program.chmod(0o644)
        self.address.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.address))
        self._listener.listen(_BACKLOG)

    def _supervise(self) -> None:
        """Start the jail again whenever it ends, in one thread: the jail dies with the thread that started it."""
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._launch()
            except InfrastructureError as error:
                self._failure = str(error)
                return
            self._up.set()
            process = self._process
            if process is not None:
                process.wait()
            if time.monotonic() - started < 1.0:  # do not spin where it dies at once
                self._stopping.wait(1.0)

    def _launch(self) -> None:
        assert self._listener is not None
        ready_read, ready_write = os.pipe()
        listen_fd = self._listener.fileno()
        configuration = self._configuration(listen_fd, ready_write)
        with (self.runtime / "server.log").open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "worker.sandbox.launch", json.dumps(configuration)],
                    pass_fds=(listen_fd, ready_write),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=Path(__file__).parent.parent,
                )
            finally:
                os.close(ready_write)
        with os.fdopen(ready_read, "rb") as stream:
            self.ready = self._await_ready(stream)

    def _configuration(self, listen_fd: int, ready_fd: int) -> dict[str, Any]:
        inside = {"preload": self.environment.preload, "listen_fd": listen_fd, "ready_fd": ready_fd}
        return {
            "uid": SANDBOX_UID,
            "shown": {
                "/env": str(self.environment.prefix),
                "/opt/grader/_grader_inside": str(INSIDE),
                "/inputs": str(self.inputs),
                "/seccomp.bpf": str(self.runtime / "seccomp.bpf"),
            },
            "variables": {
                **self.environment.variables,
                "PATH": "/env/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8",
                "PYTHONPATH": "/opt/grader", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONNOUSERSITE": "1", "MPLCONFIGDIR": "/tmp/matplotlib", "IPYTHONDIR": "/tmp/ipython",
            },
            "arguments": ["/env/bin/python", "-P", "-m", "_grader_inside.server", json.dumps(inside)],
        }  # fmt: skip

    def _await_ready(self, stream: IO[bytes]) -> dict[str, Any]:
        readable, _, _ = select.select([stream], [], [], _START_SECONDS)
        line = stream.readline() if readable else b""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        raise InfrastructureError(
            f"the sandbox of {self.environment.name} did not start: {self.last_words()}"
        )

    def last_words(self) -> str:
        """The end of the sandbox's log, on one line, for our own error messages."""
        lines = (self.runtime / "server.log").read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-4:]) or "it said nothing"


def require_sandbox() -> None:
    """Raise SandboxUnavailable naming the first part of the sandbox that this host lacks."""
    if shutil.which("bwrap") is None:
        raise SandboxUnavailable("bubblewrap is missing: apt-get install bubblewrap")
    compile_filter()


def _short(folder: Path) -> Path:
    """``folder``, or a stand-in for it in the temporary folder where a socket's path would be too long."""
    folder = folder.absolute()
    if len(str(folder)) <= _PATH_LIMIT:
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"grader-{os.getuid()}-{name}"
