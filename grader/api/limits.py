"""Rate limits: a token bucket for each caller, in this process's memory.

One API process is the normal case. Several processes each count for themselves, so that together they answer
up to so many times as much: writing every request to a shared place would cost more than it protects.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BURST_SECONDS = 10.0
MANY = 10_000


class Buckets:
    """``rate`` requests a second for each key, and ten seconds' worth at once."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = max(1.0, rate * BURST_SECONDS)
        self._clock = clock
        self._lock = threading.Lock()
        # By key: how many requests are left, and since when that is so.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """0 where the request may go on; otherwise the seconds until one may."""
        with self._lock:
            now = self._clock()
            left = self._now_left(key, now)
            if left >= 1:
                self._forget_full(now)
                self._left[key] = (left - 1, now)
                return 0.0
            self._left[key] = (left, now)
            return (1 - left) / self._rate

    def _now_left(self, key: str, now: float) -> float:
        left, since = self._left.get(key, (self._burst, now))
        return min(self._burst, left + (now - since) * self._rate)

    def _forget_full(self, now: float) -> None:
        if len(self._left) >= MANY:
            self._left = {
                key: entry for key, entry in self._left.items() if self._now_left(key, now) < self._burst
            }
