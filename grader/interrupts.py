"""Ctrl-C that is not lost.

Python raises KeyboardInterrupt wherever the main thread is just then. In a callback of a library (a
finaliser, a schema that is being built) it is printed as ignored and forgotten. So it is noted down as well.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

CHECK_SECONDS = 0.5

T = TypeVar("T")


class Interrupts:
    """Whether there was one."""

    def __init__(self) -> None:
        self.came = threading.Event()

    def result(self, future: Future[T]) -> T:
        """The future's result; raises KeyboardInterrupt after an interrupt, whatever became of the first."""
        while not wait([future], timeout=CHECK_SECONDS).done:
            if self.came.is_set():
                raise KeyboardInterrupt
        return future.result()


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Note down interrupts while the block runs; for the main thread."""
    found = Interrupts()

    def note(number: int, frame: FrameType | None) -> None:
        found.came.set()
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)
