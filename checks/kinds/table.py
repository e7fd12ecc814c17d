"""``table``: a data frame's columns and rows: names, types, labels, order, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from checks.compare import content
from checks.compare.cells import hashable_cells
from checks.compare.normal import sort_key
from checks.compare.similar import similar_names
from checks.compare.words import listed, quoted_if_odd
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.bounds import Bounds
from checks.spec.dtypes import dtype_problems
from checks.spec.kind import ABSENT, TargetKind

Key = tuple[int, float, str]
Cells = list[Key | None]


class ColumnRule(Piece):
    """What one column must be."""

    dtype: list[str] = Field(
        default=[], description="a dtype's name or a family (integer, float, text, time …)"
    )
    missing: Bounds | None = Field(default=None, description="how many values may be missing")
    unique: bool = Field(default=False, description="no value comes twice")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"dtype": [given]}
        if isinstance(given, dict) and isinstance(given.get("dtype"), str):
            return {**given, "dtype": [given["dtype"]]}
        return given


class IndexRule(Piece):
    """What the row labels must be."""

    names: list[str | None] | None = Field(default=None, description="the names of the index's levels")
    unique: bool = Field(default=False, description="no label comes twice")
    sorted: bool = Field(default=False, description="the labels ascend")


class Sorting(Piece):
    """By which columns the rows are sorted."""

    by: list[str] = Field(min_length=1, description="columns, the most important first")
    descending: bool = Field(default=False, description="largest first")


class Table(TargetKind):
    """The value is a data frame that has the columns (an index level of the name counts) and as many rows."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_table": "{variable} is {seen}, not a DataFrame.",
        "misnamed": "{variable} has no column {missing}, but it has {similar}. Look at the spelling.",
        "column_missing": "{variable} has no column {missing}.",
        "column_repeated": "{variable} has more than one column {missing}.",
        "column_extra": "{variable} has columns that were not asked for: {extra}.",
        "column_order": "{variable} has the right columns, but not in the order asked for.",
        "rows": "{variable} is {seen}; that is not the number of rows asked for.",
        "dtype": "The column {missing} of {variable} holds another type ({dtype}) than asked for.",
        "gaps": "The column {missing} of {variable} lacks {gaps} values.",
        "not_unique": "The column {missing} of {variable} has values that come more than once.",
        "index": "The row labels of {variable} are not as asked for.",
        "unsorted": "{variable} is not sorted as asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "missing": "the column that is not there, or not right",
        "similar": "the student's columns whose names are like it",
        "extra": "the columns that are too much",
        "dtype": "the type that a column has",
        "gaps": "how many values a column lacks",
    }

    columns: list[str] | dict[str, ColumnRule] = Field(
        default=[], description="columns that must be there, each once; or with what they must be"
    )
    others: Literal["allowed", "forbidden"] = Field(
        default="allowed", description="whether other columns may be there"
    )
    ordered: bool = Field(default=False, description="the columns stand in this order")
    rows: Bounds | None = Field(default=None, description="the number of rows")
    unique: list[str] = Field(default=[], description="columns that tell rows apart, all of them together")
    missing: Bounds | None = Field(default=None, description="how many values the whole table may lack")
    index: IndexRule | None = Field(default=None, description="the row labels")
    sorted: Sorting | None = Field(default=None, description="by which columns the rows are sorted")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        by = given.get("sorted") if isinstance(given, dict) else None
        if isinstance(by, str):
            return {**given, "sorted": {"by": [by]}}
        if isinstance(by, dict) and isinstance(by.get("by"), str):
            return {**given, "sorted": {**by, "by": [by["by"]]}}
        return given

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """A rule about columns that none are named for."""
        if (self.ordered or self.others == "forbidden") and not self.columns:
            yield (), "which columns? `columns` names none", ""
        for name, rule in self.columns.items() if isinstance(self.columns, dict) else ():
            yield from dtype_problems(rule.dtype, ("columns", name, "dtype"))

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        if not isinstance(node, v.Table):
            return Outcome(0.0, "not_table")
        for judge in (self._names, self._rows, self._rules, self._distinct, self._labels, self._order):
            outcome = judge(node)
            if not outcome.passed:
                return outcome
        return PASSED

    def _names(self, node: v.Table) -> Outcome:
        wanted = [*self.columns, *self.unique, *(self.sorted.by if self.sorted else [])]
        for name in wanted:
            found = content.column(node, name)
            if len(found) != 1:
                return _wanting(node, name, repeated=bool(found))
        names = content.column_names(node)
        extra = [name for name in names if name not in self.columns]
        if self.others == "forbidden" and extra:
            return Outcome(0.0, "column_extra", {"extra": listed([quoted_if_odd(name) for name in extra])})
        if self.ordered and [name for name in names if name in self.columns] != list(self.columns):
            return Outcome(0.0, "column_order")
        return PASSED

    def _rows(self, node: v.Table) -> Outcome:
        if self.rows and not self.rows.hold(node.index.shape[0]):
            return Outcome(0.0, "rows")
        gaps = sum(content.gaps(each.values) for each in node.columns)
        if self.missing and not self.missing.hold(gaps):
            return Outcome(0.0, "gaps", {"missing": "…", "gaps": gaps})
        return PASSED

    def _rules(self, node: v.Table) -> Outcome:
        for name, rule in self.columns.items() if isinstance(self.columns, dict) else ():
            column = next((each for each in node.columns if content.column_name(each) == name), None)
            array = column.values if column else content.column(node, name)[0]
            family = content.column_family(column) if column else content.family(array)
            dtype = column.dtype if column else array.dtype
            if rule.dtype and not {family, dtype} & set(rule.dtype):
                return Outcome(0.0, "dtype", {"missing": name, "dtype": dtype})
            gaps = content.gaps(array)
            if rule.missing and not rule.missing.hold(gaps):
                return Outcome(0.0, "gaps", {"missing": name, "gaps": gaps})
            if rule.unique and _repeats([array]):
                return Outcome(0.0, "not_unique", {"missing": name})
        return PASSED

    def _distinct(self, node: v.Table) -> Outcome:
        if self.unique and _repeats([content.column(node, name)[0] for name in self.unique]):
            return Outcome(0.0, "not_unique", {"missing": listed(self.unique)})
        return PASSED

    def _labels(self, node: v.Table) -> Outcome:
        rule = self.index
        if rule is None:
            return PASSED
        names = [content.scalar(name) for name in node.index.names]
        wrong = (
            (rule.names is not None and names != rule.names)
            or (rule.unique and _repeats(list(node.index.levels)))
            or (
                rule.sorted
                and not _ascends([_sort_keys(level) for level in node.index.levels], descending=False)
            )
        )
        return Outcome(0.0, "index") if wrong else PASSED

    def _order(self, node: v.Table) -> Outcome:
        if self.sorted is None:
            return PASSED
        columns = [_column_keys(node, name) for name in self.sorted.by]
        return PASSED if _ascends(columns, descending=self.sorted.descending) else Outcome(0.0, "unsorted")


