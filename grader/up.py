"""``grader up``: Redis, the API and a worker as processes of their own, watched by this one.

All state is below one data directory, held by one supervisor at a time. A process that dies is never
replaced in silence: the supervisor says which one it was, drains the others and ends with an error, so that
whatever watches the supervisor (systemd, a person) decides.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import httpx

from grader import embedded_redis
from grader.api.links import write_private
from grader.queue import BrokerDownError, Queue
from grader.settings import Settings
from grader.store import Store, open_store, tokens
from grader.store.database import migrate
from grader.store.tables import Role

START_SECONDS = 240.0
# A worker finishes the notebooks that it has begun.
DRAIN_SECONDS = 60.0
POLL_SECONDS = 0.2
ROLES: tuple[Role, ...] = ("instructor", "lms")


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
                f"{self.name} ended with code {code}: {last_words(self.log)} (all of it: {self.log})"
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


class Running:
    """The service while it runs: where it is, and who may talk to it."""

    def __init__(self, url: str, token_of: dict[str, str], parts: list[Part]) -> None:
        self.url = url
        self.tokens = token_of
        self._parts = parts

    def check(self) -> None:
        """Raises StartError where a part of the service has ended."""
        for part in self._parts:
            part.check()

    def wait(self) -> None:
        """Return never but by a signal's exception, or StartError when a part dies."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)


Say = Callable[[str], None]


@contextmanager
def service(settings: Settings, say: Say) -> Iterator[Running]:
    """Start everything, give control back when notebooks can be graded, drain and stop at the end.

    ``say`` gets one line for each step. Raises StartError.
    """
    settings.make_folders()
    with ExitStack() as stack:
        stack.enter_context(_only_one(settings.data_dir))
        listener = stack.enter_context(_listener(settings))
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        url = settings.public_url or f"http://{settings.host}:{settings.port}"
        parts: list[Part] = []
        if settings.broker_url is None:
            parts.append(stack.enter_context(_redis(settings, say)))
        token_of = _prepare_database(settings)
        parts.append(stack.enter_context(_worker(settings)))
        parts.append(stack.enter_context(_api(settings, listener)))
        _await_ready(settings, parts, say)
        running = Running(url, token_of, parts)
        try:
            yield running
        finally:
            say("stopping; notebooks that have begun are finished first")


def run(settings: Settings, say: Say) -> None:
    """``grader up``: serve until SIGINT or SIGTERM. Raises StartError."""
    with until_signal(), service(settings, say) as running:
        say(f"ready at {running.url}")
        say(f"tokens are in {_tokens_file(settings)}")
        running.wait()


class _Stopped(Exception):  # noqa: N818 - no error: somebody asked
    pass


@contextmanager
def until_signal() -> Iterator[None]:
    """End the block, cleaning up, at the first SIGINT or SIGTERM.

    Further ones are ignored while it drains.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(_Stopped):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def last_words(log: Path) -> str:
    """The end of a log, for a message."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return "it wrote no log"
    return " | ".join(lines[-3:]) or "it said nothing"


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    with (data_dir / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StartError(f"already running for {data_dir}: {lock.read().strip()}") from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def _listener(settings: Settings) -> Iterator[socket.socket]:
    """The port, taken before anything starts: who comes second hears it at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise StartError(f"cannot listen on {where}: {error.strerror}; choose another --port") from error
        yield listener


@contextmanager
def _redis(settings: Settings, say: Say) -> Iterator[Part]:
    try:
        command = embedded_redis.command(settings)
    except embedded_redis.NoRedisError as error:
        raise StartError(str(error)) from error
    settings.redis_socket.unlink(missing_ok=True)
    say(f"starting {Path(command[0]).name}")
    with _process("redis", command, settings) as part:
        queue = Queue(settings)
        _await(lambda: _answers(queue), [part], "Redis")
        queue.close()
        yield part


@contextmanager
def _worker(settings: Settings) -> Iterator[Part]:
    queues = ",".join(f"{name}.{urgency}" for urgency in ("interactive", "batch") for name in settings.serves)
    command = [
        *(sys.executable, "-m", "celery", "-A", "worker.app", "worker"),
        *("--pool", "prefork", "--concurrency", str(settings.worker_processes)),
        *("--queues", queues, "--hostname", f"grader-{os.getpid()}@%h"),
        *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
    ]
    with _process("worker", command, settings) as part:
        yield part


@contextmanager
def _api(settings: Settings, listener: socket.socket) -> Iterator[Part]:
    command = [
        *(sys.executable, "-m", "uvicorn", "grader.api.app:create_app", "--factory"),
        *("--fd", str(listener.fileno()), "--no-server-header", "--timeout-graceful-shutdown", "10"),
    ]
    with _process("api", command, settings, keep=(listener.fileno(),)) as part:
        yield part


@contextmanager
def _process(name: str, command: list[str], settings: Settings, keep: tuple[int, ...] = ()) -> Iterator[Part]:
    folder = settings.data_dir / "logs"
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / f"{name}.log"
    with path.open("ab") as log:
        part = Part(name, _spawn(command, settings, log, keep), path)
        try:
            yield part
        finally:
            part.stop(DRAIN_SECONDS)


def _spawn(
    command: list[str], settings: Settings, log: IO[bytes], keep: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches the supervisor only, which then drains in order.
    return subprocess.Popen(
        command,
        env=os.environ | settings.as_environment() | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=keep,
        start_new_session=True,
    )


def _prepare_database(settings: Settings) -> dict[str, str]:
    store = open_store(settings)
    try:
        migrate(store.engine)
        return _tokens(store, _tokens_file(settings))
    finally:
        store.close()


def _tokens_file(settings: Settings) -> Path:
    return settings.data_dir / "tokens"


def _tokens(store: Store, path: Path) -> dict[str, str]:
    """The installation's tokens by role; made at the first start, into a file that only its owner reads."""
    if path.exists():
        lines = (line.split() for line in path.read_text().splitlines())
        kept = {fields[0]: fields[1] for fields in lines if len(fields) == 2}
        with store.read() as session:
            if all(role in kept and tokens.check(session, kept[role]) for role in ROLES):
                return kept
        # The database is another one than at the last start.
        path.unlink()
    with store.write() as session:
        made: dict[str, str] = {
            role: tokens.create(session, role, f"made by grader up, {role}") for role in ROLES
        }
    write_private(path, "".join(f"{role} {token}\n" for role, token in made.items()).encode())
    return made


def _await_ready(settings: Settings, parts: list[Part], say: Say) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    local = f"http://{host}:{settings.port}"
    say("starting the API")
    _await(lambda: _is_ready(local), parts, "the API")
    say(f"starting the sandbox of {', '.join(settings.serves)} (importing its packages takes some seconds)")
    queue = Queue(settings)
    _await(lambda: _works(queue), parts, "the worker")
    queue.close()


def _await(ready: Callable[[], bool], parts: list[Part], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        for part in parts:
            part.check()
        if time.monotonic() > deadline:
            raise StartError(f"{what} was not ready within {START_SECONDS:g} seconds")
        time.sleep(POLL_SECONDS)


def _answers(queue: Queue) -> bool:
    try:
        queue.ping()
    except BrokerDownError:
        return False
    return True


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _works(queue: Queue) -> bool:
    try:
        return queue.workers(timeout=0.5) > 0
    except BrokerDownError:
        return False
