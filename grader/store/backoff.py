"""When an event that did not arrive is sent again, and when it is given up."""

from __future__ import annotations

import random

import msgspec

GROWTH = 4
LONGEST_PAUSE = 86_400.0
SPREAD = 0.5
_STEPS = 30  # beyond so many the longest pause was reached long ago, and floats would overflow


class Backoff(msgspec.Struct, frozen=True):
    """``first``: seconds before the second try. ``tries``: how many make a round; after it one gives up.

    Whoever has a message sent again begins another round.
    """

    first: float
    tries: int

    def again_in(self, tries: int) -> float | None:
        """Seconds until the next try after ``tries`` failed ones in all; None where the round is over."""
        in_round = (tries - 1) % self.tries + 1
        return None if in_round == self.tries else pause(in_round, self.first)

    def longest(self) -> tuple[float, ...]:
        """The longest pause after one try of a round, after two, …; the last for all further ones."""
        middles = [_middle(tries, self.first) for tries in range(1, min(self.tries, _STEPS) + 1)]
        return tuple((1 + SPREAD) * seconds for seconds in middles)


def pause(tries: int, first: float) -> float:
    """Seconds until the next try after ``tries`` failed ones.

    Exponential up to a day, then spread over half of it either way, so that many messages that failed
    together do not come back together.
    """
    return float(random.uniform(1 - SPREAD, 1 + SPREAD) * _middle(tries, first))


def _middle(tries: int, first: float) -> float:
    return min(first * float(GROWTH ** min(tries - 1, _STEPS)), LONGEST_PAUSE)
