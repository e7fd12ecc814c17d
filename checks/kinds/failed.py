"""``failed``: an earlier check of the part fell short, for one of the named reasons. For misconceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.kind import Kind, kinds
from checks.spec.target import suggestion


class Failed(Kind, Piece):
    """Holds where ``check`` fell short, ``because`` of one of the reasons (any, where none is named).

    ``cases`` asks for a pattern: of a check with several cases or elements, these fell short and no other.
    """

    reasons: ClassVar[Mapping[str, str]] = {"otherwise": "An earlier check came out otherwise."}

    check: str = Field(description="the id of a check of this part")
    because: list[str] = Field(default=[], description="reasons of that check's kind")
    cases: list[str] = Field(default=[], description="the cases or elements that fell short: these, no other")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A check that is not there, or a reason that its kind has not."""
        if self.check not in scope.checks:
            yield ("check",), f"the part has no check {self.check!r}", suggestion(self.check, scope.checks)
            return
        known = kinds()[scope.checks[self.check]].reasons if scope.checks[self.check] else self.because
        for number, reason in enumerate(self.because):
            if reason not in known:
                what = f"{scope.checks[self.check]!r} has no reason {reason!r}"
                yield ("because", number), what, suggestion(reason, known)

    def known_facts(self, scope: Scope) -> Mapping[str, str]:
        """Those of the other check."""
        word = scope.checks.get(self.check)
        return kinds()[word].facts if word else {}

    def judge(self, scene: Scene) -> Outcome:
        """Full credit where the check fell short for such a reason; its facts come along."""
        found = scene.outcomes.get(self.check, PASSED)
        if found.passed or (self.because and not {found.reason, found.finer} & set(self.because)):
            return Outcome(0.0, "otherwise")
        if self.cases and set(found.failing) != set(self.cases):
            return Outcome(0.0, "otherwise")
        return Outcome(1.0, facts=found.facts)


KIND = Failed
