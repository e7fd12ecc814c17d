"""Which of the student's elements is which of the author's, where they may stand in any order.

Elements are first told apart by what must be equal (their group), then by each of their numbers: sorted, they
fall into clusters wherever a gap is wider than the tolerance reaches. Only inside a cluster, where side by
side they do not agree, elements are tried one with another, and in the end assigned so that every one gets a
partner if that is possible at all. All steps but the last cost no more than sorting; the last has a budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from checks.compare.closeness import Tolerance
from checks.compare.content import Numbers
from checks.errors import UndecidedError

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Alike = Callable[[Places, Places], Flags]
MAX_TRIED = 3_000_000
_ROUNDS = 4
_CHUNK = 200_000
_SLACK = 1e-9  # of the tolerance: a cluster may be too wide, never too narrow


class Sides(NamedTuple):
    """One whole number an element, the student's and the author's; only elements of one number may agree."""

    seen: Places
    expected: Places


class Band(NamedTuple):
    """One number an element (finite), and how far from the author's the student's may be."""

    seen: Floats
    expected: Floats
    reach: Floats


class Budget:
    """How many pairs may still be tried, each at the given ``cost``.

    ``trying`` while elements are tried one with another. What is matched inside of an element draws on the
    same budget, and then pays for each of its own elements, too.
    """

    def __init__(self, cost: int = 1) -> None:
        self._left, self._cost = MAX_TRIED, cost
        self.trying = False

    def pay_inside(self, count: int) -> None:
        """Pay for ``count`` elements inside of one that is being tried; else they cost nothing."""
        if self.trying:
            self.spend(count)

    def spend(self, pairs: int) -> None:
        """Raises UndecidedError where the limit is reached."""
        self._left -= pairs * self._cost
        if self._left < 0:
            raise UndecidedError(
                "the values are too many that are nearly alike to be matched in any order within the limits"
            )


# The budget of the matching that goes on: what is matched inside of elements is a part of it.
_spending: ContextVar[Budget | None] = ContextVar("spending", default=None)


def budget_here(cost: int) -> Budget:
    """A new budget; inside of another matching that one's."""
    return _spending.get() or Budget(cost)


def band(seen: Numbers, expected: Numbers, tolerance: Tolerance) -> Band:
    """Numbers with the reach of the tolerance, of complex ones the real parts. What is not finite is told
    apart by groups: it must be equal."""
    seen, expected = (np.where(np.isfinite(each), each, 0.0) for each in (seen, expected))
    size = np.abs(expected)
    with np.errstate(over="ignore"):
        reach = (tolerance.absolute + tolerance.relative * size) * (1 + _SLACK) + 4 * np.spacing(size)
    return Band(seen.real.astype(np.float64), expected.real.astype(np.float64), reach)


def finite_codes(seen: Numbers, expected: Numbers) -> Sides:
    """Groups of numbers that are not finite: NaN, the one infinity and the other."""
    return Sides(
        *(
            np.where(np.isnan(each), 3, np.where(np.isinf(each), 1 + (each.real > 0), 0))
            for each in (seen, expected)
        )
    )


def codes(seen: Sequence[object], expected: Sequence[object]) -> Sides:
    """Keys as whole numbers, equal ones alike."""
    known: dict[object, int] = {}
    found = [
        np.array([known.setdefault(key, len(known)) for key in keys], np.intp) for keys in (seen, expected)
    ]
    return Sides(*found)


def both(one: Sides, other: Sides) -> Sides:
    """Groups that agree in two respects."""
    width = 1 + max(other.seen.max(initial=0), other.expected.max(initial=0))
    _, dense = np.unique(
        np.concatenate([one.seen * width + other.seen, one.expected * width + other.expected]),
        return_inverse=True,
    )
    return Sides(dense[: len(one.seen)], dense[len(one.seen) :])


def matched(
    sides: Sides, bands: Sequence[Band], alike: Alike, budget: Budget, *, sorting: bool = False
) -> Places | None:
    """For each of the author's elements the place of the student's that is its own; None where one has none.

    ``alike`` decides over pairs of places, element by element. ``sorting``: the groups and a single band
    decide alone, so that elements that do not agree when sorted never do. Raises UndecidedError.
    """
    before, trying = _spending.set(budget), budget.trying
    try:
        return _matched(sides, bands, alike, budget, sorting=sorting)
    finally:
        _spending.reset(before)
        budget.trying = trying


def _matched(
    sides: Sides, bands: Sequence[Band], alike: Alike, budget: Budget, *, sorting: bool
) -> Places | None:
    if not (len(sides.seen) or len(sides.expected)):
        return sides.seen
    settled = _settled(sides, bands) if _even(sides) else None
    if settled is None:
        return None
    theirs = np.lexsort([*(each.seen for each in reversed(bands)), settled.seen])
    ours = np.lexsort([*(each.expected for each in reversed(bands)), settled.expected])
    agree, places = alike(theirs, ours), np.empty(len(ours), dtype=np.intp)
    places[ours] = theirs
    if agree.all() or sorting:
        return places if agree.all() else None
    budget.trying = True
    starts = np.flatnonzero(np.diff(settled.expected[ours], prepend=-1))
    for run in np.split(np.arange(len(ours)), starts[1:]):
        if not agree[run].all():
            found = _assigned(theirs[run], ours[run], bands, alike, budget)
            if found is None:
                return None
            places[ours[run]] = found
    return places


