"""What a check looks at: one part's values, the author's values, and how the checks before it came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.errors import MissingReferenceError
from checks.evidence import values as v


@dataclass(frozen=True)
class Outcome:
    """A check's result: ``credit`` from 0 to 1, the ``reason`` where it is below 1, facts to fill messages
    with.

    ``message`` is a finished text that goes before the check's own message, ``fallback`` one that stands
    back; ``remark`` is one that a check which passes leaves for the student. ``failing`` names the cases or
    elements that fell short, where a kind has several.
    """

    credit: float
    reason: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    message: str = ""
    fallback: str = ""
    remark: str = ""
    failing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is wanting."""
        return self.credit >= 1.0


PASSED = Outcome(1.0)


@dataclass(frozen=True)
class Scene:
    """``values`` are the student's by variable, ``reference`` the author's (None:
    there was no reference run). ``names`` tells how messages call a variable that is none of the notebook's.
    """

    values: Mapping[str, v.AnyNode]
    reference: Mapping[str, v.AnyNode] | None = None
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def expected(self, name: str) -> v.AnyNode:
        """The author's value of ``name``; raises MissingReferenceError."""
        if self.reference is None or name not in self.reference:
            raise MissingReferenceError(f"the reference run left no value of {name}")
        return self.reference[name]
