"""How near numbers are: relative and absolute tolerance, NaN, and what was compared up to what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from checks.compare.content import Numbers

UpTo = Literal["nothing", "shift", "factor", "order"]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tolerance:
    """``|seen - expected| <= absolute + relative * |expected|``;
    the absolute floor serves values near zero.

    ``whole_exactly``: the relative tolerance is for floats, whole numbers are compared to the last digit.
    """

    relative: float = 1e-9
    absolute: float = 0.0
    nan_equal: bool = True
    whole_exactly: bool = True

    def close(self, seen: Numbers, expected: Numbers) -> Flags:
        """Element by element, for arrays of one shape:
        computed in float64 (or complex128), so nothing overflows.
        """
        if self.whole_exactly and seen.dtype.kind in "iu" and expected.dtype.kind in "iu":
            return self._close_whole(seen, expected)
        seen, expected = _wide(seen), _wide(expected)
        same: Flags = np.asarray(seen == expected)
        if same.all():
            return same
        with np.errstate(all="ignore"):
            bound = self.absolute + self.relative * np.abs(expected)
            near = np.abs(seen - expected) <= bound
        # Infinities and exact whole numbers: their difference says nothing, or lost digits.
        near = (near & np.isfinite(expected) & np.isfinite(seen)) | same
        both_nan = np.isnan(seen) & np.isnan(expected)
        flags: Flags = near | both_nan if self.nan_equal else near & ~both_nan
        return flags

    def _close_whole(self, seen: Numbers, expected: Numbers) -> Flags:
        same: Flags = np.asarray(seen == expected)
        return same | (np.abs(_wide(seen) - _wide(expected)) <= self.absolute) if self.absolute else same

    def all_close(self, seen: Numbers, expected: Numbers) -> bool:
        """Whether shapes are equal and every element is close."""
        if seen.shape != expected.shape:
            return False
        return bool(self.close(seen, expected).all())

    def equal_up_to(self, seen: Numbers, expected: Numbers, up_to: UpTo) -> bool:
        """Whether the numbers differ, but only by a constant shift, a constant factor, or their order.

        Numbers that are equal as they stand do not count: the question is asked to explain a difference.
        """
        if (
            seen.shape != expected.shape
            or seen.size < 2
            or not _comparable(seen)
            or not _comparable(expected)
        ):
            return False
        if self.all_close(seen, expected):
            return False
        with np.errstate(all="ignore"):
            return self.all_close(_moved(seen, expected, up_to), _sorted_like(expected, up_to))


def _wide(numbers: Numbers) -> npt.NDArray[Any]:
    return numbers.astype(np.complex128 if numbers.dtype.kind == "c" else np.float64, copy=False)


def _comparable(numbers: Numbers) -> bool:
    return numbers.dtype.kind in "iuf" and bool(np.isfinite(numbers).all())


def _moved(seen: Numbers, expected: Numbers, up_to: UpTo) -> Numbers:
    seen, expected = _wide(seen), _wide(expected)
    match up_to:
        case "shift":
            return np.asarray(seen - np.median(seen - expected))
        case "factor":
            total = float(np.sum(seen * seen))
            factor = float(np.sum(seen * expected)) / total if total else 1.0
            return np.asarray(seen * factor)
        case "order":
            return np.sort(seen, axis=None)
        case _:
            return seen


def _sorted_like(expected: Numbers, up_to: UpTo) -> Numbers:
    return np.sort(_wide(expected), axis=None) if up_to == "order" else expected
