"""Finds leases that nobody renews, by watching them instead of comparing clocks.

Every heartbeat changes its lease's row. Who watches remembers, by its own monotonic clock, since when a row
has been the same. So a clock that jumps, or hosts whose clocks differ, neither end a lease nor keep a dead
worker's alive. The price: after a restart, a watcher needs one lease's time before it knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


class Silence(Generic[Seen]):
    """Remembers what it was shown; ``seconds`` without a change is silence."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._looked = clock()
        self._since: dict[Seen, float] = {}

    def look(self, beats: Iterable[Seen]) -> list[Seen]:
        """Show the held leases as they are now; returns those that have been the same for too long."""
        now = self._clock()
        if now - self._looked > self._seconds / 2:
            # This process was stopped, or waited for the database as the workers may have done.
            self.reset()
        self._looked = now
        self._since = {beat: self._since.get(beat, now) for beat in beats}
        return self.unchanged(self._seconds)

    def unchanged(self, seconds: float) -> list[Seen]:
        """Of what was shown last: those that have been the same for so long."""
        return [beat for beat, since in self._since.items() if self._looked - since > seconds]

    def reset(self) -> None:
        """Give everybody their whole time again: it was we who could not look."""
        self._since.clear()
