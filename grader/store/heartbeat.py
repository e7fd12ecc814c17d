"""A thread that keeps leases alive while their owner is busy."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()


class Heartbeat:
    """A context that calls ``renew`` every so many seconds. A database that is away is asked again."""

    def __init__(self, renew: Callable[[], None], *, every: float) -> None:
        self._renew = renew
        self._every = every
        self._stopping = threading.Event()
        # With the context of whoever made it: what the thread logs has the same ids.
        beat = partial(contextvars.copy_context().run, self._beat)
        self._thread = threading.Thread(target=beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._renew()
            except SQLAlchemyError as error:
                log.warning("heartbeat failed", error=str(error))
            # A bug: told in full, and tried again. A heart that stops costs its owner the lease.
            except Exception:
                log.exception("heartbeat failed")
