"""The sending side of Celery: ids go in, nothing comes back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from amqp.exceptions import AMQPError  # type: ignore[import-untyped]
from celery import Celery  # type: ignore[import-untyped]
from kombu.entity import Exchange
from kombu.entity import Queue as BrokerQueue
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from grader.settings import Settings, celery_settings

GRADE = "worker.tasks.grade"
REGRADE = "worker.regrading.preview"
# What a broker that is away raises, by transport.
BROKER_ERRORS = (OperationalError, KombuError, RedisError, AMQPError, OSError)


class BrokerDownError(Exception):
    """The broker did not answer; whatever was to be sent is still to be sent."""


class Queue:
    """The broker as the service sees it; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._celery = Celery("grader", set_as_current=False)
        configuration = celery_settings(settings)
        # A broker that is away is asked again by the relay, not by the sender.
        configuration["broker_transport_options"] |= {"max_retries": 1, "interval_start": 0}
        self._celery.conf.update(configuration)

    def send(self, attempt_id: str, queue: str) -> None:
        """Tell the workers of ``queue`` about an attempt; raises BrokerDownError."""
        self._send(GRADE, attempt_id, queue)

    def send_regrade(self, regrade_id: str, queue: str) -> None:
        """Tell the workers of ``queue`` about a regrade; raises BrokerDownError."""
        self._send(REGRADE, regrade_id, queue)

    def _send(self, task: str, about: str, queue: str) -> None:
        try:
            self._celery.send_task(task, args=[about], queue=queue, retry=False, ignore_result=True)
        except BROKER_ERRORS as error:
            raise BrokerDownError(str(error)) from error

    def depth(self, queue: str) -> int:
        """Messages that no worker has taken yet; raises BrokerDownError."""
        try:
            with self._celery.connection_for_write() as connection:
                # As the workers declare it: a broker of AMQP refuses any difference.
                declared = _declared(queue)(connection.default_channel).queue_declare()
                return int(declared.message_count)
        except BROKER_ERRORS as error:
            raise BrokerDownError(str(error)) from error

    def ping(self) -> None:
        """Raises BrokerDownError unless the broker answers."""
        try:
            with self._celery.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2)
        except BROKER_ERRORS as error:
            raise BrokerDownError(str(error)) from error

    def workers(self, *, timeout: float = 1.0) -> int:
        """How many worker hosts answer within ``timeout`` seconds; raises BrokerDownError."""
        try:
            return len(self._celery.control.ping(timeout=timeout) or [])
        except BROKER_ERRORS as error:
            raise BrokerDownError(str(error)) from error

    def warm_servers(self, *, timeout: float = 1.0) -> dict[str, int]:
        """By environment: hosts that answer within ``timeout`` seconds and take notebooks for it.

        Raises BrokerDownError.
        """
        try:
            answers = self._celery.control.broadcast("warm_servers", reply=True, timeout=timeout) or []
        except BROKER_ERRORS as error:
            raise BrokerDownError(str(error)) from error
        ready: Counter[str] = Counter()
        for answer in answers:
            for said in answer.values():
                ready.update(said)
        return dict(ready)

    def close(self) -> None:
        """Give the connections back."""
        self._celery.close()


def _declared(name: str) -> Any:
    return BrokerQueue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]
