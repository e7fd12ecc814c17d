"""``any``: one check of a list must hold;
where none does, the one that came nearest (the first of equals) speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, RootModel

from checks.scene import Outcome, Scene
from checks.spec.kind import Kind

if TYPE_CHECKING:
    from checks.spec.check import Check


class Any(Kind, RootModel[Annotated[list["Check"], Field(min_length=1)]]):
    """The credit is the highest of its checks'."""

    reasons: ClassVar[Mapping[str, str]] = {"failed": "None of several conditions holds."}

    def judge(self, scene: Scene) -> Outcome:
        """The highest outcome."""
        highest: Outcome | None = None
        for check in self.root:
            outcome = check.evaluate_inside(scene)
            if outcome.passed:
                return Outcome(1.0, facts=outcome.facts, remark=outcome.remark)
            if highest is None or outcome.credit > highest.credit:
                highest = Outcome(
                    outcome.credit, "failed", outcome.facts, fallback=outcome.message, failing=outcome.failing
                )
        return highest or Outcome(0.0, "failed")


KIND = Any
