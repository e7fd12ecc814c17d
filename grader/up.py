"""``grader up``: Redis, the API and a worker as processes of their own, watched by this one.

All state is below one data directory, held by one supervisor at a time. A process that dies is started again
after a pause, and told of; nothing that was accepted hangs on any one of them. At the first signal the worker
drains while the API still answers, then the others end; at the second, all end at once.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event
from types import FrameType
from typing import IO

import httpx

from grader import embedded_redis
from grader.first_tokens import first_tokens
from grader.processes import Launcher, Part, Say, StartError
from grader.queue import BrokerDownError, Queue
from grader.safety import require_safe, warnings
from grader.settings import Settings
from grader.store import open_store
from grader.store.database import migrate

START_SECONDS = 240.0
POLL_SECONDS = 0.2


class Running:
    """The service while it runs: where it is, who may talk to it, and its processes."""

    def __init__(self, url: str, tokens: dict[str, str], parts: list[Part], say: Say) -> None:
        self.url = url
        self.tokens = tokens
        self.parts = parts
        self._say = say

    def check(self) -> None:
        """Start again what has ended, after its pause; to be called every now and then."""
        for part in self.parts:
            part.tend(self._say)

    def wait(self) -> None:
        """Keep everything running; return never but by a signal's exception."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)


def run(settings: Settings, say: Say) -> None:
    """``grader up``: serve until SIGINT or SIGTERM. Raises StartError."""
    with until_signal() as hurry, service(settings, say, hurry) as running:
        say(f"ready at {running.url}")
        say(f"tokens are in {_tokens_file(settings)}")
        running.wait()


@contextmanager
def service(settings: Settings, say: Say, hurry: Event | None = None) -> Iterator[Running]:
    """Start everything, give control back when notebooks can be graded, drain and stop at the end.

    ``say`` gets one line for each step; once ``hurry`` is set, nothing is waited for. Raises StartError.
    """
    settings.make_folders()
    require_safe(settings)
    for warning in warnings(settings):
        say(f"warning: {warning}")
    with ExitStack() as stack:
        lock = stack.enter_context(_only_one(settings.data_dir))
        listener = stack.enter_context(_listener(settings))
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        launcher = Launcher(settings, lock.fileno(), hurry or Event())
        parts: list[Part] = []
        tokens = _prepare_database(settings)
        if settings.broker_url is None:
            parts.append(stack.enter_context(_redis(launcher, say)))
        # What starts last is stopped first: the API answers while the worker drains.
        parts.append(stack.enter_context(_api(launcher, listener)))
        parts.append(stack.enter_context(_worker(launcher)))
        _await_ready(settings, parts, say)
        try:
            yield Running(settings.public_url or _local_url(settings), tokens, parts, say)
        finally:
            say(f"stopping; notebooks that have begun get up to {settings.drain_seconds:g} s to finish")


class _Stopped(Exception):  # noqa: N818 - no error: somebody asked
    pass


@contextmanager
def until_signal() -> Iterator[Event]:
    """End the block, cleaning up, at the first SIGINT or SIGTERM; a further one sets the event given."""
    hurry, stopping = Event(), False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            hurry.set()
            return
        stopping = True
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(_Stopped):
            yield hurry
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _only_one(data_dir: Path) -> Iterator[IO[str]]:
    """The data directory's lock. The parts hold it too: while one of them lives on, nobody else starts."""
    with (data_dir / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StartError(f"already running for {data_dir}: {lock.read().strip()}") from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()}\n")
        lock.flush()
        yield lock


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
def _redis(launcher: Launcher, say: Say) -> Iterator[Part]:
    settings = launcher.settings
    try:
        command = embedded_redis.command(settings)
    except embedded_redis.NoRedisError as error:
        raise StartError(str(error)) from error
    settings.redis_socket.unlink(missing_ok=True)
    say(f"starting {Path(command[0]).name}")
    with launcher.part("redis", command, mend=partial(embedded_redis.mend, settings)) as part:
        queue = Queue(settings)
        # A damaged file is found now: it is mended as it is while the service runs.
        _await(lambda: _answers(queue), [], "Redis", lambda: part.tend(say))
        queue.close()
        yield part


def _worker(launcher: Launcher) -> AbstractContextManager[Part]:
    command = [
        *(sys.executable, "-m", "celery", "-A", "worker.app", "worker"),
        *("--pool", "prefork", "--concurrency", str(launcher.settings.worker_processes)),
        *(
            "--hostname",
            f"grader-{os.getpid()}@%h",
            "--without-gossip",
            "--without-mingle",
            "--loglevel",
            "INFO",
        ),
    ]
    return launcher.part("worker", command)


def _api(launcher: Launcher, listener: socket.socket) -> AbstractContextManager[Part]:
    command = [
        *(sys.executable, "-m", "uvicorn", "grader.api.app:create_app", "--factory"),
        *(
            "--fd",
            str(listener.fileno()),
            "--no-server-header",
            "--no-access-log",
            "--timeout-graceful-shutdown",
            "10",
        ),
    ]
    return launcher.part("api", command, listener.fileno())


def _prepare_database(settings: Settings) -> dict[str, str]:
    store = open_store(settings)
    try:
        migrate(store.engine)
        return first_tokens(store, _tokens_file(settings))
    finally:
        store.close()


def _tokens_file(settings: Settings) -> Path:
    return settings.data_dir / "tokens"


def _local_url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _await_ready(settings: Settings, parts: list[Part], say: Say) -> None:
    say("starting the API")
    _await(lambda: _is_ready(_local_url(settings)), parts, "the API")
    say(f"starting the sandbox of {', '.join(settings.serves)} (importing its packages takes some seconds)")
    queue = Queue(settings)
    _await(lambda: _works(queue), parts, "the worker")
    queue.close()


def _await(
    ready: Callable[[], bool], parts: list[Part], what: str, tend: Callable[[], None] = lambda: None
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        tend()
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
