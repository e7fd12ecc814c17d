"""When two values count as equal: tolerance, container, type of the elements, layout of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from checks.compare import content, frames, structure
from checks.compare.closeness import Tolerance
from checks.compare.content import Numbers
from checks.compare.written import Spelled
from checks.evidence import values as v
from checks.scene import PASSED, Outcome
from checks.spec.base import Piece

REASONS: Mapping[str, str] = {
    "kind": "{variable} is {seen}, which is another sort of value than the one asked for.",
    "container": "{variable} holds the right content, but as {seen} instead of the container asked for.",
    "dtype": "{variable} holds the right content, but its elements are of another type than asked for.",
    "shape": "{variable} is {seen}; its shape is not the one asked for.",
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
FACTS: Mapping[str, str] = {
    "differing": "how many values (or rows) are not right",
    "total": "how many values there are",
    "where": "the place of the first value that is not right",
    "expected": "the expected value, where `tell: true` allows it",
}
_ONE = {"differing": 1, "total": 1}
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
        return Tolerance(relative, self.abs, self.nan_equal)

    def _compare(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """By layout where there are labels, by numbers where there are only these, else piece by piece."""
        if isinstance(node, v.Table) and isinstance(expected, v.Table):
            return self._tables(node, expected)
        if isinstance(node, v.Series) and isinstance(expected, v.Series) and any(self.settings()):
            if self.names and content.label(node.name) != content.label(expected.name):
                return self._less("names", {})
            return self._tables(frames.as_table(node), frames.as_table(expected))
        if isinstance(expected, v.Mapping):
            return self._mappings(node, expected)
        if self.order is None and self.rows == "any":
            return self._any_order(node, expected)
        wanted = None if isinstance(expected, v.Table) else content.numbers(expected)
        return self._structures(node, expected) if wanted is None else self._numbers(node, expected, wanted)

    def _numbers(self, node: v.AnyNode, expected: v.AnyNode, wanted: Numbers) -> Outcome:
        seen = content.numbers(node)
        if seen is None:
            return Outcome(0.0, "kind")
        found = self.numbers_alike(seen, wanted, self.tolerance(node, expected))
        return self.wrapping(node, expected, seen.shape == wanted.shape) if found.passed else found

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
        facts = {"differing": int(chosen.sum()), "total": seen.size, "where": _place(chosen)}
        return Outcome(0.0, "nan" if not_numbers.any() else "values", facts)

    def wrapping(self, node: v.AnyNode, expected: v.AnyNode, same_shape: bool) -> Outcome:
        """The content is right: is it held as asked for?"""
        same = same_shape and content.container(node) == content.container(expected)
        if self.container != "any" and not same:
            return self._less("container", {})
        return PASSED if self.dtype_fits(node, expected) else self._less("dtype", {})

    def dtype_fits(self, node: v.AnyNode, expected: v.AnyNode) -> bool:
        """Whether the elements are of the type asked for."""
        match self.dtype:
            case "any" | "ignored":
                return True
            case "same" | "strict":
                return content.dtype(node) == content.dtype(expected)
            case _:
                return content.family(node) == content.family(expected)

    def _less(self, reason: str, facts: Mapping[str, object]) -> Outcome:
        return Outcome(self.credit if self.container == "partial" else 0.0, reason, facts)

    def _tables(self, node: v.Table, expected: v.Table) -> Outcome:
        by = tuple(self.order.by) if self.order else ()
        layout = frames.Layout(self.rows, self.columns, self.index, self.names, by)
        dtype = {"strict": "same", "ignored": "any"}.get(self.dtype, self.dtype)
        columns = (column.values for table in (node, expected) for column in table.columns)
        found = frames.difference(node, expected, layout, self.tolerance(*columns), dtype)
        if found is None:
            return PASSED
        facts = {**_ONE, **found.facts}
        return self._less("dtype", facts) if found.reason == "dtype" else Outcome(0.0, found.reason, facts)

    def _structures(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """Texts and containers of anything, element by element."""
        tolerance = self.tolerance(node, expected)
        if structure.same(node, expected, tolerance):
            return self.wrapping(node, expected, same_shape=True)
        stacked = structure.stacked_moments(expected) if structure.holds_moments(node) else None
        if stacked is not None:
            return self._listed_moments(node, expected, stacked)
        theirs, ours = content.items(node), content.items(expected)
        if theirs is None or ours is None:
            kind = content.container(node) != content.container(expected)
            return Outcome(0.0, "kind" if kind else "values", _ONE)
        if structure.holds_moments(expected) and not structure.holds_moments(node):
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
        return Outcome(0.0, "values", structure.differing_entries(node, expected, tolerance))

    def _listed_moments(self, node: v.AnyNode, expected: v.AnyNode, stacked: v.Array) -> Outcome:
        """An array or a series of moments beside a list of them."""
        theirs, ours = content.items(node) or [], content.items(stacked) or []
        if len(theirs) != len(ours) or not structure.same_items(theirs, ours, self.tolerance(), ordered=True):
            return _items_differ(theirs, ours, self.tolerance())
        return self.wrapping(node, expected, same_shape=True)

    def _any_order(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """Elements as often as expected, in any order."""
        theirs, ours = content.items(node), content.items(expected)
        if theirs is None or ours is None:
            return Outcome(0.0, "kind", _ONE)
        if len(theirs) != len(ours):
            return Outcome(0.0, "shape")
        if structure.same_bag(theirs, ours, self.tolerance(node, expected)):
            return self.wrapping(node, expected, same_shape=True)
        return Outcome(0.0, "values", {"differing": "some", "total": len(theirs)})


def _items_differ(theirs: list[v.AnyNode], ours: list[v.AnyNode], tolerance: Tolerance) -> Outcome:
    if len(theirs) != len(ours):
        return Outcome(0.0, "values", {"differing": "some", "total": len(theirs)})
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
