"""Two columns cell by cell: numbers within tolerance, dates at any unit, texts, any objects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.compare import content, structure
from checks.compare.closeness import Tolerance
from checks.compare.content import Numbers
from checks.compare.keyed import Keyed, keyed, told_apart
from checks.compare.matching import Band, Sides, band, codes, finite_codes
from checks.evidence import values as v

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class Cells:
    """Two columns beside each other, read once: pairs of their cells, and what tells their cells apart."""

    def __init__(self, seen: v.Array, expected: v.Array, tolerance: Tolerance) -> None:
        self._seen, self._expected, self._tolerance = seen, expected, tolerance
        numbers, wanted = content.numbers(seen), content.numbers(expected)
        self._numbers: tuple[Numbers, Numbers] | None = None
        if (
            numbers is not None
            and wanted is not None
            and not (content.beyond(seen) and content.beyond(expected))
        ):
            self._numbers = numbers, wanted
        self._moments = content.holds_moments(seen) and content.holds_moments(expected)
        self.plain = self._numbers is not None or self._moments

    def close(self, at: Places, beside: Places) -> Flags:
        """Whether each cell of the student's ``at`` a place is like the author's ``beside`` it."""
        if self._numbers is not None:
            return self._tolerance.close(self._numbers[0][at], self._numbers[1][beside])
        if self._moments:
            return _same_moments(self._seen, self._expected, at, beside, self._tolerance)
        theirs, ours = self._cells
        return np.array(
            [
                same_cell(theirs[one], ours[other], self._tolerance)
                for one, other in zip(at, beside, strict=True)
            ],
            dtype=bool,
        )

    def told_apart(self) -> tuple[Sides, list[Band]]:
        """Groups and numbers of the cells, for :func:`checks.compare.matching.matched`."""
        if self._numbers is not None:
            return _numbers_apart(*self._numbers, self._tolerance)
        if self._moments:
            return codes(content.moment_texts(self._seen), content.moment_texts(self._expected)), []
        theirs, ours = self._cells
        return told_apart([*map(_keyed_cell, theirs)], [*map(_keyed_cell, ours)], self._tolerance)

    @cached_property
    def _cells(self) -> tuple[Sequence[v.AnyNode], Sequence[v.AnyNode]]:
        return _cells(self._seen, self._expected), _cells(self._expected, self._seen)


def _numbers_apart(seen: Numbers, expected: Numbers, tolerance: Tolerance) -> tuple[Sides, list[Band]]:
    whole = {seen.dtype.kind, expected.dtype.kind} <= {"i", "u"}
    if whole and tolerance.whole_exactly and not tolerance.absolute:
        _, dense = np.unique(np.concatenate([seen, expected]), return_inverse=True)
        return Sides(dense[: len(seen)], dense[len(seen) :]), []
    return finite_codes(seen, expected), [band(seen, expected, tolerance)]


def _keyed_cell(node: v.AnyNode) -> Keyed:
    return Keyed(None) if content.gap(node) else keyed(node)


def cells_close(seen: v.Array, expected: v.Array, tolerance: Tolerance) -> Flags:
    """Whether each cell of ``seen`` is like the one at its place in ``expected``."""
    return Cells(seen, expected, tolerance).close(np.arange(seen.shape[0]), np.arange(expected.shape[0]))


def same_cell(seen: v.AnyNode, expected: v.AnyNode, tolerance: Tolerance) -> bool:
    """One cell; a missing one (None, NaN) is like any other missing one, where NaN equals NaN."""
    if content.gap(expected) or content.gap(seen):
        return tolerance.nan_equal and content.gap(expected) and content.gap(seen)
    return structure.same(seen, expected, tolerance)


def gap_flags(array: v.Array) -> Flags:
    """Whether each cell is missing."""
    numbers = content.numbers(array)
    if numbers is not None:
        return np.isnan(numbers)
    if content.holds_moments(array):
        return np.isnat(content.moments(array))
    return np.array([content.gap(item) for item in content.items(array) or ()], dtype=bool)


def hashable_cells(array: v.Array) -> list[Any]:
    """The cells to look up by; equal numbers of any type fall together, and all missing ones."""
    if content.holds_moments(array):
        return [text and ("time", text) for text in content.moment_texts(array)]
    numbers = content.numbers(array)
    if numbers is not None and not content.beyond(array):
        plain: list[Any] = numbers.tolist()
        holes = np.isnan(numbers).tolist()
        return [None if hole else each for each, hole in zip(plain, holes, strict=True)]
    return [_mark(item) for item in content.items(array) or []]


def _mark(node: v.AnyNode) -> Any:
    if content.gap(node):
        return None
    found = content.label(node)
    return ("other", repr(node)) if found is None else found


def _cells(array: v.Array, beside: v.Array) -> Sequence[v.AnyNode]:
    """The cells one by one. Beside texts, dates are texts: whether the type matters is for others to say."""
    if content.holds_moments(array) and content.family(beside) == "text":
        texts = content.moment_texts(array)
        return [v.Nothing() if text is None else v.Text(v=text) for text in texts]
    return content.items(array) or []


def _same_moments(
    seen: v.Array, expected: v.Array, at: Places, beside: Places, tolerance: Tolerance
) -> Flags:
    one, other = content.moments(seen)[at], content.moments(expected)[beside]
    if one.dtype.kind != other.dtype.kind:
        return np.zeros(len(at), dtype=bool)
    same: Flags = one == other
    return same | (np.isnat(one) & np.isnat(other)) if tolerance.nan_equal else same
