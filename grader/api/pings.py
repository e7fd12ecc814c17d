"""Whether the broker answers, asked for everybody who wants to know.

A broker that hangs keeps a question for as long as its connection's timeout. So that ``/readyz``, which
anybody may ask, cannot take every thread of the API with it, one question is out at a time, and nobody waits
for it longer than a few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from grader.queue import BrokerDownError

# Above what a broker that is gone needs to be known as such.
WAIT_SECONDS = 3.0

log = structlog.get_logger()


class Pings:
    """Asks by ``ping``, which raises BrokerDownError where there is no answer."""

    def __init__(self, ping: Callable[[], None], *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._ping = ping
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._out: _Question | None = None

    def answered(self) -> bool:
        """Whether the broker answers within ``wait_seconds`` of the question that is out."""
        with self._lock:
            if self._out is None or self._out.done.is_set():
                self._out = _Question(self._ping)
            question = self._out
        left = question.begun + self._wait_seconds - time.monotonic()
        return question.done.wait(max(0.0, left)) and question.answered


class _Question:
    def __init__(self, ping: Callable[[], None]) -> None:
        self.begun = time.monotonic()
        self.done = threading.Event()
        self.answered = False
        self._ping = ping
        # A daemon: a broker that hangs must not keep the process from ending.
        threading.Thread(target=self._ask, name="ping", daemon=True).start()

    def _ask(self) -> None:
        try:
            self._ping()
            self.answered = True
        except BrokerDownError as error:
            log.warning("broker away", error=str(error))
        finally:
            self.done.set()
