"""What the relay does for regrades, as it does for attempts: sends what is due, finds what was lost.

``RegradeWatch`` is a thread of its own: a preview whose owner fell silent is taken back also while the broker
is away.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from grader.queue import Queue
from grader.store import Store, regrade_jobs
from grader.store.lease_watch import LeaseWatch
from grader.store.regrade_jobs import Beat

log = structlog.get_logger()


def send_due(store: Store, queue: Queue) -> int:
    """Send a message for every regrade that has none; returns how many. Raises BrokerDownError."""
    with store.read() as session:
        due = regrade_jobs.unsent(session)
    for regrade_id, name in due:
        queue.send_regrade(regrade_id, name)
        with store.write() as session:
            regrade_jobs.mark_sent(session, [regrade_id])
    return len(due)


def sweep(store: Store, queue: Queue) -> None:
    """Forget messages that the broker lost, so that others are sent. Raises BrokerDownError."""
    with store.read() as session:
        waiting = regrade_jobs.waiting_long(session)
    for name in waiting:
        if queue.depth(name) == 0:
            with store.write() as session:
                lost = regrade_jobs.forget_messages(session, name)
            log.warning("messages lost", queue=name, regrades=lost)


def watch_leases(store: Store, *, lease_seconds: float) -> LeaseWatch[Beat]:
    """A watch over every preview's lease."""
    return LeaseWatch(
        store, seconds=lease_seconds, beats=regrade_jobs.beats, take_back=regrade_jobs.take_back
    )


class RegradeWatch:
    """A thread that takes previews back from those who fell silent."""

    def __init__(self, store: Store, *, sweep_seconds: float, lease_seconds: float) -> None:
        self._watch = watch_leases(store, lease_seconds=lease_seconds)
        self._sweep_seconds = sweep_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="regrade watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End after the current look."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(self._sweep_seconds):
            try:
                for beat in self._watch.look():
                    log.warning("regrade's lease expired", regrade=beat.regrade, owner=beat.owner)
            except SQLAlchemyError as error:
                log.warning("database away", error=str(error))
            # A bug: told in full, and tried again. Without this thread a dead preview blocks its assignment.
            except Exception:
                log.exception("the regrade watch failed")
