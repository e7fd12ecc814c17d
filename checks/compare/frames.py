"""Tables held against each other: columns by label, then rows by place, by label, or as a set.

A difference is told by the first of these that fails: columns, number of rows, matching of rows, values,
types, labels, names. Labels that repeat are matched in their order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from checks.compare import content
from checks.compare.cells import cells_close, gap_flags, hashable_cells
from checks.compare.closeness import Tolerance
from checks.compare.steps import take
from checks.compare.words import listed, quoted_if_odd
from checks.evidence import values as v

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
MAX_MATCHED = 500


@dataclass(frozen=True)
class Layout:
    """What of a table's layout counts. ``by`` names the columns that rows are sorted by; rows that are tied
    in all of them may swap places."""

    rows: Literal["same", "any", "labels"] = "same"
    columns: Literal["same", "any", "extra"] = "same"
    index: bool = False
    names: bool = False
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What differs first; ``facts`` for the message."""

    reason: str
    facts: dict[str, object]


@dataclass(frozen=True)
class Pairing:
    """A column of the student's with the author's."""

    name: str
    seen: v.Column
    expected: v.Column


def difference(
    seen: v.Table, expected: v.Table, layout: Layout, tolerance: Tolerance, dtype: str
) -> Difference | None:
    """The first difference; None where there is none. ``dtype`` is same, family or any."""
    wrong = _column_difference(seen, expected, layout) or _count_difference(seen, expected)
    if wrong:
        return wrong
    places, reason = _matched(seen, expected, layout, tolerance)
    if places is None:
        return Difference(reason, {"differing": "some", "total": expected.index.shape[0]})
    ordered = seen if np.array_equal(places, np.arange(len(places))) else take(seen, places)
    return (
        _value_difference(_pairings(ordered, expected), tolerance)
        or _dtype_difference(_pairings(seen, expected), dtype)
        or _index_difference(ordered.index, expected.index, layout, tolerance)
        or _name_difference(seen.index, expected.index, layout)
    )


def as_table(node: v.Series) -> v.Table:
    """A series as a table of one column."""
    return v.Table(columns=(as_column(node),), index=node.index)


def as_column(node: v.Series) -> v.Column:
    """A series as a table's column."""
    return v.Column(name=v.Text(v="values"), dtype=node.dtype, values=node.values, groups=node.groups)


def _column_difference(seen: v.Table, expected: v.Table, layout: Layout) -> Difference | None:
    theirs, ours = content.column_names(seen), content.column_names(expected)
    missing, extra = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if missing:
        return Difference("column_missing", {"column": _names(missing)})
    if extra and layout.columns != "extra":
        return Difference("column_extra", {"column": _names(extra)})
    if layout.columns == "same" and theirs != ours:
        return Difference("column_order", {"column": _names(Counter(ours))})
    return None


def _names(names: Counter[str]) -> str:
    return listed([quoted_if_odd(name) for name in names])


def _count_difference(seen: v.Table, expected: v.Table) -> Difference | None:
    more = seen.index.shape[0] - expected.index.shape[0]
    if not more:
        return None
    return Difference("rows_extra" if more > 0 else "rows_missing", {"differing": abs(more)})


def _pairings(seen: v.Table, expected: v.Table) -> list[Pairing]:
    theirs: dict[str, list[v.Column]] = {}
    for column in seen.columns:
        theirs.setdefault(content.column_name(column), []).append(column)
    found, used = [], Counter[str]()
    for column in expected.columns:
        name = content.column_name(column)
        found.append(Pairing(name, theirs[name][used[name]], column))
        used[name] += 1
    return found


def _with_labels(seen: v.Table, expected: v.Table, layout: Layout) -> list[Pairing]:
    """Columns side by side, and where row labels count, these too."""
    levels = (seen.index.levels, expected.index.levels)
    if not layout.index or len(levels[0]) != len(levels[1]):
        return _pairings(seen, expected)
    labels = (
        Pairing("", *(v.Column(name=v.Nothing(), dtype=each.dtype, values=each) for each in pair))
        for pair in zip(*levels, strict=True)
    )
    return [*_pairings(seen, expected), *labels]


