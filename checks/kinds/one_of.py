"""``one_of``: several values are accepted, each perhaps with a remark or less than full credit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace
from pydantic import Field, model_validator

from checks.evidence import values as v
from checks.scene import Outcome, Scene
from checks.spec import likeness
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.likeness import Likeness
from checks.spec.target import OPERANDS, Operand
from checks.spec.template import fill
from checks.spec.wording import message_problems


class Option(Operand):
    """One accepted value."""

    remark: str | None = Field(default=None, description="what a student reads who gives this value")
    worth: float = Field(default=1.0, gt=0, le=1, description="the credit of this value")

    @model_validator(mode="before")
    @classmethod
    def _plain_value(cls, given: Any) -> Any:
        """A bare value is a literal; a mapping is an operand where it names one."""
        names_one = isinstance(given, dict) and bool({*OPERANDS} & given.keys())
        return given if names_one or given in ("reference", {"reference": ""}) else {"value": given}


class OneOf(TargetKind, Likeness):
    """The value is equal to one of the accepted ones; the best of them counts."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "none": "{variable} is {seen}, which is none of the answers that count.",
        "container": likeness.REASONS["container"],
        "dtype": likeness.REASONS["dtype"],
    }

    accept: list[Option] = Field(min_length=1, description="the values that are right")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """An option that an earlier one covers; fields of the remarks."""
        for number, option in enumerate(self.accept):
            if any(_says(option) == _says(other) for other in self.accept[:number]):
                yield ("accept", number), "an earlier option says the same, so this one is never reached", ""
            if option.remark:
                yield from message_problems(option.remark, ("accept", number, "remark"), self.facts)

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """The best outcome over the options; the first of equals."""
        best = Outcome(0.0, "none")
        for option in self.accept:
            expected = option.node(scene, self.of)
            if expected is None:
                continue
            found = self.liken(node, expected)
            credit = found.credit * option.worth
            if credit > best.credit:
                best = replace(found, credit=credit, remark=option.remark or "")
        return best

    def _judge_sight(self, sight: Any, scene: Scene) -> Outcome:
        """As every target kind, the remark filled in; an option of less worth says why in its remark."""
        found = super()._judge_sight(sight, scene)
        if not found.remark:
            return found
        remark = fill(found.remark, found.facts)
        return replace(found, remark=remark) if found.passed else replace(found, remark="", message=remark)


def _says(option: Option) -> dict[str, Any]:
    return option.model_dump(exclude={"remark", "worth"})


KIND = OneOf
