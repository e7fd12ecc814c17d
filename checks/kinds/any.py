"""``any``: one check of a list must hold;
where none does, the one that came nearest (the first of equals) speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import RootModel

from checks.scene import PASSED, Outcome, Scene
from checks.spec.kind import Kind

if TYPE_CHECKING:
    from checks.spec.check import Check


class Any(Kind, RootModel[list["Check"]]):
    """The credit is the highest of its checks'."""

    reasons: ClassVar[Mapping[str, str]] = {"failed": "None of several conditions holds."}

    def judge(self, scene: Scene) -> Outcome:
        """The highest outcome."""
        highest: Outcome | None = None
        for check in self.root:
            outcome = check.evaluate(scene)
            if outcome.passed:
                return PASSED
            if highest is None or outcome.credit > highest.credit:
                highest = Outcome(outcome.credit, "failed", outcome.facts, fallback=outcome.message)
        return highest or Outcome(0.0, "failed")


KIND = Any
