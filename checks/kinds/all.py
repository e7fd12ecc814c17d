"""``all``: every check of a list must hold; the first that fails speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec.structs import replace
from pydantic import Field, RootModel

from checks.scene import Outcome, Scene
from checks.spec.base import Scope
from checks.spec.kind import Kind

if TYPE_CHECKING:
    from checks.spec.check import Check


class All(Kind, RootModel[Annotated[list["Check"], Field(min_length=1)]]):
    """The credit is the lowest of its checks'."""

    reasons: ClassVar[Mapping[str, str]] = {"failed": "One of several conditions does not hold."}

    def judge(self, scene: Scene) -> Outcome:
        """The lowest outcome; later checks are not looked at once one has no credit left."""
        lowest = Outcome(1.0)
        facts: dict[str, object] = {}
        remarks: list[str] = []
        for check in self.root:
            outcome = check.evaluate_inside(scene)
            facts.update(outcome.facts)
            remarks += [outcome.remark] if outcome.remark else []
            if outcome.credit < lowest.credit:
                lowest = Outcome(
                    outcome.credit, "failed", outcome.facts, fallback=outcome.message, failing=outcome.failing
                )
            if lowest.credit <= 0:
                break
        return replace(lowest, facts=facts, remark=" ".join(remarks)) if lowest.passed else lowest

    def known_facts(self, scope: Scope) -> Mapping[str, str]:
        """Those of all its checks; of two with one name the later one's."""
        return {name: says for check in self.root for name, says in check.kind.known_facts(scope).items()}


KIND = All