def _wanting(table: v.Table, name: str, *, repeated: bool) -> Outcome:
    similar = similar_names(name, content.column_names(table))
    reason = "column_repeated" if repeated else "misnamed" if similar else "column_missing"
    return Outcome(
        0.0, reason, {"missing": name, "similar": listed([quoted_if_odd(each) for each in similar])}
    )


def _repeats(columns: list[v.Array]) -> bool:
    rows = list(zip(*map(hashable_cells, columns), strict=True))
    return len(set(rows)) < len(rows)


def _ascends(columns: list[Cells], *, descending: bool) -> bool:
    """Whether the rows are in order; missing values come last in either direction."""
    return all(
        _in_order(one, other, descending=descending) for one, other in pairwise(zip(*columns, strict=True))
    )


def _in_order(row: Sequence[Key | None], after: Sequence[Key | None], *, descending: bool) -> bool:
    """Whether a row may stand before another one; the first column in which they differ decides."""
    for one, other in zip(row, after, strict=True):
        if one != other:
            return other is None or (one is not None and (one > other) == descending)
    return True


def _column_keys(table: v.Table, name: str) -> Cells:
    array = content.column(table, name)[0]
    return _sort_keys(array, next((each.groups for each in table.columns if each.values is array), None))


def _sort_keys(array: v.Array, groups: v.Groups | None = None) -> Cells:
    """What the cells are sorted by, None for a missing one; ordered categories by their own order."""
    cells = content.items(array) or []
    if groups is not None and groups.ordered:
        place = {label: at for at, label in enumerate(content.labels(groups.names))}
        return [None if content.gap(cell) else (0, place.get(content.label(cell), -1), "") for cell in cells]
    return [None if content.gap(cell) else sort_key(cell) for cell in cells]


KIND = Table
