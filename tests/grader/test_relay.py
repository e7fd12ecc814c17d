"""The relay between the real database and a broker inside this process."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.queue import BrokerDownError, Queue
from grader.receive import Sent, receive_notebook
from grader.relay import Reconciler, Relay, send_due
from grader.settings import Settings
from grader.store import attempts, lease_watch, open_store, submissions
from grader.store.tables import Attempt
from tests.grader.arithmetic import RIGHT

NAME = "tensorflow.interactive"
GRACE = 10.0
DAY = 86_400.0


@pytest.fixture
def queue(settings):
    made = Queue(settings)
    made._celery.connection_for_write().default_channel.queue_purge(NAME) if made.depth(NAME) else None
    yield made
    made.close()


@pytest.fixture
def attempt(store):
    receipt = receive_notebook(store, Sent("tests/arithmetic", "ada", RIGHT))
    with store.read() as session:
        return submissions.progress(session, receipt.submission).attempt


def test_a_queued_attempt_is_sent_once(store, queue, attempt):
    assert (send_due(store, queue), send_due(store, queue)) == (1, 0)
    assert queue.depth(NAME) == 1


def test_while_the_broker_is_away_nothing_is_lost(store, queue, attempt, settings):
    away = Queue(
        settings.model_copy(
            update={"broker_url": Settings(broker_url="redis+socket:///none/there").broker_url}
        )
    )
    with pytest.raises(BrokerDownError):
        send_due(store, away)
    assert send_due(store, queue) == 1


def test_a_message_that_the_broker_lost_is_sent_again_once_it_is_missing_at_two_looks(store, queue, attempt):
    reconciler = Reconciler(store, queue, lease_seconds=60, grace_seconds=GRACE)
    send_due(store, queue)
    queue._celery.connection_for_write().default_channel.queue_purge(NAME)
    reconciler.sweep()
    reconciler.sweep()
    assert send_due(store, queue) == 0, "a young message may still be on its way"
    reconciler = Reconciler(store, queue, lease_seconds=60, grace_seconds=0)
    reconciler.sweep()
    assert send_due(store, queue) == 0, "a worker may have taken it just now"
    reconciler.sweep()
    assert send_due(store, queue) == 1


def test_a_message_that_is_only_waiting_is_not_sent_again(store, queue, attempt):
    send_due(store, queue)
    sweep_for(Reconciler(store, queue, lease_seconds=60, grace_seconds=0), seconds=0)
    assert send_due(store, queue) == 0


def test_a_lost_message_is_found_although_the_clock_was_put_back_since(store, queue, attempt):
    send_due(store, queue)
    queue._celery.connection_for_write().default_channel.queue_purge(NAME)
    move(store, attempt, message_at=time.time() + DAY)
    sweep_for(Reconciler(store, queue, lease_seconds=60, grace_seconds=GRACE), seconds=0)
    assert send_due(store, queue) == 1


def test_a_retry_is_due_although_the_clock_was_put_back_since(store, queue, attempt):
    move(store, attempt, not_before=time.time() + DAY)
    assert send_due(store, queue) == 1


def test_the_attempt_of_a_silent_worker_is_sent_to_the_next(store, queue, attempt):
    reconciler = Reconciler(store, queue, lease_seconds=0.4, grace_seconds=GRACE)
    send_due(store, queue)
    claim(store, attempt)
    reconciler.sweep()
    assert send_due(store, queue) == 0, "one look tells nothing"
    sweep_until(reconciler, lambda: state(store, attempt) == "queued")
    assert send_due(store, queue) == 1


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_jumps_ends_no_lease_and_keeps_none_alive(store, queue, attempt, monkeypatch, jump):
    reconciler = Reconciler(store, queue, lease_seconds=1, grace_seconds=GRACE)
    lease = claim(store, attempt)
    reconciler.sweep()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    with store.write() as session:
        assert attempts.renew(session, lease, seconds=60)
    sweep_for(reconciler, seconds=0.3)
    assert state(store, attempt) == "running"
    sweep_until(reconciler, lambda: state(store, attempt) == "queued")


def test_a_lease_is_not_blamed_for_a_database_that_made_everybody_wait(store, queue, attempt, monkeypatch):
    """The renewal is there, but nobody sees it before the lock is over, and by then the lease would be."""
    monkeypatch.setattr(lease_watch, "PATIENCE_SECONDS", 0.2)
    reconciler = Reconciler(store, queue, lease_seconds=1, grace_seconds=GRACE)
    lease, over = claim(store, attempt), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        swept = pool.submit(sweep_until, reconciler, over.is_set)
        with store.write() as session:
            assert attempts.renew(session, lease, seconds=60)
            time.sleep(2)
        time.sleep(0.3)
        over.set()
        swept.result()
    assert state(store, attempt) == "running"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_lock_that_ends_just_when_a_lease_does_blames_nobody(store, queue, attempt, settings):
    """The worker could not renew until now, and does so at its next heartbeat."""
    reconciler = Reconciler(store, queue, lease_seconds=1, grace_seconds=GRACE)
    lease, other = claim(store, attempt), open_store(settings)
    with ThreadPoolExecutor(1) as pool:
        swept = pool.submit(sweep_for, reconciler, seconds=2)
        with other.write() as session:
            session.connection()
            time.sleep(1.2)
        while not swept.done():
            time.sleep(0.2)
            with other.write() as session:
                attempts.renew(session, lease, seconds=60)
        swept.result()
    other.close()
    assert state(store, attempt) == "running"


def sweep_for(reconciler, *, seconds):
    """Sweep at short intervals for so long, at least twice."""
    ends = time.monotonic() + seconds
    reconciler.sweep()
    while time.monotonic() < ends:
        time.sleep(0.05)
        reconciler.sweep()
    reconciler.sweep()


def sweep_until(reconciler, reached):
    """Sweep at short intervals until it is so."""
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        reconciler.sweep()
        time.sleep(0.05)


def claim(store, attempt):
    with store.write() as session:
        return attempts.claim(session, attempt, seconds=60)


def move(store, attempt, **moments):
    """Change when something happened to an attempt."""
    with store.write() as session:
        for name, moment in moments.items():
            setattr(session.get_one(Attempt, attempt), name, moment)


def state(store, attempt):
    with store.read() as session:
        return session.get_one(Attempt, attempt).state


def test_the_thread_sends_what_comes_when_it_is_woken(store, queue):
    running = Relay(store, queue, sweep_seconds=30, lease_seconds=60)
    running.start()
    try:
        receive_notebook(store, Sent("tests/arithmetic", "ada", RIGHT))
        running.wake()
        deadline = time.monotonic() + 5
        while queue.depth(NAME) == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert queue.depth(NAME) == 1
    finally:
        running.stop()
