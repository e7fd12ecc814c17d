"""``equal``: a value against a literal, the author's value or another variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.compare import content, pairs, rows
from checks.compare.closeness import UpTo
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec import likeness
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.likeness import NUMBERS, Likeness
from checks.spec.target import Operand

_UNDEFINED = "{variable} is to be compared with something that cannot be computed: {why}."


class Equal(TargetKind, Likeness):
    """Equal within tolerance; what counts beside the numbers (container, type of the elements, a table's
    layout) is for the author to say.

    ``by`` compares a column row by row, matched by a key column or index level. ``prefix`` compares ranked
    pairs: any beginning of the author's list is right.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "other_absent": "{variable} is to be compared with something that has no value.",
        **likeness.REASONS,
        **likeness.TABLE_REASONS,
        **likeness.DICT_REASONS,
        "not_table": "{variable} is no DataFrame.",
        "column_repeated": "{variable} has more than one column {column}.",
        "key_missing": "{variable} has lost the column that tells its rows apart.",
        "key_repeated": "{variable} has more than one column that tells its rows apart.",
        "key_text": "{variable} tells its rows apart by texts, where numbers are asked for.",
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
        **likeness.FACTS,
        "why": "why a formula of `to` cannot be computed",
    }

    to: Operand = Field(description="reference, {reference: …}, {variable: …}, {value: …} or {formula: …}")
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
        if self.order is not None and self.rows != "same":
            yield ("order",), "`order` says how rows stand; `rows` would say another thing", ""
        literal = "value" in self.to.model_fields_set
        if literal and "formula" not in self.to.model_fields_set and self.by is not None:
            yield ("by",), "rows are matched with another table, not with a literal", ""

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
            why = self.to.undefined(scene)
            return Outcome(0.0, "other_absent", {"why": why}, wording=_UNDEFINED if why else "")
        if self.prefix:
            return self._judge_ranking(node, expected)
        if self.up_to != "nothing":
            return self._judge_up_to(node, expected)
        return self._written_down(node, expected).liken(node, expected)

    def _written_down(self, node: v.AnyNode, expected: v.AnyNode) -> Likeness:
        """A number that is written down stands for the integer and for the float, unless ``dtype`` is set."""
        literal = "value" in self.to.model_fields_set and "dtype" not in self.model_fields_set
        families = {content.family(node), content.family(expected)}
        return self.model_copy(update={"dtype": "any"}) if literal and families <= NUMBERS else self

    def _column_wanting(self, table: v.AnyNode | None) -> str:
        if table is None:
            return "absent"
        if not isinstance(table, v.Table):
            return "not_table"
        count = len(content.column(table, self.of.column or ""))
        return "" if count == 1 else "column_repeated" if count else "column_missing"

    def _judge_up_to(self, node: v.AnyNode, expected: v.AnyNode) -> Outcome:
        seen, wanted = content.numbers(node), content.numbers(expected)
        if seen is None or wanted is None:
            return Outcome(0.0, "kind")
        near = self.tolerance(node, expected)
        if not near.equal_up_to(seen.squeeze(), wanted.squeeze(), self.up_to):
            return Outcome(0.0, "values", {"differing": "some", "total": seen.size})
        return self.wrapping(node, expected, seen.shape == wanted.shape)

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
        near = self.tolerance(node, column)
        if self.up_to != "nothing":
            holds = near.equal_up_to(found.seen.squeeze(), found.expected.squeeze(), self.up_to)
            facts = {"differing": "some", "total": found.seen.size}
            outcome = PASSED if holds else Outcome(0.0, "values", facts)
        else:
            outcome = self.numbers_alike(found.seen, found.expected, near)
        grouped = any(each.values is node and each.dtype == content.CATEGORY for each in table.columns)
        free = self.dtype in ("any", "ignored")
        if outcome.passed and not free and (grouped or not self.dtype_fits(node, column)):
            return self._less("dtype", {})
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
            return self._less("container", {})
        return PASSED


KIND = Equal
