"""When two values count as equal: tolerance, container, type of the elements, layout of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from msgspec.structs import replace
from pydantic import BaseModel, Field, model_validator

from checks.compare import content, frames, structure
from checks.compare.closeness import Tolerance
from checks.compare.content import Numbers
from checks.compare.recast import recast
from checks.compare.spelling import Spelled
from checks.compare.steps import sub_array
from checks.compare.words import listed
from checks.evidence import values as v
from checks.scene import PASSED, Outcome
from checks.spec.base import Piece

REASONS: Mapping[str, str] = {
    "kind": "{variable} is {seen}, which is another sort of value than the one asked for.",
    "container": "{variable} holds the right content, but as {seen} instead of the container asked for.",
    "dtype": "{variable} holds the right content, but its elements are of another type than asked for.",
    "shape": "{variable} is {seen}; that is not the size asked for.",
    "nan": "{variable} has values that are not numbers (NaN): {differing} of {total}.",
    "values": "{variable} is {seen}, but {differing} of {total} values are not as asked for.",
}
TABLE_REASONS: Mapping[str, str] = {
    "column_missing": "{variable} has no column {column}.",
    "column_extra": "{variable} has columns that were not asked for: {column}.",
    "column_order": "{variable} has the right columns, but not in the order asked for.",
    "rows_missing": "{variable} lacks {differing} of the rows that it should have.",
    "rows_extra": "{variable} has {differing} rows more than it should have.",
    "row_order": "{variable} has the right rows, but not in the order asked for.",
    "index": "{variable} has other row labels than asked for.",
    "names": "{variable} has the right content, but its names are others than asked for.",
}
DICT_REASONS: Mapping[str, str] = {
    "keys_missing": "{variable} is {seen}, but it lacks some of the keys that it should have.",
    "keys_extra": "{variable} is {seen}, with keys that were not asked for: {keys}.",
}
FACTS: Mapping[str, str] = {
    "keys": "a dict's keys that were not asked for",
    "differing": "how many values (or rows) are not right",
    "total": "how many values there are",
    "where": "the place of the first value that is not right",
    "expected": "the expected value, where `tell: true` allows it",
}
NUMBERS = frozenset({"integer", "float", "complex"})
_ONE = {"differing": 1, "total": 1}
_OF_COLUMNS = {
    "dtype": "{variable} holds the right content, but column {column} is of another type than asked for.",
    "values": "{variable} is {seen}, but {differing} of {total} rows are not right in column {column}.",
    "nan": "{variable} is {seen}; column {column} has gaps (NaN or None) where values are asked for.",
}
_OTHER_INSIDE = (
    "{variable} holds the right content, but what is inside of it is in other containers than asked for."
)
_OTHER_TYPE = "{variable} is {seen}: the right value, but of another type than asked for."
_NOT_RIGHT = "{variable} is {seen}, which is not right."
# float32 arithmetic is right to a few units of its last place, wherever its results are kept afterwards.
_UNITS = 8.0


class Order(Piece):
    """Rows must stand in the expected order of these columns; those that are tied in all of them may swap."""

    by: list[str] = Field(min_length=1, description="the columns that rows are sorted by")
    ties: Literal["any"] = Field(default="any", description="tied rows may stand in any order")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("by"), str):
            return {**given, "by": [given["by"]]}
        return given


class Likeness(BaseModel):
    """The settings that say when values are equal, and the comparison itself."""

    rel: float = Field(
        default=1e-9,
        ge=0,
        lt=1,
        description="relative tolerance; left out, float32 and float16 are compared to their own precision",
    )
    abs: float = Field(default=0.0, ge=0, description="absolute floor of the tolerance, for values near zero")
    nan_equal: bool = Field(default=True, description="whether NaN equals NaN")
    container: Literal["same", "partial", "any"] = Field(
        default="partial",
        description="what another container with the right content is worth: nothing, partial, all",
    )
    dtype: Literal["family", "same", "strict", "any", "ignored"] = Field(
        default="family",
        description="elements of one family (integer, text …), one dtype (same, strict), or any (ignored)",
    )
    credit: float = Field(
        default=0.5, ge=0, le=1, description="the credit of right content in a wrong container"
    )
    rows: Literal["same", "any", "labels"] = Field(
        default="same",
        description="tables and series: rows in their order, in any, or matched by their labels",
    )
    columns: Literal["same", "any", "extra"] = Field(
        default="same", description="tables: columns in their order, in any, or beside others"
    )
    order: Order | None = Field(
        default=None, description="tables: sorted as expected, tied rows in any order"
    )
    index: bool = Field(default=False, description="tables and series: the row labels count too")
    names: bool = Field(
        default=False, description="tables and series: names of the series and the index count"
    )
    tell: bool = Field(default=False, description="let messages tell the expected value, as {expected}")

    def settings(self) -> Iterator[str]:
        """What is set about the layout of tables."""
        set_ = self.model_fields_set
        yield from (name for name in ("rows", "columns", "order", "index", "names") if name in set_)

    def liken(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """How a value comes out beside the expected one."""
        found = self._compare(node, expected)
        if found.passed or not self.tell:
            return found
        return Outcome(found.credit, found.reason, {**found.facts, "expected": Spelled(expected)})

    def tolerance(self, *compared: v.AnyNode | None) -> Tolerance:
        """The tolerance, wider where a value has no more digits and the author names none."""
        relative = self.rel
        if "rel" not in self.model_fields_set and self.dtype not in ("same", "strict"):
            relative = max(relative, *(_precision(each) for each in compared), 0.0)
        return Tolerance(
            relative, self.abs, self.nan_equal, self.rel == 0 or "rel" not in self.model_fields_set
        )

    def _compare(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """By layout where there are labels, else by content."""
        if (found := self._recast(node, expected)) is not None:
            return found
        if isinstance(node, v.Table) and isinstance(expected, v.Table):
            return self._tables(node, expected)
        if isinstance(node, v.Series) and isinstance(expected, v.Series) and any(self.settings()):
            if self.names and content.label(node.name) != content.label(expected.name):
                return self._less("names", {})
            return self._tables(frames.as_table(node), frames.as_table(expected))
        return self._by_content(node, expected)

    def _recast(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome | None:
        """The outcome where one container may stand for another; None where it may not."""
        if isinstance(expected, v.Text) and content.is_moment(node):
            return self._by_content(v.Text(v=str(content.scalar(node))), expected)
        pair = recast(node, expected)
        found = self._compare(*pair) if pair else None
        return self._less("container", {}) if found and found.passed and self.container != "any" else found

    def _by_content(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """Without labels: entry by entry, in any order, by numbers, or piece by piece."""
        if content.cut(node) != content.cut(expected) and content.items(node) and content.items(expected):
            return Outcome(0.0, "shape")
        if isinstance(expected, v.Mapping):
            return self._mappings(node, expected)
        if self.order is None and self.rows == "any":
            return self._any_order(node, expected)
        wanted = None if isinstance(expected, v.Table) else content.numbers(expected)
        return self._structures(node, expected) if wanted is None else self._numbers(node, expected, wanted)

    def _numbers(self, node: v.AnyNode, expected: v.AnyNode, wanted: Numbers) -> Outcome:
        seen = content.numbers(node)
        if seen is None and not wanted.size:
            return self._structures(node, expected)
        tolerance = self.tolerance(node, expected)
        if seen is None and structure.same(node, expected, tolerance, loose=True):
            return self.wrapping(node, expected, same_shape=False)
        if seen is None:
            return Outcome(0.0, "kind")
        found = self.numbers_alike(seen, wanted, tolerance)
        if found.passed and structure.differ_beyond(node, expected, tolerance):
            found = self._differ_beyond(node, expected)
        return self.wrapping(node, expected, seen.shape == wanted.shape) if found.passed else found

    def _differ_beyond(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        theirs, ours = content.beyond(node), content.beyond(expected)
        differing = sum(one != other for one, other in zip(theirs, ours, strict=True))
        return _values(differing, max(len(content.items(expected) or ()), 1))

    def numbers_alike(self, seen: Numbers, wanted: Numbers, tolerance: Tolerance) -> Outcome:
        """Numbers alone; one axis of length 1 more or less does not matter here."""
        if seen.shape != wanted.shape:
            if seen.size != wanted.size or seen.squeeze().shape != wanted.squeeze().shape:
                return Outcome(0.0, "shape")
            seen = seen.reshape(wanted.shape)
        if tolerance.all_close(seen, wanted):
            return PASSED
        wrong = ~tolerance.close(seen, wanted)
        not_numbers = np.isnan(seen) & ~np.isnan(wanted)
        chosen = not_numbers if not_numbers.any() else wrong
        found = _values(int(chosen.sum()), seen.size, _place(chosen))
        return replace(found, reason="nan", wording="") if not_numbers.any() else found

    def wrapping(self, node: v.AnyNode, expected: v.AnyNode, same_shape: bool) -> Outcome:
        """The content is right: is it held as asked for?"""
        same = same_shape and content.container(node) == content.container(expected)
        if self._other_dtype(node, expected) and not same:
            return Outcome(0.0, "dtype")
        if self.container != "any" and not same:
            return self._less("container", {})
        nested = isinstance(node, (v.Mapping, v.Sequence)) and content.numbers(node) is None
        if nested and self.dtype == "family" and structure.other_truths(node, expected):
            return self._less("dtype", {})
        if self.dtype_fits(node, expected):
            return PASSED
        single = content.container(node) in ("number", "moment", "text")
        return replace(self._less("dtype", {}), wording=_OTHER_TYPE if single else "")

    def _other_dtype(self, node: v.AnyNode, expected: v.AnyNode) -> bool:
        """Whether both say of what type their elements are, it is not the same, and it should be."""
        seen, wanted = content.dtype(node), content.dtype(expected)
        return self.dtype in ("same", "strict") and bool(seen and wanted) and seen != wanted

    def dtype_fits(self, node: v.AnyNode, expected: v.AnyNode) -> bool:
        """Whether the elements are of the type asked for."""
        match self.dtype:
            case "any" | "ignored":
                return True
            case "same" | "strict" if isinstance(node, v.Series) and isinstance(expected, v.Series):
                return frames.same_sort(frames.as_column(node), frames.as_column(expected), "same")
            case "same" | "strict":
                return content.dtype(node) == content.dtype(expected)
            case _:
                nothing = all(content.shape_of(each) == (0,) for each in (node, expected))
                return nothing or content.family(node) == content.family(expected)

    def _less(self, reason: str, facts: Mapping[str, object]) -> Outcome:
        return Outcome(0.0 if self.container == "same" else self.credit, reason, facts)

    def _tables(self, node: v.Table, expected: v.Table) -> Outcome:
        by = tuple(self.order.by) if self.order else ()
        layout = frames.Layout(self.rows, self.columns, self.index, self.names, by)
        dtype = {"strict": "same", "ignored": "any"}.get(self.dtype, self.dtype)
        columns = (column.values for table in (node, expected) for column in table.columns)
        found = frames.difference(node, expected, layout, self.tolerance(*columns), dtype)
        if found is None:
            return PASSED
        facts = {**_ONE, **found.facts}
        outcome = self._less("dtype", facts) if found.reason == "dtype" else Outcome(0.0, found.reason, facts)
        return replace(outcome, wording=_OF_COLUMNS.get(found.reason, "") if "column" in found.facts else "")

    def _structures(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """Texts and containers of anything, element by element."""
        tolerance = self.tolerance(node, expected)
        if structure.same(node, expected, tolerance):
            return self.wrapping(node, expected, same_shape=True)
        theirs, ours = content.items(node), content.items(expected)
        if structure.same(node, expected, tolerance, loose=True):
            outside = not theirs or not ours or structure.same_cells(theirs, ours, tolerance)
            return self.wrapping(node, expected, same_shape=False) if outside else self._other_inside()
        if theirs is None or ours is None or isinstance(node, v.Mapping):
            kind = content.container(node) != content.container(expected) or isinstance(node, v.Mapping)
            return Outcome(0.0, "kind", _ONE) if kind else _values(1, 1)
        if content.holds_moments(expected) and not all(
            content.gap(each) or content.is_moment(each) for each in theirs
        ):
            return Outcome(0.0, "kind", _ONE)
        if structure.same_items(theirs, ours, tolerance, ordered=not isinstance(expected, v.SetOf)):
            return self.wrapping(node, expected, same_shape=False)
        return _items_differ(theirs, ours, tolerance)

    def _mappings(self, node: v.AnyNode, expected: v.Mapping) -> Outcome:
        """Entry by entry: the right keys alone are no right content."""
        if not isinstance(node, v.Mapping):
            return Outcome(0.0, "kind", _ONE)
        tolerance = self.tolerance(node, expected)
        if structure.same(node, expected, tolerance):
            return self.wrapping(node, expected, same_shape=True)
        if structure.same(node, expected, tolerance, loose=True):
            return self._other_inside()
        extra, missing = structure.other_keys(node, expected)
        facts = {**structure.differing_entries(node, expected, tolerance), "keys": listed(extra)}
        return Outcome(
            0.0, "values", facts, finer="keys_extra" if extra else "keys_missing" if missing else ""
        )

    def _other_inside(self) -> Outcome:
        """The right content, in other containers further inside."""
        return PASSED if self.container == "any" else Outcome(0.0, "container", wording=_OTHER_INSIDE)

    def _any_order(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """Elements as often as expected, in any order."""
        theirs, ours = _elements(node), _elements(expected)
        if theirs is None or ours is None:
            return Outcome(0.0, "kind", _ONE)
        if len(theirs) != len(ours):
            return Outcome(0.0, "shape")
        tolerance = self.tolerance(node, expected)
        if structure.same_bag(theirs, ours, tolerance):
            return self.wrapping(node, expected, same_shape=True)
        if structure.same_bag(theirs, ours, tolerance, loose=True):
            return self._other_inside()
        return Outcome(0.0, "values", {"differing": "some", "total": len(theirs)})


def _elements(node: v.AnyNode) -> list[v.AnyNode] | None:
    """The elements of a container, the rows of an array with two axes."""
    if isinstance(node, v.Array) and len(node.shape) == 2:
        return [sub_array(node, row) for row in range(node.shape[0])]
    return content.items(node)


def _values(differing: int, total: int, where: str = "") -> Outcome:
    """So many values are wrong; of a single one there is nothing to count."""
    facts: dict[str, object] = {"differing": differing, "total": total}
    return Outcome(
        0.0, "values", {**facts, "where": where} if where else facts, wording=_NOT_RIGHT if total == 1 else ""
    )


def _items_differ(theirs: list[v.AnyNode], ours: list[v.AnyNode], tolerance: Tolerance) -> Outcome:
    if len(theirs) != len(ours):
        return Outcome(0.0, "values", {"differing": "some", "total": len(theirs)}, wording=REASONS["shape"])
    pairs = zip(theirs, ours, strict=True)
    wrong = [at for at, (one, other) in enumerate(pairs) if not structure.same(one, other, tolerance)]
    facts = {
        "differing": len(wrong) or "some",
        "total": len(theirs),
        "where": f"element {min(wrong, default=0)}",
    }
    return Outcome(0.0, "values", facts)


def _place(wrong: Numbers) -> str:
    """The first place that is wrong, counted from 0."""
    if wrong.ndim == 0:
        return "the number itself"
    at = [int(each) for each in np.unravel_index(int(wrong.argmax()), wrong.shape)]
    return f"element {at[0]}" if len(at) == 1 else f"element ({', '.join(map(str, at))})"


def _precision(node: v.AnyNode | None) -> float:
    """The relative precision of short floats; 0 for everything else."""
    name = "" if node is None else content.dtype(node).lower()
    return _UNITS * float(np.finfo(name).eps) if name in ("float16", "float32") else 0.0
