"""How a part is marked beyond its checks: known mistakes, remarks, steps, what follows from a slip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from checks.spec.audience import Visible
from checks.spec.base import Found, Piece, Scope
from checks.spec.check import Check
from checks.spec.naming import Identifier, PartId
from checks.spec.suggesting import suggestion
from checks.spec.wording import message_problems

FOLLOWS = "This follows rightly from your own earlier value, whose mistake has been counted there."


class Misconception(Piece):
    """A known way to be wrong: where ``when`` holds (with any credit), its message goes to the student."""

    id: Identifier
    when: Check
    message: str
    credit: float | None = Field(
        default=None, ge=0, le=1, description="the part's credit; else what the checks gave"
    )
    visible: Visible = Field(default="always", description="who sees that it is this one, and its message")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Fields of the message that the condition does not fill."""
        yield from message_problems(self.message, ("message",), self.when.kind.known_facts(scope))


class Remark(Piece):
    """A kind word beside full marks: where ``when`` holds for a right answer, its message is added."""

    id: Identifier
    when: Check
    message: str

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Fields of the message that the condition does not fill."""
        yield from message_problems(self.message, ("message",), self.when.kind.known_facts(scope))


class Steps(Piece):
    """Credit by how many checks pass one after the other, from the first: one number for each check."""

    steps: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = Field(
        description="the credit when so many checks pass, before the first that does not; the last is 1"
    )

    @model_validator(mode="after")
    def _rising(self) -> Steps:
        if sorted(self.steps) != self.steps or self.steps[-1] != 1:
            raise PydanticCustomError("steps", "the steps' credits rise, and the last one is 1")
        return self


class CarryForward(Piece):
    """The part judged once more by what follows from the student's own earlier value.

    It is looked at where the part's credit is below 1 and one of the parts ``after`` which it comes is wrong.
    Its checks stand in for those of the same id; the better result counts.
    """

    after: list[PartId] = Field(
        min_length=1, description="earlier parts whose mistakes are not counted again"
    )
    checks: list[Check] = Field(min_length=1, description="checks in place of those of the same id")
    message: str = Field(default=FOLLOWS, description="what the student reads where it counts")
    credit: float = Field(default=1.0, gt=0, le=1, description="what the part is worth then, at most")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """Checks that stand in for none."""
        yield from message_problems(self.message, ("message",), {})
        for number, check in enumerate(self.checks):
            if (check.id or check.word) not in scope.checks:
                what = f"the part has no check {check.id or check.word!r} that this one could stand in for"
                yield ("checks", number), what, suggestion(check.id or check.word, scope.checks)
