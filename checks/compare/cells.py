"""Two columns cell by cell: numbers within tolerance, dates at any unit, texts, any objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.compare import content, structure
from checks.compare.closeness import Tolerance
from checks.evidence import values as v

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


def cells_close(
    seen: v.Array,
    expected: v.Array,
    tolerance: Tolerance,
    at: Places | None = None,
    beside: Places | None = None,
) -> Flags:
    """Whether each cell of ``seen`` (those ``at`` places, in this order) is like the one ``beside`` it."""
    at = np.arange(seen.shape[0]) if at is None else at
    beside = np.arange(expected.shape[0]) if beside is None else beside
    numbers, wanted = content.numbers(seen), content.numbers(expected)
    if numbers is not None and wanted is not None and not (content.beyond(seen) and content.beyond(expected)):
        return tolerance.close(numbers[at], wanted[beside])
    if content.holds_moments(seen) and content.holds_moments(expected):
        return _same_moments(seen, expected, at, beside, tolerance)
    theirs, ours = _cells(seen, expected), _cells(expected, seen)
    return np.array(
        [same_cell(theirs[one], ours[other], tolerance) for one, other in zip(at, beside, strict=True)],
        dtype=bool,
    )


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
    return repr(node) if found is None else found


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
