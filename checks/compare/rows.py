"""A table's column row by row: rows are matched by a key, never by their place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from checks.compare import content
from checks.compare.content import Numbers
from checks.errors import MissingReferenceError
from checks.evidence import values as v


@dataclass(frozen=True)
class Aligned:
    """The column of both tables in the order of the expected rows, or ``wrong``,
    with the rows it concerns.
    """

    seen: Numbers | None = None
    expected: Numbers | None = None
    wrong: str = ""
    rows: int = 0


def align(table: v.Table, seen: v.Array, expected: v.Table, expected_column: v.Array, key: str) -> Aligned:
    """Match rows by the column (or index level) ``key``; both columns must hold numbers.

    ``wrong`` is one of key_missing, rows_repeated, rows_missing, rows_extra, not_numbers.
    """
    theirs, ours = _keys(table, key), _keys(expected, key)
    numbers, wanted = content.numbers(seen), content.numbers(expected_column)
    if ours is None or wanted is None:
        raise MissingReferenceError(f"the reference table has no usable column {key!r}")
    if theirs is None:
        return Aligned(wrong="key_missing")
    place = {label: at for at, label in enumerate(theirs)}
    if len(place) < len(theirs):
        return Aligned(wrong="rows_repeated", rows=len(theirs) - len(place))
    missing = [label for label in ours if label not in place]
    if missing:
        return Aligned(wrong="rows_missing", rows=len(missing))
    if len(theirs) > len(ours):
        return Aligned(wrong="rows_extra", rows=len(theirs) - len(ours))
    if numbers is None:
        return Aligned(wrong="not_numbers")
    return Aligned(seen=numbers[np.array([place[label] for label in ours], dtype=np.intp)], expected=wanted)


def _keys(table: v.Table, name: str) -> list[object] | None:
    found = content.column(table, name)
    if len(found) != 1:
        return None
    labels = content.numbers(found[0])
    if labels is not None:
        return list(labels.tolist())
    return [content.scalar(item) for item in found[0].items or ()]
