"""Results of queries: rows in an order that may not matter, NULL, numbers within tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.keyed import Keyed, told_apart
from checks.compare.matching import Budget, Flags, Places, matched
from checks.evidence import values as v

Value = object
Row = tuple[Value, ...]
_COST = 10  # of comparing two rows, next to two numbers


class Result(NamedTuple):
    """The names of the columns, and the rows as plain values (None for NULL)."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]


class Near(NamedTuple):
    """How near numbers must be: ``|a - b| <= absolute + relative * |b|``; anything else must be equal.

    ``whole_exactly``: whole numbers must be equal to the last digit, too.
    """

    relative: float
    absolute: float
    whole_exactly: bool = True

    def same(self, seen: Any, wanted: Any) -> bool:
        """Whether two values are equal; a text never equals a number, as in SQLite."""
        if _is_number(seen) and _is_number(wanted):
            if seen == wanted:
                return True
            if self.whole_exactly and isinstance(seen, int) and isinstance(wanted, int):
                return abs(seen - wanted) <= self.absolute
            if not (math.isfinite(seen) and math.isfinite(wanted)):
                return False  # an infinity is near nothing but itself
            bound = self.absolute + self.relative * abs(float(wanted))
            return abs(float(seen) - float(wanted)) <= bound
        return type(seen) is type(wanted) and seen == wanted

    def same_row(self, seen: Row, wanted: Row) -> bool:
        """Whether two rows are equal."""
        return len(seen) == len(wanted) and all(map(self.same, seen, wanted))


def read_result(node: v.AnyNode | None) -> Result | None:
    """The result that a table node holds; None for any other."""
    if not isinstance(node, v.Table):
        return None
    columns = [[_value(item) for item in _cells(column.values)] for column in node.columns]
    rows = tuple(zip(*columns, strict=True)) if columns else ()
    return Result(tuple(content.column_names(node)), rows)


def picked(result: Result, positions: Sequence[int]) -> Result:
    """The columns at ``positions``, in that order."""
    names = tuple(result.names[position] for position in positions)
    return Result(names, tuple(tuple(row[position] for position in positions) for row in result.rows))


def same_rows(seen: Sequence[Row], wanted: Sequence[Row], near: Near) -> bool:
    """Whether the rows are the same in any order, each as often. Raises UndecidedError where very many are so
    nearly alike that this cannot be told within the limits.
    """
    if len(seen) != len(wanted):
        return False
    tolerance = Tolerance(near.relative, near.absolute, whole_exactly=near.whole_exactly)
    sides, bands = told_apart([*map(_keyed, seen)], [*map(_keyed, wanted)], tolerance)

    def alike(at: Places, beside: Places) -> Flags:
        pairs = zip(at, beside, strict=True)
        return np.array([near.same_row(seen[one], wanted[other]) for one, other in pairs], dtype=bool)

    return matched(sides, bands, alike, Budget(_COST)) is not None


def in_order(seen: Sequence[Row], wanted: Sequence[Row], near: Near) -> bool:
    """Whether the rows are the same, one by one."""
    return len(seen) == len(wanted) and all(map(near.same_row, seen, wanted))


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not _is_beyond(value)


def _is_beyond(value: float) -> bool:
    return isinstance(value, int) and value.bit_length() > 1000


def _cells(array: v.Array) -> Sequence[v.AnyNode]:
    return content.items(array) or ()


def _value(node: v.AnyNode) -> Value:
    if isinstance(node, v.Nothing):
        return None
    if isinstance(node, v.Bytes):
        return node.v.encode("ascii", "replace")
    return content.scalar(node)


def _keyed(row: Row) -> Keyed:
    """What must be equal in a row (sorts of values, texts, NULL), and its numbers."""
    key, numbers = list[object](), list[float]()
    for value in row:
        number = float(value) if _is_number(value) else math.nan  # type: ignore[arg-type]
        key.append(
            (type(value), value) if not _is_number(value) else "" if math.isfinite(number) else str(number)
        )
        numbers += [number] if math.isfinite(number) else []
    return Keyed(tuple(key), tuple(numbers))
