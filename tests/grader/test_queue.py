"""What is told to which broker; what happens while it is away."""

from __future__ import annotations

import pytest
from kombu.transport.pyamqp import Connection

from grader.queue import BrokerDownError, Queue, _declared
from grader.settings import Settings, celery_settings
from worker.app import app

REDIS_ONLY = {"visibility_timeout", "unacked_restore_interval", "queue_order_strategy"}
BROKERS = {
    "redis://127.0.0.1:1/0": "redis",
    "rediss://127.0.0.1:1/0": "redis",
    "sentinel://127.0.0.1:1": "redis",
    "redis+socket:///no/such/socket": "redis",
    "amqp://guest@127.0.0.1:1//": "amqp",
    "pyamqp://guest@127.0.0.1:1//": "amqp",
    "memory://": "",
}
REFUSING = [url for url in BROKERS if url.startswith(("redis:", "redis+socket:", "amqp:", "pyamqp:"))]


def with_broker(url: str) -> Settings:
    return Settings(broker_url=url)  # type: ignore[arg-type]


@pytest.mark.parametrize(("url", "kind"), BROKERS.items())
def test_each_broker_gets_the_options_that_it_knows(url, kind):
    told = celery_settings(with_broker(url))["broker_transport_options"]
    assert (set(told) >= REDIS_ONLY, told.get("confirm_publish", False)) == (kind == "redis", kind == "amqp")


def test_amqp_takes_all_of_its_options():
    told = celery_settings(with_broker("amqp://guest@127.0.0.1:1//"))["broker_transport_options"]
    assert Connection(**told).confirm_publish is True


@pytest.mark.parametrize(
    "url", [url for url in BROKERS if not url.startswith(("memory", "sentinel", "rediss"))]
)
def test_a_broker_that_is_away_is_one_error_whatever_its_kind(url):
    queue = Queue(with_broker(url))
    try:
        for ask in (
            queue.ping,
            lambda: queue.send("an-attempt", "python.interactive"),
            lambda: queue.depth("python.interactive"),
            lambda: queue.workers(timeout=0.1),
        ):
            with pytest.raises(BrokerDownError):
                ask()
    finally:
        queue.close()


def test_senders_and_workers_declare_a_queue_alike():
    """A broker of AMQP refuses the one that comes second with anything else."""
    theirs = next(iter(app.amqp.queues.values()))
    ours = _declared(theirs.name)
    names = ("name", "durable", "auto_delete", "exclusive", "routing_key", "queue_arguments", "max_priority")
    assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]
    assert (ours.exchange.name, ours.exchange.type) == (theirs.exchange.name, theirs.exchange.type)


def test_messages_carry_an_id_as_json_and_nothing_else(settings):
    made = celery_settings(settings)
    assert (made["accept_content"], made["task_serializer"]) == (["json"], "json")
    assert all(made[name] for name in ("task_acks_late", "task_reject_on_worker_lost", "task_ignore_result"))
    assert made["worker_prefetch_multiplier"] == 1
    assert (
        celery_settings(with_broker("redis://x"))["broker_transport_options"]["visibility_timeout"]
        > (made["task_time_limit"])
    )
