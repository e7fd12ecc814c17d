"""The relay between database and broker: sends what is due, finds what was lost.

A submission is accepted when the database has it. The relay then tells the broker. While the broker is away
it keeps trying; when a message got lost it sends another one; when a worker fell silent it gives the
attempt to the next. Several relays may run at once: a message too many is dropped by the claim.
"""

from __future__ import annotations

import threading
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from grader import regrade_relay
from grader.queue import BrokerDownError, Queue
from grader.store import Store, attempts, events
from grader.store.lease_watch import LeaseWatch

# Who comes within so much of the last round is sent with the others: a round for each one costs more.
ROUND_SECONDS = 0.02
# A message younger than so many sweeps may still be on its way.
GRACE_SWEEPS = 5
# What was told of an attempt that has ended is kept so long for those who come back.
REMEMBER_SECONDS = 86_400.0
TIDY_SECONDS = 600.0
BATCH = 500

log = structlog.get_logger()


class Relay:
    """A thread that sends messages; ``wake`` makes it look at once."""

    def __init__(self, store: Store, queue: Queue, *, sweep_seconds: float, lease_seconds: float) -> None:
        self._store = store
        self._queue = queue
        self._sweep_seconds = sweep_seconds
        self._reconciler = Reconciler(
            store, queue, lease_seconds=lease_seconds, grace_seconds=GRACE_SWEEPS * sweep_seconds
        )
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
        swept = sent = float("-inf")
        while not self._stopping:
            self._wake.clear()
            more = False
            try:
                if time.monotonic() - swept >= self._sweep_seconds:
                    swept = time.monotonic()
                    self._reconciler.sweep()
                    regrade_relay.sweep(self._store, self._queue)
                time.sleep(max(0.0, sent + ROUND_SECONDS - time.monotonic()))
                more = send_due(self._store, self._queue) == BATCH
                regrade_relay.send_due(self._store, self._queue)
            except BrokerDownError as error:
                log.warning("broker away", error=str(error))
            except SQLAlchemyError as error:
                log.warning("database away", error=str(error))
            # A bug: told in full, and tried again. Without this thread nothing accepted is ever graded.
            except Exception:
                log.exception("the relay failed")
            sent = time.monotonic()
            if not more:
                self._wake.wait(self._sweep_seconds)


def send_due(store: Store, queue: Queue) -> int:
    """Send a message for every attempt that is due and has none, BATCH at most; returns how many.

    Raises BrokerDownError.
    """
    with store.read() as session:
        due = attempts.unsent(session, limit=BATCH)
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


class Reconciler:
    """Compares what the database says with what workers and broker do, and mends the difference."""

    def __init__(self, store: Store, queue: Queue, *, lease_seconds: float, grace_seconds: float) -> None:
        self._store = store
        self._queue = queue
        self._grace_seconds = grace_seconds
        self._leases = LeaseWatch(
            store, seconds=lease_seconds, beats=attempts.beats, take_back=attempts.take_back
        )
        self._short: frozenset[str] = frozenset()
        self._tidied = time.monotonic()

    def sweep(self) -> None:
        """Take back leases of silent workers and send what the broker lost. Raises BrokerDownError."""
        self._take_back()
        self._tidy()
        self._find_lost()

    def _take_back(self) -> None:
        for beat in self._leases.look():
            log.warning("lease expired", attempt=beat.attempt, owner=beat.owner)

    def _find_lost(self) -> None:
        """A queue that is short at two looks has lost messages; at one, a worker may just have taken one."""
        since = time.time() - self._grace_seconds
        with self._store.read() as session:
            waiting = attempts.waiting(session, since=since)
        short = frozenset(name for name, count in waiting.items() if self._queue.depth(name) < count)
        for name in short & self._short:
            with self._store.write() as session:
                lost = attempts.forget_messages(session, name, since=since)
            log.warning("messages lost", queue=name, attempts=lost)
        self._short = short

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        with self._store.write() as session:
            events.forget(session, before=time.time() - REMEMBER_SECONDS)
