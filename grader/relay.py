"""The relay between database and broker: sends what is due, finds what was lost.

A submission is accepted when the database has it. The relay then tells the broker. While the broker is away
it keeps trying; when a message got lost it sends another one; when a worker fell silent it gives the
attempt to the next. Several relays may run at once: a message too many is dropped by the claim.
"""

from __future__ import annotations

import threading
import time

import structlog
from sqlalchemy.exc import OperationalError

from grader import regrade_relay
from grader.queue import BrokerDownError, Queue
from grader.store import Store, attempts

# A message younger than this may still be on its way.
GRACE_SECONDS = 10.0

log = structlog.get_logger()


class Relay:
    """A thread that sends messages; ``wake`` makes it look at once."""

    def __init__(self, store: Store, queue: Queue, *, sweep_seconds: float) -> None:
        self._store = store
        self._queue = queue
        self._sweep_seconds = sweep_seconds
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Begin; what was left over from before is sent first."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new to send."""
        self._wake.set()

    def stop(self) -> None:
        """End after the current round."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        swept = 0.0
        while not self._stopping:
            self._wake.clear()
            try:
                if time.monotonic() - swept >= self._sweep_seconds:
                    swept = time.monotonic()
                    sweep(self._store, self._queue)
                    regrade_relay.sweep(self._store, self._queue)
                send_due(self._store, self._queue)
                regrade_relay.send_due(self._store, self._queue)
            except BrokerDownError as error:
                log.warning("broker away", error=str(error))
            except OperationalError as error:
                log.warning("database away", error=str(error))
            self._wake.wait(self._sweep_seconds)


def send_due(store: Store, queue: Queue) -> int:
    """Send a message for every attempt that is due and has none; returns how many. Raises BrokerDownError."""
    with store.read() as session:
        due = attempts.unsent(session)
    sent: list[str] = []
    try:
        for attempt_id, name in due:
            queue.send(attempt_id, name)
            sent.append(attempt_id)
    finally:
        if sent:
            with store.write() as session:
                attempts.mark_sent(session, sent)
    return len(sent)


def sweep(store: Store, queue: Queue) -> None:
    """Take back expired leases and forget messages that the broker lost. Raises BrokerDownError."""
    if _has_expired(store):
        with store.write() as session:
            for attempt_id in attempts.expire(session):
                log.warning("lease expired", attempt=attempt_id)
    since = time.time() - GRACE_SECONDS
    with store.read() as session:
        waiting = attempts.waiting(session, since=since)
    for name, count in waiting.items():
        if queue.depth(name) < count:
            with store.write() as session:
                lost = attempts.forget_messages(session, name, since=since)
            log.warning("messages lost", queue=name, attempts=lost)


def _has_expired(store: Store) -> bool:
    with store.read() as session:
        return attempts.any_expired(session)
