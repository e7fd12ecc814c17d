"""The relay between the real database and a broker inside this process."""

from __future__ import annotations

import time

import pytest

from grader import relay
from grader.queue import BrokerDownError, Queue
from grader.receive import Sent, receive_notebook
from grader.relay import Relay, send_due, sweep
from grader.settings import Settings
from grader.store import attempts, submissions
from tests.grader.arithmetic import RIGHT

NAME = "tensorflow.interactive"


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


def test_a_message_that_the_broker_lost_is_sent_again(store, queue, attempt, monkeypatch):
    send_due(store, queue)
    queue._celery.connection_for_write().default_channel.queue_purge(NAME)
    sweep(store, queue)
    assert send_due(store, queue) == 0, "a young message may still be on its way"
    monkeypatch.setattr(relay, "GRACE_SECONDS", 0)
    sweep(store, queue)
    assert send_due(store, queue) == 1


def test_a_message_that_is_only_waiting_is_not_sent_again(store, queue, attempt, monkeypatch):
    monkeypatch.setattr(relay, "GRACE_SECONDS", 0)
    send_due(store, queue)
    sweep(store, queue)
    assert send_due(store, queue) == 0


def test_the_attempt_of_a_silent_worker_is_sent_to_the_next(store, queue, attempt):
    send_due(store, queue)
    with store.write() as session:
        attempts.claim(session, attempt, seconds=-1)
    sweep(store, queue)
    assert send_due(store, queue) == 1


def test_the_thread_sends_what_comes_when_it_is_woken(store, queue):
    running = Relay(store, queue, sweep_seconds=30)
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
