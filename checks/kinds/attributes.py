"""``attributes``: what an object says of itself: an estimator's parameters, a layer's settings, a function's
head, a date's zone; each held against a literal, or looked at by a check of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec.structs import replace
from pydantic import Discriminator, Field, Tag

from checks.compare.attributes import follow, pieces_of
from checks.compare.words import describe, listed
from checks.evidence import values as v
from checks.kinds.equal import Equal
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Scope
from checks.spec.kind import ABSENT, TargetKind, kinds
from checks.spec.literal import Literal
from checks.spec.target import Operand, Target
from checks.spec.template import escape

if TYPE_CHECKING:
    from checks.spec.check import Check

VALUE = "value"


def _sort(given: object) -> str:
    """Whether an attribute's entry is a check: a mapping with a kind's word. Anything else is a literal."""
    if isinstance(given, dict):
        return "check" if set(given) & set(kinds()) else "literal"
    return "check" if hasattr(given, "evaluate") else "literal"


class Attributes(TargetKind):
    """Each attribute that is named must be there and be right; a path with dots leads further in.

    Inside, checks know the attribute as the variable ``value``.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "nothing_known": "{variable} is {seen}, of which no attributes can be seen.",
        "not_fitted": "{variable} is {seen}, but it has not been fitted.",
        "attribute_missing": "{variable} is {seen}; it has no {attribute}.",
        "different": "The {attribute} of {variable} is {value}, which is not what is asked for.",
        "failed": "The {attribute} of {variable} is {value}, which is not as asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "attribute": "the attribute that the check failed for",
        "value": "what the attribute is, in a few words",
        "known": "the names of the attributes that there are",
    }

    that: dict[
        str,
        Annotated[Annotated[Check, Tag("check")] | Annotated[Literal, Tag("literal")], Discriminator(_sort)],
    ] = Field(min_length=1, description="attributes, each with its value or with a check about `value`")

    def inner_scope(self, scope: Scope) -> Scope:
        """The checks inside may speak of ``value``."""
        return scope.with_variables(VALUE)

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """The first attribute that is not right gives the reason; the credit is the lowest of all."""
        known = pieces_of(node)
        if not known:
            return Outcome(0.0, "nothing_known")
        expected = scene.reference.get(self.of.variable) if scene.reference else None
        lowest = PASSED
        for path, wanted in self.that.items():
            outcome = self._judge_path(path, wanted, node, expected, scene)
            if outcome.credit < lowest.credit:
                lowest = outcome
            if lowest.credit <= 0:
                break
        return replace(lowest, facts={"known": listed(list(known)), **lowest.facts})

    def _judge_path(
        self, path: str, wanted: object, node: v.AnyNode, expected: v.AnyNode | None, scene: Scene
    ) -> Outcome:
        found = follow(node, path)
        if isinstance(found, str):
            return Outcome(0.0, _why_missing(node, found), {"attribute": path})
        outcome = self._judge_one(path, wanted, found, expected, scene)
        return replace(outcome, facts={"attribute": path, "value": describe(found)})

    def _judge_one(
        self, path: str, wanted: object, found: v.AnyNode, expected: v.AnyNode | None, scene: Scene
    ) -> Outcome:
        evaluate = getattr(wanted, "evaluate_inside", None)
        if evaluate is None:
            return PASSED if is_literally(found, wanted) else Outcome(0.0, "different")
        theirs = follow(expected, path) if expected is not None else None
        inside = scene.inside(VALUE, found, None if isinstance(theirs, str) else theirs)
        outcome: Outcome = evaluate(inside)
        if outcome.passed:
            return outcome
        said = f"The {escape(path)} of {escape(self.of.variable)}"
        return Outcome(outcome.credit, "failed", fallback=about(outcome.message, said))


def about(message: str, said: str) -> str:
    """A message of a check inside, which says ``value``, with the name that readers know."""
    return said + message[len(VALUE) :] if message.startswith(f"{VALUE} ") else message


def is_literally(node: v.AnyNode, wanted: object) -> bool:
    """Whether a value is a literal's, in whatever container: parameters come as tuples, lists and arrays."""
    if isinstance(wanted, bool) != isinstance(node, v.Bool):
        return False
    same = Equal(of=Target(variable=VALUE), to=Operand(value=wanted), container="any", dtype="any")
    return same.judge_node(node, Scene({VALUE: node})).passed


def _why_missing(node: v.AnyNode, step: str) -> str:
    if isinstance(node, v.Opaque) and node.sort == "estimator" and step.endswith("_"):
        fitted = node.attributes.get("fitted")
        return "not_fitted" if isinstance(fitted, v.Bool) and not fitted.v else "attribute_missing"
    return "attribute_missing"


KIND = Attributes
