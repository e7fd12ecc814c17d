"""What worker hosts have ready, asked over the broker now and then: a scrape must not wait for them."""

from __future__ import annotations

import threading

import structlog

from grader.queue import BrokerDownError, Queue

LOOK_SECONDS = 10.0

log = structlog.get_logger()


class Census:
    """A thread that keeps ``ready`` up to date: by environment, hosts whose warm server takes notebooks."""

    def __init__(self, queue: Queue) -> None:
        self.ready: dict[str, int] = {}
        self._queue = queue
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="census", daemon=True)

    def start(self) -> None:
        """Ask again and again."""
        self._thread.start()

    def stop(self) -> None:
        """End after the question that is out."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.ready = self._queue.warm_servers()
            except BrokerDownError as error:
                log.warning("broker away", error=str(error))
                self.ready = {}
