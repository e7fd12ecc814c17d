"""What the service needs of its host, and what is missing, with a remedy each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import msgspec

from grader import embedded_redis
from grader.queue import BrokerDownError, Queue
from grader.settings import Settings

OLDEST_PYTHON = (3, 11)


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at: ``ok`` or not, and what was found or what would mend it."""

    what: str
    ok: bool
    detail: str


def host_findings(settings: Settings) -> Iterator[Finding]:
    """Everything but the sandbox's own parts (see ``grader.local.sandbox_findings``)."""
    yield _python()
    yield _data_dir(settings)
    yield _redis(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= OLDEST_PYTHON
    return Finding("python", fine, version if fine else f"{version}: 3.11 or newer is needed")


def _data_dir(settings: Settings) -> Finding:
    try:
        settings.make_folders()
    except OSError as error:
        return Finding("data directory", False, f"{error}: set GRADER_DATA_DIR to a folder of your own")
    writable = os.access(settings.data_dir, os.W_OK)
    detail = (
        str(settings.data_dir) if writable else f"{settings.data_dir} cannot be written: set GRADER_DATA_DIR"
    )
    return Finding("data directory", writable, detail)


def _redis(settings: Settings) -> Finding:
    if settings.broker_url is not None:
        return _configured_broker(settings)
    try:
        return Finding("redis", True, str(embedded_redis.find_server()))
    except embedded_redis.NoRedisError as error:
        return Finding("redis", False, str(error))


def _configured_broker(settings: Settings) -> Finding:
    queue = Queue(settings)
    try:
        queue.ping()
    except BrokerDownError as error:
        return Finding("redis", False, f"the configured broker does not answer: {error}")
    finally:
        queue.close()
    return Finding("redis", True, "the configured broker answers")
