"""News for those who watch, told by a thread of its own.

A run must not wait for the database at each quick cell, nor for a judge. What is told must not stay behind,
either: a cell that runs for a minute is told of although the one before it was told of a moment ago.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Generic, Self, TypeVar

import structlog

log = structlog.get_logger()
T = TypeVar("T")


class Teller(Generic[T]):
    """A context; ``tell`` gets what is given, of each subject the newest, in its thread.

    After each round it rests for ``every`` seconds.

    What has not been told when the context ends is not told any more: then the end itself is the news.
    """

    def __init__(self, tell: Callable[[T], None], *, every: float, name: str = "teller") -> None:
        self._tell = tell
        self._every = every
        self._newest: dict[str, T] = {}
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        run = partial(contextvars.copy_context().run, self._run)
        self._thread = threading.Thread(target=run, name=name, daemon=True)

    def give(self, news: T, about: str = "") -> None:
        """Let it be told soon, unless something newer about the same comes first. Returns at once."""
        with self._wake:
            self._newest[about] = news
            self._wake.notify()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._wake:
            self._stopping.set()
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._newest or self._stopping.is_set())
                newest, self._newest = self._newest, {}
            for news in newest.values():
                if self._stopping.is_set():
                    return
                self._tell_one(news)
            if self._stopping.wait(self._every):
                return

    def _tell_one(self, news: T) -> None:
        try:
            self._tell(news)
        # A bug costs one piece of news, not all that comes later, and never the run.
        except Exception:
            log.exception("news were not told")
