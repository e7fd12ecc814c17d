"""``equal``: a value against a literal, the author's value or another variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from checks.compare import content, pairs, rows, structure
from checks.compare.closeness import Tolerance, UpTo
from checks.compare.content import Numbers
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.target import Operand


class Equal(TargetKind):
    """Equal within tolerance; what counts beside the numbers (container, type of the elements) is for the
    author to say.

    ``by`` compares a column row by row, matched by a key column or index level. ``prefix`` compares ranked
    pairs: any beginning of the author's list is right.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "other_absent": "{variable} is to be compared with something that has no value.",
        "kind": "{variable} is {seen}, which is another sort of value than the one asked for.",
        "container": "{variable} holds the right content, but as {seen} instead of the container asked for.",
        "dtype": "{variable} holds the right content, but its elements are of another type than asked for.",
        "shape": "{variable} is {seen}; its shape is not the one asked for.",
        "nan": "{variable} has values that are not numbers (NaN): {differing} of {total}.",
        "values": "{variable} is {seen}, but {differing} of {total} values are not as asked for.",
        "not_table": "{variable} is no DataFrame.",
        "column_missing": "{variable} has no column {column}.",
        "column_repeated": "{variable} has more than one column {column}.",
        "key_missing": "{variable} has lost the column that tells its rows apart.",
        "key_repeated": "{variable} has more than one column that tells its rows apart.",
        "key_text": "{variable} tells its rows apart by texts, where numbers are asked for.",
        "rows_missing": "{variable} lacks {differing} of the rows that it should have.",
        "rows_extra": "{variable} has {differing} rows more than it should have.",
        "rows_repeated": "{variable} has {differing} rows twice.",
        "not_numbers": "{variable} holds something else than numbers in {column}.",
        "not_pairs": "{variable} is {seen}, not pairs of a name and a number.",
        "keys_only": "{variable} holds names alone; each should come with its number.",
        "empty_list": "{variable} is empty.",
        "repeated": "{variable} names something more than once.",
        "unknown": "{variable} names something that cannot be among the right ones.",
        "order": "{variable} leaves out or exchanges some of the right ones.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "differing": "how many values (or rows) are not right",
        "total": "how many values there are",
    }

    to: Operand = Field(description="reference, {reference: …}, {variable: …} or {value: …}")
    rel: float = Field(default=1e-9, ge=0, lt=1, description="relative tolerance")
    abs: float = Field(default=0.0, ge=0, description="absolute floor of the tolerance, for values near zero")
    nan_equal: bool = Field(default=True, description="whether NaN equals NaN")
    container: Literal["same", "partial", "any"] = Field(
        default="partial",
        description="what another container with the right content is worth: nothing, partial, all",
    )
    dtype: Literal["family", "same", "any"] = Field(
        default="family",
        description="elements of the same family (integer, float, text …), the same dtype, or any",
    )
    credit: float = Field(
        default=0.5, ge=0, le=1, description="the credit of right content in a wrong container"
    )
    up_to: UpTo = Field(
        default="nothing", description="hold where numbers differ, but only by a shift, a factor or order"
    )
    by: str | None = Field(
        default=None, description="compare a table's column, rows matched by this key column"
    )
    prefix: bool = Field(
        default=False, description="ranked pairs: any beginning of the expected list is right"
    )
    ties: float = Field(default=1e-6, ge=0, description="ranked pairs: numbers this near may swap places")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Settings that exclude each other."""
        if self.by is not None and self.of.column is None:
            yield ("by",), "rows are matched for a column: `of` must name one", "of: {variable: …, column: …}"
        if self.prefix and (self.by is not None or self.up_to != "nothing"):
            yield ("prefix",), "ranked pairs know neither `by` nor `up_to`", ""

    def judge(self, scene: Scene) -> Outcome:
        """The best outcome over the target's values;
        a table without the column is told from a missing variable.
        """
        if self.of.column is not None and self.of.column != "*":
            wanting = self._column_wanting(scene.values.get(self.of.variable))
            if wanting:
                return Outcome(0.0, wanting, {"variable": self.of.variable, "column": self.of.column})
        return super().judge(scene)

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """Rows by key, ranked pairs, or the whole value."""
        if self.by is not None:
            return self._judge_rows(node, scene, self.by)
        expected = self.to.node(scene, self.of)
        if expected is None:
            return Outcome(0.0, "other_absent")
        if self.prefix:
            return self._judge_ranking(node, expected)
        return self._judge_whole(node, expected)

    @property
    def _tolerance(self) -> Tolerance:
        return Tolerance(self.rel, self.abs, self.nan_equal)

    def _column_wanting(self, table: v.AnyNode | None) -> str:
        if table is None:
            return "absent"
        if not isinstance(table, v.Table):
            return "not_table"
        count = len(content.column(table, self.of.column or ""))
        return "" if count == 1 else "column_repeated" if count else "column_missing"

    def _judge_whole(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        seen, wanted = content.numbers(node), content.numbers(expected)
        if wanted is None or isinstance(expected, v.Table):
            return self._judge_structure(node, expected)
        if seen is None:
            return Outcome(0.0, "kind")
        found = self._judge_numbers(seen, wanted)
        if found.passed or self.up_to != "nothing":
            return self._judge_wrapping(node, expected, seen.shape == wanted.shape) if found.passed else found
        return found

    def _judge_numbers(self, seen: Numbers, wanted: Numbers) -> Outcome:
        if self.up_to != "nothing":
            holds = self._tolerance.equal_up_to(seen.squeeze(), wanted.squeeze(), self.up_to)
            return PASSED if holds else Outcome(0.0, "values", {"differing": "some", "total": seen.size})
        if seen.shape != wanted.shape:
            if seen.size != wanted.size or seen.squeeze().shape != wanted.squeeze().shape:
                return Outcome(0.0, "shape")
            seen = seen.reshape(wanted.shape)
        if self._tolerance.all_close(seen, wanted):
            return PASSED
        return self._differing(seen, wanted)

    def _differing(self, seen: Numbers, wanted: Numbers) -> Outcome:
        wrong = ~self._tolerance.close(seen, wanted)
        not_numbers = np.isnan(seen) & ~np.isnan(wanted)
        if not_numbers.any():
            return Outcome(0.0, "nan", {"differing": int(not_numbers.sum()), "total": seen.size})
        return Outcome(0.0, "values", {"differing": int(wrong.sum()), "total": seen.size})

    def _judge_wrapping(self, node: v.AnyNode, expected: v.AnyNode, same_shape: bool) -> Outcome:
        """The numbers are right: are they held as asked for?"""
        same = same_shape and content.container(node) == content.container(expected)
        if self.container != "any" and not same:
            return Outcome(self.credit if self.container == "partial" else 0.0, "container")
        if not self._dtype_fits(node, expected):
            return Outcome(self.credit if self.container == "partial" else 0.0, "dtype")
        return PASSED

    def _dtype_fits(self, node: v.AnyNode, expected: v.AnyNode) -> bool:
        match self.dtype:
            case "any":
                return True
            case "same":
                return content.dtype(node) == content.dtype(expected)
            case _:
                return content.family(node) == content.family(expected)

    def _judge_structure(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        """Texts and containers of anything, element by element."""
        if structure.same(node, expected, self._tolerance):
            return self._judge_wrapping(node, expected, same_shape=True)
        theirs, ours = content.items(node), content.items(expected)
        if theirs is None or ours is None:
            return Outcome(
                0.0, "kind" if content.container(node) != content.container(expected) else "values", _ONE
            )
        if structure.same_items(theirs, ours, self._tolerance, ordered=not isinstance(expected, v.SetOf)):
            return self._judge_wrapping(node, expected, same_shape=False)
        return Outcome(0.0, "values", {"differing": "some", "total": len(theirs)})

    def _judge_rows(self, node: v.AnyNode, scene: Scene, key: str) -> Outcome:
        table, expected = scene.values.get(self.of.variable), self.to.whole(scene, self.of)
        column = self.to.node(scene, self.of)
        if not isinstance(table, v.Table) or not isinstance(node, v.Array):
            return Outcome(0.0, "not_table")
        if not isinstance(expected, v.Table) or not isinstance(column, v.Array):
            raise MissingReferenceError(
                f"what {self.of.variable} is held against is no table with such a column"
            )
        found = rows.align(table, node, expected, column, key)
        if found.seen is None or found.expected is None:
            return Outcome(0.0, found.wrong, {"differing": found.rows})
        outcome = self._judge_numbers(found.seen, found.expected)
        grouped = any(each.values is node and each.dtype == content.CATEGORY for each in table.columns)
        if outcome.passed and self.dtype != "any" and (grouped or not self._dtype_fits(node, column)):
            return Outcome(self.credit if self.container == "partial" else 0.0, "dtype")
        return outcome

    def _judge_ranking(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        reading, ranking = pairs.read_pairs(node), pairs.read_pairs(expected)
        if ranking.wrong:
            raise MissingReferenceError(
                f"what {self.of.variable} is held against is no ranking: {ranking.wrong}"
            )
        wrong = reading.wrong or pairs.agrees(reading.pairs, ranking.pairs, absolute=self.abs, ties=self.ties)
        if wrong:
            return Outcome(0.0, wrong, {"differing": "some", "total": len(reading.pairs)})
        if self.container != "any" and content.container(node) != content.container(expected):
            return Outcome(self.credit if self.container == "partial" else 0.0, "container")
        return PASSED


_ONE = {"differing": 1, "total": 1}
KIND = Equal
