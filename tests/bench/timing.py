"""Timing: repeat, take the median, keep the extremes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Seconds of several runs."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        extremes = f"{_spell(min(self.values))} to {_spell(max(self.values))}"
        return f"{_spell(self.median)} ({extremes}, {len(self.values)} runs)"


def _spell(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def repeat(times: int, work: Callable[[], object], warm_up: int = 1) -> Times:
    """Run ``work`` a few times for warmth, then ``times`` times on the clock."""
    for _ in range(warm_up):
        work()
    values = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        values.append(time.perf_counter() - started)
    return Times(tuple(values))


@dataclass(frozen=True)
class Row:
    """One line of the table: what, ours, the other's, and the ratio with its target."""

    what: str
    ours: str
    other: str = ""
    ratio: str = ""
    target: str = ""
