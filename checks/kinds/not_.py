"""``not``: a check must fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import RootModel

from checks.scene import Outcome, Scene
from checks.spec.kind import Kind

if TYPE_CHECKING:
    from checks.spec.check import Check  # noqa: F401 - named in the class below as text


class Not(Kind, RootModel["Check"]):
    """The credit is what the check leaves of 1."""

    reasons: ClassVar[Mapping[str, str]] = {"held": "A condition holds that must not."}

    def judge(self, scene: Scene) -> Outcome:
        """The opposite outcome."""
        outcome = self.root.evaluate(scene)
        return Outcome(1.0 - outcome.credit, "held" if outcome.credit > 0 else "")


KIND = Not