def _matched(
    seen: v.Table, expected: v.Table, layout: Layout, tolerance: Tolerance
) -> tuple[Places | None, str]:
    """Where in the student's table each expected row is, or why that cannot be said."""
    count = expected.index.shape[0]
    if layout.by:
        return _sorted_rows(seen, expected, layout, tolerance)
    if layout.rows == "labels":
        found = _by_label(seen.index, expected.index)
        return found, "index"
    if layout.rows == "any":
        everything = np.arange(count)
        found = _match(_with_labels(seen, expected, layout), everything, everything, tolerance)
        if found is None:  # perhaps the labels alone are wrong
            found = _match(_pairings(seen, expected), everything, everything, tolerance)
        return (everything if found is None else found), "values"
    return np.arange(count), ""


def _sorted_rows(
    seen: v.Table, expected: v.Table, layout: Layout, tolerance: Tolerance
) -> tuple[Places | None, str]:
    """Rows stand where the sort columns put them; among rows that are tied there, every order will do."""
    pairings = _with_labels(seen, expected, layout)
    count = expected.index.shape[0]
    starts = np.zeros(count, dtype=bool)
    for pairing in pairings:
        if pairing.name not in layout.by:
            continue
        close = cells_close(pairing.seen.values, pairing.expected.values, tolerance)
        if not close.all():
            return None, "row_order" if _same_set(pairings, count, tolerance) else "values"
        marks = hashable_cells(pairing.expected.values)
        starts |= np.array([at == 0 or marks[at] != marks[at - 1] for at in range(count)], dtype=bool)
    places = np.arange(count)
    for run in np.split(np.arange(count), np.flatnonzero(starts)[1:]) if count else []:
        if len(run) > 1 and not _rows_close(pairings, run, run, tolerance).all():
            found = _match(pairings, run, run, tolerance)
            if found is None:
                found = _match(_pairings(seen, expected), run, run, tolerance)
            if found is not None:
                places[run] = found
    return places, ""


def _same_set(pairings: list[Pairing], count: int, tolerance: Tolerance) -> bool:
    return _match(pairings, np.arange(count), np.arange(count), tolerance) is not None


def _match(pairings: list[Pairing], theirs: Places, ours: Places, tolerance: Tolerance) -> Places | None:
    """For each of the expected rows ``ours`` one of ``theirs`` that is like it; None where there is none.

    Rows are grouped by what must be equal exactly (texts, whole numbers); inside a group they are sorted by
    their other numbers, and where that does not bring them together, tried one by one.
    """
    exact = [each for each in pairings if not _is_inexact(each)]
    inexact = [each for each in pairings if _is_inexact(each)]
    groups = _groups([each.seen.values for each in exact], theirs)
    wanted = _groups([each.expected.values for each in exact], ours)
    if {key: len(rows) for key, rows in groups.items()} != {key: len(rows) for key, rows in wanted.items()}:
        return None
    found = np.empty(int(ours.max(initial=-1)) + 1, dtype=np.intp)
    for key, rows in wanted.items():
        pair = _match_group(inexact, groups[key], rows, tolerance)
        if pair is None:
            return None
        found[pair[1]] = pair[0]
    return found[ours]


def _match_group(
    inexact: list[Pairing], theirs: Places, ours: Places, tolerance: Tolerance
) -> tuple[Places, Places] | None:
    if not inexact:
        return theirs, ours
    theirs = theirs[_sorting([each.seen.values for each in inexact], theirs)]
    ours = ours[_sorting([each.expected.values for each in inexact], ours)]
    if _rows_close(inexact, theirs, ours, tolerance).all():
        return theirs, ours
    if len(ours) > MAX_MATCHED:
        return None
    left, chosen = list(theirs), []
    for row in ours:
        again = np.full(len(left), row)
        fits = np.flatnonzero(_rows_close(inexact, np.array(left, dtype=np.intp), again, tolerance))
        if not len(fits):
            return None
        chosen.append(left.pop(int(fits[0])))
    return np.array(chosen, dtype=np.intp), ours


def _is_inexact(pairing: Pairing) -> bool:
    both = (content.numbers(pairing.seen.values), content.numbers(pairing.expected.values))
    return any(each is not None and each.dtype.kind in "fc" for each in both)


