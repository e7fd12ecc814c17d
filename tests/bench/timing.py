"""Timing: repeat, take the median, keep the extremes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

REFILL_SECONDS = 0.7  # after so long, as many kernels as are wanted stand by again


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


@dataclass(frozen=True)
class Clock:
    """Repeats work on the clock; ``most`` bounds the repetitions, for a quick look."""

    most: int | None = None

    def repeat(
        self, times: int, work: Callable[[], object], *, warm_up: int = 1, pause: float = 0.0
    ) -> Times:
        """Run ``work`` a few times for warmth, then ``times`` times on the clock, ``pause`` seconds apart."""
        for _ in range(warm_up):
            work()
        values = []
        for _ in range(times if self.most is None else min(times, self.most)):
            time.sleep(pause)
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

    def markdown(self) -> str:
        """The line of a table in Markdown."""
        return f"| {self.what} | {self.ours} | {self.other} | {self.ratio} | {self.target} |"


HEAD = "| what | here | elsewhere | ratio | target |\n|---|---|---|---|---|"
