"""``text``: what a text says: equal, contains, excludes, matches, how many words and lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.compare.words import quoted
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.target import Operand
from checks.spec.text_rule import TextRule, count_lines, count_words


class Text(TargetKind):
    """Each of the conditions that are given must hold; the first that does not gives the reason."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "other_absent": "{variable} is to be compared with something that has no value.",
        "not_text": "{variable} is {seen}, not a text.",
        "cut": "{variable} is a text of {length} characters, which is longer than any that is looked at.",
        "equal": "{variable} is {seen}, which is not the text asked for.",
        "contains": "{variable} lacks something that it should say.",
        "excludes": "{variable} says {found}, which does not belong there.",
        "matches": "{variable} is {seen}, which is not of the form asked for.",
        "words": "{variable} has {words} words; that is not the length asked for.",
        "lines": "{variable} has {lines} lines; that is not the number asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "found": "the piece that does not belong there",
        "length": "how many characters there are",
        "words": "how many words there are",
        "lines": "how many lines there are that are not empty",
    }

    is_: TextRule | None = Field(default=None, alias="is", description="what the text must be like")
    to: Operand | None = Field(default=None, description="a text that it must be equal to, such as reference")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """A check that asks for nothing."""
        if self.is_ is None and self.to is None:
            yield (), "any text would pass: `is` or `to` must say what is right", ""

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        text = text_in(node)
        if text is None:
            return Outcome(0.0, "not_text")
        facts = {"length": len(text), "words": count_words(text), "lines": count_lines(text)}
        if isinstance(node, v.Text) and node.cut is not None:
            return Outcome(0.0, "cut", {"length": node.cut})
        for reason, piece in self.is_.wanting(text) if self.is_ else ():
            return Outcome(0.0, reason, {**facts, "found": quoted(piece)})
        if self.to is None:
            return PASSED
        expected = self.to.node(scene, self.of)
        wanted = None if expected is None else text_in(expected)
        if wanted is None:
            return Outcome(0.0, "other_absent", facts)
        rule = self.is_ or _ANY
        return PASSED if rule.normalised(text) == rule.normalised(wanted) else Outcome(0.0, "equal", facts)


_ANY = TextRule(excludes=[])


def text_in(node: v.AnyNode) -> str | None:
    """The text that a value is, or holds alone: a text, one element of a text array, a file's content."""
    match node:
        case v.Text():
            return node.v
        case v.Array(shape=(), items=(v.Text() as only,)):
            return only.v
        case v.Opaque(attributes={"text": v.Text() as content}):
            return content.v
        case _:
            return None


KIND = Text
