"""A table's column row by row: rows are matched by a key, never by their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.compare import content
from checks.compare.content import Numbers
from checks.compare.once import once_each
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


@dataclass(frozen=True)
class Matching:
    """Where in the student's table each expected row is, or what is ``wrong``, with how many ``rows``."""

    places: npt.NDArray[np.intp] | None = None
    wrong: str = ""
    rows: int = 0


def align(table: v.Table, seen: v.Array, expected: v.Table, expected_column: v.Array, key: str) -> Aligned:
    """Match rows by the column (or index level) ``key``; both columns must hold numbers.

    ``wrong`` is one of key_missing, key_repeated, key_text, rows_repeated, rows_missing, rows_extra,
    not_numbers.
    """
    theirs, ours = content.column(table, key), content.column(expected, key)
    wanted = content.numbers(expected_column)
    if len(ours) != 1 or wanted is None:
        raise MissingReferenceError(f"the reference table has no usable column {key!r}")
    if len(theirs) != 1:
        return Aligned(wrong="key_repeated" if theirs else "key_missing")
    found = match_rows(theirs[0], ours[0])
    if found.places is None:
        return Aligned(wrong=found.wrong, rows=found.rows)
    numbers = content.numbers(seen)
    if numbers is None:
        return Aligned(wrong="not_numbers")
    return Aligned(seen=numbers[found.places], expected=wanted)


def _match(theirs: v.Array, ours: v.Array) -> Matching:
    return _match_whole_numbers(theirs, ours) or _match_labels(content.labels(theirs), content.labels(ours))


def _match_whole_numbers(theirs: v.Array, ours: v.Array) -> Matching | None:
    """The usual case at the speed of arrays: the expected ids in any order; None for all else."""
    found, wanted = content.numbers(theirs), content.numbers(ours)
    if found is None or wanted is None or {found.dtype.kind, wanted.dtype.kind} != {"i"}:
        return None
    by_id, wanted_by_id = np.argsort(found), np.argsort(wanted)
    ids = found[by_id]
    if not np.array_equal(ids, wanted[wanted_by_id]) or (np.diff(ids) == 0).any():
        return None
    places = np.empty(len(ids), dtype=np.intp)
    places[wanted_by_id] = by_id
    return Matching(places)


def _match_labels(labels: list[Any], wanted: list[Any]) -> Matching:
    place = {label: at for at, label in enumerate(labels)}
    missing = sum(label not in place for label in wanted)
    if missing and _is_text(labels) and not _is_text(wanted):
        return Matching(wrong="key_text", rows=missing)
    if len(place) < len(labels):
        return Matching(wrong="rows_repeated", rows=len(labels) - len(place))
    if missing:
        return Matching(wrong="rows_missing", rows=missing)
    if len(labels) > len(wanted):
        return Matching(wrong="rows_extra", rows=len(labels) - len(wanted))
    return Matching(np.array([place[label] for label in wanted], dtype=np.intp))


# Many columns may be held against one, and one column by many checks.
match_rows = once_each(_match)


def _is_text(labels: list[Any]) -> bool:
    return bool(labels) and all(isinstance(label, str) for label in labels)
