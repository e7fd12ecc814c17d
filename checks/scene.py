"""What a check looks at: one part's values, the author's values, and how the checks before it came out."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from checks.errors import MissingReferenceError
from checks.evidence import values as v


class Outcome(msgspec.Struct, frozen=True):
    """A check's result: ``credit`` from 0 to 1, the ``reason`` where it is below 1, facts to fill messages
    with.

    ``message`` is a finished text that goes before the check's own message, ``fallback`` one that stands
    back; ``remark`` is one that a check which passes leaves for the student. ``failing`` names the cases or
    elements that fell short, where a kind has several. ``wording`` is a template that fits better than the
    kind's own for this reason, where the author gives none; ``finer`` a reason that says more, for which the
    author may have a message, too.
    """

    credit: float
    reason: str = ""
    facts: Mapping[str, object] = {}
    message: str = ""
    fallback: str = ""
    remark: str = ""
    failing: tuple[str, ...] = ()
    wording: str = ""
    finer: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing is wanting."""
        return self.credit >= 1.0


PASSED = Outcome(1.0)


class Code(msgspec.Struct, frozen=True):
    """A code cell that had run; ``number`` counts the code cells from 1. ``own``: it belongs to the part."""

    number: int
    source: str
    own: bool = True


class Scene(msgspec.Struct, frozen=True):
    """``values`` are the student's by variable, ``reference`` the author's (None:
    there was no reference run). ``names`` tells how messages call a variable that is none of the notebook's.
    ``code`` are the cells up to the one where the values were taken.
    """

    values: Mapping[str, v.AnyNode]
    reference: Mapping[str, v.AnyNode] | None = None
    outcomes: Mapping[str, Outcome] = {}
    names: Mapping[str, str] = {}
    code: tuple[Code, ...] = ()

    def inside(self, name: str, seen: v.AnyNode, expected: v.AnyNode | None) -> Scene:
        """The scene for checks about a piece of a value, which they know as ``name``."""
        values = {**self.values, name: seen}
        if self.reference is None or expected is None:
            kept = self.reference and {key: node for key, node in self.reference.items() if key != name}
            return replace(self, values=values, reference=kept)
        return replace(self, values=values, reference={**self.reference, name: expected})

    def expected(self, name: str) -> v.AnyNode:
        """The author's value of ``name``; raises MissingReferenceError."""
        if self.reference is None or name not in self.reference:
            raise MissingReferenceError(f"the reference run left no value of {name}")
        return self.reference[name]
