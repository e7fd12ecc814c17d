"""``when``: look first, then choose what to check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Optional

from pydantic import Field

from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Piece
from checks.spec.kind import Kind

if TYPE_CHECKING:
    from checks.spec.check import Check


class When(Kind, Piece):
    """``if`` decides (any credit counts as yes) between ``then`` and ``otherwise``;
    without ``otherwise``, no passes.
    """

    reasons: ClassVar[Mapping[str, str]] = {"failed": "What follows from a condition does not hold."}

    condition: Check = Field(alias="if", description="the condition")
    then: Check = Field(description="what must hold where the condition does")
    otherwise: Optional[Check] = Field(default=None, description="what must hold where it does not")  # noqa: UP045

    def judge(self, scene: Scene) -> Outcome:
        """The outcome of the chosen check."""
        chosen = self.then if self.condition.evaluate(scene).credit > 0 else self.otherwise
        if chosen is None:
            return PASSED
        outcome = chosen.evaluate_inside(scene)
        return (
            outcome
            if outcome.passed
            else Outcome(outcome.credit, "failed", outcome.facts, fallback=outcome.message)
        )


KIND = When
