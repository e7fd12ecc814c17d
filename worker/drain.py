"""How a worker ends: what it runs may finish for a while, then it is handed back to be run elsewhere.

Celery's warm shutdown waits for ever, its cold one leaves leases behind that somebody has to miss first. So
at the first SIGTERM a thread begins to wait beside the warm shutdown; when the time is over, or at the second
SIGTERM, it gives the leases back in one transaction, ends the pool and the sandboxes, and leaves.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import psutil
import structlog
from celery import signals  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from grader.settings import Settings
from grader.store import attempts, open_store

PR_SET_PDEATHSIG = 1
REASON = "the worker was stopped"
_LIBC = ctypes.CDLL(None, use_errno=True)

log = structlog.get_logger()


class Drain:
    """Ends this worker ``seconds`` after it was first asked to, at once when asked again."""

    def __init__(self, seconds: float, leave: Callable[[], None]) -> None:
        self._seconds = seconds
        self._leave = leave
        self._again = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Somebody wants the worker to end; called from a signal handler."""
        if self._thread is not None:
            self._again.set()
            return
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._again.wait(self._seconds)
        self._leave()


def install(settings: Settings, host: str, stop_sandboxes: Callable[[], None]) -> None:
    """Let Celery's main process drain so, and its pool's children end with it."""
    drain = Drain(settings.drain_seconds, lambda: _leave(settings, host, stop_sandboxes))
    # Celery holds handlers weakly unless told otherwise.
    signals.worker_shutting_down.connect(lambda **_: drain.ask(), weak=False)
    signals.worker_process_init.connect(_end_with_parent, weak=False)


def _leave(settings: Settings, host: str, stop_sandboxes: Callable[[], None]) -> None:
    try:
        _hand_back(settings, host)
    except SQLAlchemyError as error:
        log.error("what runs could not be handed back; its leases will be missed", reason=str(error))
    # Whatever these still want to say is said by nobody who holds a lease.
    for child in psutil.Process().children(recursive=True):
        if _is_of_the_pool(child):
            child.kill()
    stop_sandboxes()
    os._exit(0)


def _hand_back(settings: Settings, host: str) -> None:
    # A store of this thread's own: it must work whatever state the main thread was caught in.
    store = open_store(settings)
    with store.write() as session:
        handed = attempts.hand_back(session, host, reason=REASON)
    log.warning("time to drain is over", handed_back=handed)


def _is_of_the_pool(child: psutil.Process) -> bool:
    try:
        return "celery" in " ".join(child.cmdline())
    except psutil.Error:
        return False


def _end_with_parent(**_: Any) -> None:
    """A child whose main process was killed must not go on: its sandbox is gone; it would block the next."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
