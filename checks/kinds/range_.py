"""``range``: a number, or every number of a value, lies within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from checks.compare import content
from checks.compare.content import Numbers
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind

Limit = int | float


class Range(TargetKind):
    """``min`` and ``max`` may be reached, ``above`` and ``below`` may not."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_numbers": "{variable} is {seen}; numbers are asked for.",
        "empty": "{variable} is {seen}: there is no number in it.",
        "nan": "{variable} has {differing} values that are not numbers (NaN), of {total}.",
        "small": "{variable} is too small: {lowest}.",
        "large": "{variable} is too large: {highest}.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "differing": "how many values lie outside",
        "total": "how many values there are",
        "lowest": "the smallest number",
        "highest": "the largest number",
    }

    min: Limit | None = Field(default=None, description="the smallest number that is right")
    max: Limit | None = Field(default=None, description="the largest number that is right")
    above: Limit | None = Field(default=None, description="every number is larger than this")
    below: Limit | None = Field(default=None, description="every number is smaller than this")
    nan: bool = Field(default=False, description="whether NaN may be among the numbers")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """No bound at all, or none that a number can keep."""
        if not {"min", "max", "above", "below"} & self.model_fields_set:
            yield (), "a range needs min, max, above or below", ""
        if not self._possible():
            yield (), "no number can lie within these bounds", ""

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """Every number of the value, wherever it stands."""
        found = content.numbers(v.Sequence(items=node.items) if isinstance(node, v.SetOf) else node)
        if found is None or found.dtype.kind == "c":
            elements = content.items(node)
            return Outcome(0.0, "empty" if elements == [] else "not_numbers", _facts(None, 0))
        if not found.size:
            return Outcome(0.0, "empty", _facts(None, 0))
        holes = int(np.isnan(found).sum())
        if holes and not self.nan:
            return Outcome(0.0, "nan", _facts(found, holes))
        kept = found[~np.isnan(found)]
        small, large = self._small(kept), self._large(kept)
        wrong = int((small | large).sum())
        if not wrong:
            return PASSED
        return Outcome(0.0, "small" if small.any() else "large", _facts(kept, wrong, found.size))

    def _possible(self) -> bool:
        lowest = max((each for each in (self.min, self.above) if each is not None), default=float("-inf"))
        highest = min((each for each in (self.max, self.below) if each is not None), default=float("inf"))
        open_end = lowest in (self.above,) or highest in (self.below,)
        return lowest < highest or (lowest == highest and not open_end)

    def _small(self, found: Numbers) -> Numbers:
        small = np.zeros(found.shape, dtype=bool)
        if self.min is not None:
            small |= found < self.min
        return small | (found <= self.above) if self.above is not None else small

    def _large(self, found: Numbers) -> Numbers:
        large = np.zeros(found.shape, dtype=bool)
        if self.max is not None:
            large |= found > self.max
        return large | (found >= self.below) if self.below is not None else large


def _facts(found: Numbers | None, wrong: int, total: int | None = None) -> dict[str, object]:
    if found is None or not found.size:
        return {"differing": wrong, "total": 0, "lowest": "no number", "highest": "no number"}
    with np.errstate(all="ignore"):
        lowest, highest = f"{np.nanmin(found):.6g}", f"{np.nanmax(found):.6g}"
    return {"differing": wrong, "total": total or found.size, "lowest": lowest, "highest": highest}


KIND = Range
