"""What the relay does for regrades, as it does for attempts: sends what is due, finds what was lost."""

from __future__ import annotations

import structlog

from grader.queue import Queue
from grader.store import Store, regrade_jobs

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
    """Take back expired leases and forget messages that the broker lost. Raises BrokerDownError."""
    with store.read() as session:
        expired, waiting = regrade_jobs.any_expired(session), regrade_jobs.waiting_long(session)
    if expired:
        with store.write() as session:
            for regrade_id in regrade_jobs.expire(session):
                log.warning("regrade's lease expired", regrade=regrade_id)
    for name in waiting:
        if queue.depth(name) == 0:
            with store.write() as session:
                lost = regrade_jobs.forget_messages(session, name)
            log.warning("messages lost", queue=name, regrades=lost)