def _groups(columns: list[v.Array], rows: Places) -> dict[Any, Places]:
    cells = [hashable_cells(column) for column in columns]
    found: dict[Any, list[int]] = {}
    for row in rows.tolist():
        found.setdefault(tuple(column[row] for column in cells), []).append(row)
    return {key: np.array(each, dtype=np.intp) for key, each in found.items()}


def _sorting(columns: list[v.Array], rows: Places) -> Places:
    numbers = [content.numbers(column) for column in columns]
    return np.lexsort([found[rows] for found in reversed(numbers) if found is not None])


def _rows_close(pairings: list[Pairing], theirs: Places, ours: Places, tolerance: Tolerance) -> Flags:
    close = np.ones(len(ours), dtype=bool)
    for each in pairings:
        close &= cells_close(each.seen.values, each.expected.values, tolerance, theirs, ours)
    return close


def _by_label(seen: v.Index, expected: v.Index) -> Places | None:
    if len(seen.levels) != len(expected.levels):
        return None
    theirs = list(zip(*map(hashable_cells, seen.levels), strict=True))
    ours = list(zip(*map(hashable_cells, expected.levels), strict=True))
    place = {label: at for at, label in enumerate(theirs)}
    if len(place) < len(theirs) or set(place) != set(ours):
        return None
    return np.array([place[label] for label in ours], dtype=np.intp)


def _value_difference(pairings: list[Pairing], tolerance: Tolerance) -> Difference | None:
    """The first column with a wrong value; its rows are counted over all columns."""
    wrong: list[tuple[str, Flags]] = []
    holes: list[tuple[str, Flags]] = []
    for each in pairings:
        close = cells_close(each.seen.values, each.expected.values, tolerance)
        if close.all():
            continue
        wrong.append((each.name, ~close))
        lost = ~close & gap_flags(each.seen.values) & ~gap_flags(each.expected.values)
        holes += [(each.name, lost)] if lost.any() else []
    if not wrong:
        return None
    reason, wrong = ("nan", holes) if holes else ("values", wrong)
    rows = np.logical_or.reduce([flags for _, flags in wrong])
    names = listed([quoted_if_odd(name) for name, _ in wrong])
    facts = {
        "column": names,
        "differing": int(rows.sum()),
        "total": len(rows),
        "where": f"row {rows.argmax()}",
    }
    return Difference(reason, facts)


def _dtype_difference(pairings: list[Pairing], dtype: str) -> Difference | None:
    wrong = [each.name for each in pairings if not same_sort(each.seen, each.expected, dtype)]
    return Difference("dtype", {"column": listed([quoted_if_odd(name) for name in wrong])}) if wrong else None


def same_sort(seen: v.Column, expected: v.Column, dtype: str) -> bool:
    """Whether two columns' elements are of one type (``same``), one family, or ``any``."""
    if dtype == "any":
        return True
    if dtype == "same":
        return _type(seen) == _type(expected)
    return not expected.values.shape[0] or content.column_family(seen) == content.column_family(expected)


def _type(column: v.Column) -> tuple[object, ...]:
    """All that pandas tells types apart by: of categories also which there are, and whether in an order."""
    groups = column.groups
    names = None if groups is None else tuple(hashable_cells(groups.names))
    kept = names if groups is None or groups.ordered or names is None else frozenset(names)
    return column.dtype, content.zone(column.values), groups is not None and groups.ordered, kept


def _index_difference(
    seen: v.Index, expected: v.Index, layout: Layout, tolerance: Tolerance
) -> Difference | None:
    if not layout.index:
        return None
    if len(seen.levels) != len(expected.levels):
        return Difference("index", {})
    pairs = zip(seen.levels, expected.levels, strict=True)
    fits = all(bool(cells_close(one, other, tolerance).all()) for one, other in pairs)
    return None if fits else Difference("index", {})


def _name_difference(seen: v.Index, expected: v.Index, layout: Layout) -> Difference | None:
    theirs, ours = (msgspec.to_builtins(each.names) for each in (seen, expected))
    return Difference("names", {}) if layout.names and theirs != ours else None
