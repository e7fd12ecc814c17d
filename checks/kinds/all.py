"""``all``: every check of a list must hold; the first that fails speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import RootModel

from checks.scene import Outcome, Scene
from checks.spec.kind import Kind

if TYPE_CHECKING:
    from checks.spec.check import Check


class All(Kind, RootModel[list["Check"]]):
    """The credit is the lowest of its checks'."""

    reasons: ClassVar[Mapping[str, str]] = {"failed": "One of several conditions does not hold."}

    def judge(self, scene: Scene) -> Outcome:
        """The lowest outcome; later checks are not looked at once one has no credit left."""
        lowest = Outcome(1.0)
        for check in self.root:
            outcome = check.evaluate(scene)
            if outcome.credit < lowest.credit:
                lowest = Outcome(outcome.credit, "failed", outcome.facts, fallback=outcome.message)
            if lowest.credit <= 0:
                break
        return lowest


KIND = All
