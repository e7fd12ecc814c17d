"""Results of queries: rows in an order that may not matter, NULL, numbers within tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from checks.compare import content
from checks.evidence import values as v

Value = object
Row = tuple[Value, ...]
_MAX_PAIRS = 250_000


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

    def same(self, seen: Value, wanted: Value) -> bool:
        """Whether two values are equal; a text never equals a number, as in SQLite."""
        if _is_number(seen) and _is_number(wanted):
            if seen == wanted:
                return True
            if self.whole_exactly and isinstance(seen, int) and isinstance(wanted, int):
                return abs(seen - wanted) <= self.absolute
            bound = self.absolute + self.relative * abs(float(wanted))  # type: ignore[arg-type]
            return abs(float(seen) - float(wanted)) <= bound  # type: ignore[arg-type]
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
    """Whether the rows are the same in any order, each as often."""
    if len(seen) != len(wanted):
        return False
    theirs, ours = sorted(seen, key=_sorting), sorted(wanted, key=_sorting)
    if all(map(near.same_row, theirs, ours)):
        return True
    # Numbers a little apart may sort otherwise: each row then looks for its own.
    return len(seen) * len(wanted) <= _MAX_PAIRS and _each_has_one(theirs, ours, near)


def in_order(seen: Sequence[Row], wanted: Sequence[Row], near: Near) -> bool:
    """Whether the rows are the same, one by one."""
    return len(seen) == len(wanted) and all(map(near.same_row, seen, wanted))


def _each_has_one(seen: Sequence[Row], wanted: Sequence[Row], near: Near) -> bool:
    left = list(wanted)
    for row in seen:
        place = next((at for at, other in enumerate(left) if near.same_row(row, other)), None)
        if place is None:
            return False
        del left[place]
    return True


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


def _sorting(row: Row) -> tuple[tuple[int, float, str], ...]:
    """SQLite's order of sorts of values (NULL, numbers, texts, blobs); numbers to nine digits."""
    return tuple(_place(value) for value in row)


def _place(value: Value) -> tuple[int, float, str]:
    if value is None:
        return 0, 0.0, ""
    if _is_number(value):
        number = float(value)  # type: ignore[arg-type]
        return 1, float(f"{number:.9g}") if math.isfinite(number) else number, ""
    return (2, 0.0, value) if isinstance(value, str) else (3, 0.0, repr(value))
