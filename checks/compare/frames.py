"""Tables held against each other: columns by label, then rows by place, by label, or as a set.

A difference is told by the first of these that fails: columns, number of rows, matching of rows, values,
types, labels, names. Labels that repeat are matched in their order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from checks.compare import content
from checks.compare.cells import Cells, cells_close, gap_flags, hashable_cells
from checks.compare.closeness import Tolerance
from checks.compare.matching import Band, Budget, Sides, both, matched
from checks.compare.steps import take
from checks.compare.words import listed, quoted_if_odd
from checks.evidence import values as v

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
MAX_RUNS = 200
OBJECT_COST = 30  # of comparing two rows with cells of any kind, next to a number


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
        found = Rows(_with_labels(seen, expected, layout), tolerance).match()
        if found is None and layout.index:  # perhaps the labels alone are wrong
            found = Rows(_pairings(seen, expected), tolerance).match()
        return (np.arange(count) if found is None else found), "values"
    return np.arange(count), ""


def _sorted_rows(
    seen: v.Table, expected: v.Table, layout: Layout, tolerance: Tolerance
) -> tuple[Places | None, str]:
    """Rows stand where the sort columns put them; among rows that are tied there, every order will do."""
    pairings = _with_labels(seen, expected, layout)
    count = expected.index.shape[0]
    everything, starts = np.arange(count), np.zeros(count, dtype=bool)
    for pairing in pairings:
        if pairing.name not in layout.by:
            continue
        close = cells_close(pairing.seen.values, pairing.expected.values, tolerance)
        if not close.all():
            return None, "row_order" if Rows(pairings, tolerance).match() is not None else "values"
        marks = hashable_cells(pairing.expected.values)
        starts |= np.array([at == 0 or marks[at] != marks[at - 1] for at in range(count)], dtype=bool)
    rows = Rows(pairings, tolerance)
    if rows.close(everything, everything).all():
        return everything, ""
    ties = np.cumsum(starts)
    places = rows.match(ties)
    if places is None:  # perhaps the labels alone are wrong
        rows = Rows(_pairings(seen, expected), tolerance)
        places = rows.match(ties)
    return (rows.match_runs(ties) if places is None else places), ""


class Rows:
    """The rows of two tables by all that is compared of them. Matching costs little more than sorting, see
    :mod:`checks.compare.matching`; it raises UndecidedError where it would take too long."""

    def __init__(self, pairings: list[Pairing], tolerance: Tolerance) -> None:
        self._cells = [Cells(each.seen.values, each.expected.values, tolerance) for each in pairings]
        self._count = pairings[0].expected.values.shape[0] if pairings else 0
        self._gaps_differ = not tolerance.nan_equal and any(
            gap_flags(each.expected.values).any() for each in pairings
        )

    def close(self, theirs: Places, ours: Places) -> Flags:
        """Whether each of the student's rows is like the author's beside it."""
        close = np.ones(len(ours), dtype=bool)
        for each in self._cells:
            close[close] = each.close(theirs[close], ours[close])
        return close

    def match(self, groups: Places | None = None) -> Places | None:
        """For each expected row the place of one that is like it, in the same of ``groups`` of places (any,
        where there are none); None where there is none."""
        everything = np.arange(self._count)
        if not self._cells:
            return everything
        sides, bands = self._apart
        if groups is not None:
            sides = both(Sides(groups, groups), sides)
        return None if self._gaps_differ else matched(sides, bands, self.close, self._budget)

    def match_runs(self, ties: Places) -> Places:
        """As :meth:`match`, where some groups have no partners: their rows stay where they are."""
        places = np.arange(self._count)
        odd = np.unique(ties[~self.close(places, places)])
        for tie in odd[:MAX_RUNS]:
            run = np.flatnonzero(ties == tie)
            found = self._match_run(run) if len(run) > 1 else None
            if found is not None:
                places[run] = run[found]
        return places

    def _match_run(self, run: Places) -> Places | None:
        sides, bands = self._apart
        parts = [Band(*(each[run] for each in one)) for one in bands]
        return matched(
            Sides(*(each[run] for each in sides)),
            parts,
            lambda theirs, ours: self.close(run[theirs], run[ours]),
            self._budget,
        )

    @cached_property
    def _apart(self) -> tuple[Sides, list[Band]]:
        nothing = np.zeros(self._count, dtype=np.intp)
        sides, bands = Sides(nothing, nothing), list[Band]()
        for each in self._cells:
            own, numbers = each.told_apart()
            sides, bands = both(sides, own), bands + numbers
        return sides, bands

    @cached_property
    def _budget(self) -> Budget:
        return Budget(len(self._cells) if all(each.plain for each in self._cells) else OBJECT_COST)


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
