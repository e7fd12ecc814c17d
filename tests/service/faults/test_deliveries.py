"""The process that delivers webhooks is killed while a receiver has not answered yet."""

from __future__ import annotations

import time

import pytest

from grader.settings import Settings
from grader.store import open_store, webhooks
from tests.grader.receiver import NAME, receiving
from tests.grader.test_lease_watch import an_event
from tests.serving import api, prepare

pytestmark = [pytest.mark.service, pytest.mark.faults]

LEASE = 2.0


@pytest.fixture
def settings(tmp_path):
    return Settings(
        data_dir=tmp_path / "data",
        broker_url="redis+socket:///none/there",  # type: ignore[arg-type]
        lease_seconds=LEASE,
        sweep_seconds=0.2,
        webhook_local=True,
    )


def test_an_event_whose_sender_was_killed_is_sent_again_under_its_id(settings):
    prepare(settings)
    store = open_store(settings)
    try:
        with receiving() as receiver:
            receiver.answers, receiver.drip = [(200, {}, b"slow" * 100)], 0.5
            made = an_event(store, receiver.url.replace(NAME, "127.0.0.1"))
            with api(settings) as served:
                receiver.until(lambda: len(receiver.got) == 1)
                served.process.kill()
                served.process.wait()
            receiver.drip = 0.0
            assert delivery(store, made).state == "pending"
            with api(settings):
                receiver.until(lambda: len(receiver.got) == 2)
                deadline = time.monotonic() + 30
                while delivery(store, made).state != "delivered":
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
    finally:
        store.close()
    assert {got.headers["webhook-id"] for got in receiver.got} == {delivery(store, made).id}


def delivery(store, webhook):
    with store.read() as session:
        [found] = webhooks.deliveries(session, "tests", webhook)
    return found
