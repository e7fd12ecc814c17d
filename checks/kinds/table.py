"""``table``: a data frame's columns and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from checks.compare import content
from checks.compare.similar import similar_names
from checks.compare.words import listed, quoted_if_odd
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.bounds import Bounds
from checks.spec.kind import ABSENT, TargetKind


class Table(TargetKind):
    """The value is a data frame that has the columns (an index level of the name counts) and as many rows."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_table": "{variable} is {seen}, not a DataFrame.",
        "misnamed": "{variable} has no column {missing}, but it has {similar}. Look at the spelling.",
        "column_missing": "{variable} has no column {missing}.",
        "column_repeated": "{variable} has more than one column {missing}.",
        "rows": "{variable} is {seen}; that is not the number of rows asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "missing": "the column that is not there",
        "similar": "the student's columns whose names are like it",
    }

    columns: list[str] = Field(default=[], description="columns that must be there, each once")
    rows: Bounds | None = Field(default=None, description="the number of rows")

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """The first column that is wanting gives the reason."""
        if not isinstance(node, v.Table):
            return Outcome(0.0, "not_table")
        for name in self.columns:
            found = content.column(node, name)
            if len(found) != 1:
                return _wanting(node, name, repeated=bool(found))
        if self.rows and not self.rows.hold(node.index.levels[0].shape[0]):
            return Outcome(0.0, "rows")
        return PASSED


def _wanting(table: v.Table, name: str, *, repeated: bool) -> Outcome:
    similar = similar_names(name, content.column_names(table))
    reason = "column_repeated" if repeated else "misnamed" if similar else "column_missing"
    return Outcome(
        0.0, reason, {"missing": name, "similar": listed([quoted_if_odd(each) for each in similar])}
    )


KIND = Table
