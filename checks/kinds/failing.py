"""``failing``: which cases of an earlier ``calls`` check failed. For misconceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.scene import Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.cases import FACTS
from checks.spec.kind import Kind
from checks.spec.target import suggestion


class Failing(Kind, Piece):
    """Holds where just these cases failed; with ``others: true`` others may have failed, too."""

    reasons: ClassVar[Mapping[str, str]] = {"otherwise": "Other calls fail."}

    check: str = Field(description="the id of a calls check of this part")
    cases: list[str] = Field(min_length=1, description="ids of its cases")
    others: bool = Field(default=False, description="whether other cases may fail, too")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A check that is not there, or has no cases."""
        if self.check not in scope.checks:
            yield ("check",), f"the part has no check {self.check!r}", suggestion(self.check, scope.checks)
        elif scope.checks[self.check] not in ("calls", ""):
            yield ("check",), f"{self.check!r} is no calls check: it has no cases", ""

    def judge(self, scene: Scene) -> Outcome:
        """By the cases that the check has noted as failing."""
        outcome = scene.outcomes.get(self.check)
        failing = set(outcome.failing) if outcome is not None else set()
        wanted = set(self.cases)
        holds = wanted <= failing if self.others else wanted == failing
        return Outcome(1.0, "", outcome.facts if outcome else {}) if holds else Outcome(0.0, "otherwise")

    def known_facts(self, _scope: Scope) -> Mapping[str, str]:
        """Those of every calls check."""
        return FACTS


KIND = Failing
