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
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from weakref import WeakSet

from worker.environment import Environment, definition_files, load_environment
from worker.errors import InfrastructureError
from worker.jail import Jail, Upkeep, bound_log, last_words
from worker.records import Start, keep
from worker.sandbox.cgroups import Driver, choose_driver
from worker.sandbox.filter import compile_filter
from worker.sandbox.layers import require_layers

_PATH_LIMIT = 70  # a socket's path may have 107 bytes, and the kernels' names follow
_log = logging.getLogger(__name__)
_WATCH_SECONDS = 1.0
_LOOK_SECONDS = 3.0
_RETRY_SECONDS = 5.0
_BACKLOG = 64


class WarmServer:
    """A host's warm server for one environment. Making one costs nothing; :meth:`start` is for its owner.

    ``failure`` says why there is no jail just now, None where all is well; the owner keeps trying.
    """

    def __init__(
        self,
        environment: Environment,
        runtime_dir: Path,
        upkeep: Upkeep | None = None,
        records_dir: Path | None = None,
    ) -> None:
        self.environment = environment
        self._upkeep = upkeep or Upkeep()
        self._records_dir = records_dir
        self.runtime = _short(runtime_dir) / environment.name
        self._has_stand_in = self.runtime.parent != runtime_dir.absolute()
        self.address = self.runtime / "server.sock"
        self.inputs = self.runtime / "inputs"
        self._stopping = threading.Event()
        self._up = threading.Event()
        self.failure: str | None = None
        self._served: tuple[bytes, ...] = ()
        self._next_look = 0.0
        self._jail: Jail | None = None
        self._drained: list[Jail] = []
        self._supervisor: threading.Thread | None = None
        self._listener: socket.socket | None = None
        self._lock: IO[str] | None = None

    @cached_property
    def driver(self) -> Driver:
        """The control-group driver of this host."""
        return choose_driver()

    def start(self) -> None:
        """Start the jail; return when its imports are done. Raises InfrastructureError with the reason."""
        self._prepare()
        _owners.add(self)
        self._supervisor = threading.Thread(
            target=self._supervise, name=f"warm-{self.environment.name}", daemon=True
        )
        self._supervisor.start()
        while not self._up.wait(0.1):
            if self.failure is not None:
                self.stop()
                raise InfrastructureError(self.failure)

    def stop(self) -> None:
        """End the jail and everything in it. Safe to call twice."""
        self._stopping.set()
        if self._supervisor is not None:
            self._supervisor.join()
        for jail in [*self._drained, *([self._jail] if self._jail else [])]:
            jail.kill()
        if self._listener is not None:
            self._listener.close()
            self.address.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            shutil.rmtree(self.runtime, ignore_errors=True)
            if self._has_stand_in:
                with contextlib.suppress(OSError):  # another environment's server has its folder there, too
                    self.runtime.parent.rmdir()
        self._listener = self._lock = self._supervisor = self._jail = None
        self._drained = []

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
        return None if self._jail is None else self._jail.pid

    @property
    def ready(self) -> dict[str, Any]:
        """What the server said when its imports were done: ``seconds`` and ``resident_bytes``."""
        return {} if self._jail is None else self._jail.ready

    def _prepare(self) -> None:
        self.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self.runtime / "owner.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            self._lock = None
            raise InfrastructureError(f"another process owns the warm server at {self.runtime}") from error
        self.driver.sweep()
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
        """Keep one jail serving, in one thread: a jail dies with the thread that started it."""
        if not self._renew():
            return
        self._up.set()
        while not self._stopping.is_set():
            jail = self._jail
            event = None if jail is None else jail.wait(_WATCH_SECONDS)
            self._drained = [each for each in self._drained if not each.has_ended()]
            bound_log(self._log_file)
            if jail is None or event is not None or self._has_changed():
                self._replace(jail)

    def _replace(self, old: Jail | None) -> None:
        """Start another jail on the same listening socket, then let the old one finish what it has begun."""
        if not self._renew():
            self._stopping.wait(_RETRY_SECONDS)  # and again: what is wrong now need not be wrong for ever
        elif old is not None:
            old.drain()
            self._drained.append(old)

    def _renew(self) -> bool:
        """Start a jail; where that fails, for whatever reason, ``failure`` tells it and the old one stays."""
        assert self._listener is not None
        try:
            self.environment = load_environment(self.environment.name, self.environment.prefix.parent)
            self._served = self._stamp()
            self._jail = Jail(
                self.environment,
                self.runtime,
                self._listener.fileno(),
                self._stopping,
                self._upkeep,
            )
        except Exception as error:  # noqa: BLE001 - this thread must outlive anything, and nothing is swallowed
            self.failure = str(error) if isinstance(error, InfrastructureError) else repr(error)
            _log.exception("the sandbox of %s could not be started", self.environment.name)
            if self._jail is not None and self._jail.has_ended():
                self._jail = None
            return False
        self.failure = None
        self._record(self._jail)
        return True

    def _record(self, jail: Jail) -> None:
        """Write down what this start came to, where somebody wants to know."""
        if self._records_dir is None:
            return
        said = jail.ready["seconds"], jail.ready["resident_bytes"]
        try:
            keep(self._records_dir, Start(self.environment.label, time.time(), *said, self._upkeep.standby))
        except OSError as error:
            _log.warning("the start of %s was not written down: %s", self.environment.name, error)

    def _has_changed(self) -> bool:
        """Whether the environment was defined or installed anew; our own code is replaced by a restart."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK_SECONDS
        return self._stamp() != self._served

    def _stamp(self) -> tuple[bytes, ...]:
        """The contents of the files that define the environment; none where one cannot be read just now."""
        files = (*definition_files(self.environment.name), self.environment.prefix / ".stamp")
        try:
            return tuple(file.read_bytes() for file in files if file.exists())
        except OSError:
            return self._served

    def last_words(self) -> str:
        """The end of the sandbox's log, on one line, for our own error messages."""
        return last_words(self._log_file)

    @property
    def _log_file(self) -> Path:
        return self.runtime / "server.log"

    def _disown(self) -> None:
        """Close, in a forked child, what makes this process the owner: it must not outlive the real one."""
        if self._listener is not None:
            self._listener.close()
        if self._lock is not None:
            self._lock.close()
        for jail in [*self._drained, *([self._jail] if self._jail else [])]:
            jail.disown()
        self._listener = self._lock = self._supervisor = self._jail = None
        self._drained = []


_owners: WeakSet[WarmServer] = WeakSet()


def _disown_all() -> None:
    for server in list(_owners):
        server._disown()
    _owners.clear()


os.register_at_fork(after_in_child=_disown_all)


def require_sandbox(*, require_cgroup: bool = False) -> None:
    """Raise SandboxUnavailable naming every part of the sandbox that this host lacks."""
    require_layers(require_cgroup=require_cgroup)


def _short(folder: Path) -> Path:
    """``folder``, or a stand-in for it in the temporary folder where a socket's path would be too long."""
    folder = folder.absolute()
    if len(str(folder)) <= _PATH_LIMIT:
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"grader-{os.getuid()}-{name}"