def _settled(sides: Sides, bands: Sequence[Band]) -> Sides | None:
    """The groups cut into clusters until no number cuts them any further; None where numbers of elements
    differ."""
    before = -1
    for _ in range(_ROUNDS):
        for each in bands:
            if (cut := _cut(sides, each)) is None:
                return None
            sides = cut
        if not _even(sides):
            return None
        count = len(np.unique(sides.expected))
        if count == before or not bands:
            break
        before = count
    return sides


def _even(sides: Sides) -> bool:
    most = 1 + max(sides.seen.max(initial=-1), sides.expected.max(initial=-1))
    seen, expected = (np.bincount(each, minlength=most) for each in sides)
    return np.array_equal(seen, expected)


def _cut(sides: Sides, numbers: Band) -> Sides | None:
    """Each group in clusters that no element's reach connects; None where an element is out of all reach.

    Numbers are replaced by their ranks, so that whole groups can be gone through in one line.
    """
    count = len(numbers.expected)
    low, high = numbers.expected - numbers.reach, numbers.expected + numbers.reach
    _, ranks = np.unique(np.concatenate([low, high, numbers.seen]), return_inverse=True)
    width = 1 + int(ranks.max(initial=0))
    lows, highs = sides.expected * width + ranks[:count], sides.expected * width + ranks[count : 2 * count]
    points = sides.seen * width + ranks[2 * count :]
    order = np.argsort(lows, kind="stable")
    ends = np.maximum.accumulate(highs[order]) if count else highs
    begins = np.flatnonzero(np.concatenate([[True], lows[order][1:] > ends[:-1]])) if count else order
    cluster = np.empty(count, dtype=np.intp)
    cluster[order] = np.searchsorted(begins, np.arange(count), side="right") - 1
    theirs = np.searchsorted(lows[order][begins], points, side="right") - 1
    last = np.append(begins[1:], count) - 1
    if (theirs < 0).any() or (points > ends[last][theirs]).any():
        return None
    return Sides(theirs.astype(np.intp), cluster)


def _assigned(
    theirs: Places, ours: Places, bands: Sequence[Band], alike: Alike, budget: Budget
) -> Places | None:
    """For each of ``ours`` one of ``theirs``, each taken once."""
    partners = _partners(theirs, ours, bands, alike, budget)
    if partners is None:
        return None
    taken: dict[int, int] = {}
    for at in sorted(range(len(ours)), key=lambda each: len(partners[each])):
        if not _placed(at, partners, taken, budget):
            return None
    places = np.empty(len(ours), dtype=np.intp)
    for place, at in taken.items():
        places[at] = theirs[place]
    return places


def _partners(
    theirs: Places, ours: Places, bands: Sequence[Band], alike: Alike, budget: Budget
) -> list[list[int]] | None:
    """Of each of ``ours`` the positions in ``theirs`` that are like it; None where one has none. Tried are
    those within reach by the number that leaves the fewest."""
    order, begin, count = _windows(theirs, ours, bands)
    found: list[list[int]] = []
    at = 0
    while at < len(ours):
        upto = max(at + 1, int(np.searchsorted(np.cumsum(count[at:]), _CHUNK)) + at)
        budget.spend(int(count[at:upto].sum()))
        rows = np.repeat(np.arange(at, upto), count[at:upto])
        ahead = np.arange(len(rows)) - np.repeat(np.cumsum(count[at:upto]) - count[at:upto], count[at:upto])
        tried = order[begin[rows] + ahead]
        good = alike(theirs[tried], ours[rows])
        kept = np.split(tried[good], np.searchsorted(rows[good], np.arange(at + 1, upto)))
        if not all(map(len, kept)):
            return None
        found += [each.tolist() for each in kept]
        at = upto
    return found


def _windows(theirs: Places, ours: Places, bands: Sequence[Band]) -> tuple[Places, Places, Places]:
    """An order of ``theirs``, and for each of ours where in it the window to try begins, and its length."""
    whole = np.arange(len(theirs))
    best = (whole, np.zeros(len(ours), dtype=np.intp), np.full(len(ours), len(theirs), dtype=np.intp))
    for each in bands:
        order = np.argsort(each.seen[theirs], kind="stable")
        line, middle, reach = each.seen[theirs][order], each.expected[ours], each.reach[ours]
        begin = np.searchsorted(line, middle - reach, side="left")
        count = np.searchsorted(line, middle + reach, side="right") - begin
        if count.sum() < best[2].sum():
            best = (order, begin, count)
    return best


def _placed(start: int, partners: list[list[int]], taken: dict[int, int], budget: Budget) -> bool:
    """Whether ``start`` gets a partner, others moving on where they can (by an augmenting path)."""
    came_from: dict[int, tuple[int, int | None]] = {}
    line: list[tuple[int, int | None]] = [(start, None)]
    for at, through in line:
        budget.spend(len(partners[at]))
        for place in partners[at]:
            if place in came_from:
                continue
            came_from[place] = (at, through)
            if place not in taken:
                _move_on(place, came_from, taken)
                return True
            line.append((taken[place], place))
    return False


def _move_on(place: int, came_from: dict[int, tuple[int, int | None]], taken: dict[int, int]) -> None:
    step: int | None = place
    while step is not None:
        at, before = came_from[step]
        taken[step] = at
        step = before
