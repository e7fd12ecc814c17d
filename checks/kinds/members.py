"""``members``: which elements a set holds; each element may have its own message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.compare import content
from checks.compare.words import describe, listed, quoted_if_odd
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.template import fill
from checks.spec.wording import message_problems


class Members(TargetKind):
    """The elements are the required ones, perhaps some optional ones, and no other.

    ``forbidden`` maps an element to the message for it, ``required`` may do so too. An element that is in
    none of the lists is an unknown one. Right elements in another container than a set are worth ``credit``.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "unreadable": "{variable} is {seen}, not a set of names.",
        "empty_dict": "{variable} is an empty dict: braces with nothing between them make a dict, not a set.",
        "empty": "{variable} is empty.",
        "not_text": "{variable} holds {names}; each element should be one name, as text in quotes.",
        "forbidden": "{variable} holds {names}, which should not be there.",
        "unknown": "{variable} holds {names}, which is not among the names to choose from.",
        "missing": "Something is missing from {variable}.",
        "container": "{variable} holds the right names, but as {seen} instead of a set.",
    }
    facts: ClassVar[Mapping[str, str]] = {**TargetKind.facts, "names": "the elements that are wrong"}

    required: list[str] | dict[str, str] = Field(
        default=[], description="elements that must be there; or with messages"
    )
    optional: list[str] = Field(default=[], description="elements that may be there")
    forbidden: dict[str, str] = Field(
        default={}, description="elements that must not be there, each with its message"
    )
    credit: float = Field(
        default=0.5, ge=0, le=1, description="the credit of the right elements in another container"
    )

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Elements that are in two lists; fields of the elements' messages."""
        lists = {"required": self.required, "optional": self.optional, "forbidden": self.forbidden}
        seen: dict[str, str] = {}
        for key, names in lists.items():
            for name in names:
                if name in seen:
                    yield (key,), f"{name!r} is in {seen[name]} already", ""
                seen[name] = key
                if isinstance(names, dict):
                    yield from message_problems(names[name], (key, name), self.facts)

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """Elements first, the container last."""
        found = content.items(node)
        if found is None:
            return Outcome(0.0, "unreadable")
        if not found:
            return Outcome(0.0, "empty_dict" if isinstance(node, v.Mapping) else "empty")
        other = next((item for item in found if not isinstance(item, v.Text)), None)
        if other is not None:
            return Outcome(0.0, "not_text", {"names": describe(other)})
        outcome = self._judge_names({item.v for item in found if isinstance(item, v.Text)})
        if outcome.passed and not isinstance(node, v.SetOf):
            return Outcome(self.credit, "container")
        return outcome

    def _judge_names(self, names: set[str]) -> Outcome:
        bad = [name for name in self.forbidden if name in names]
        unknown = sorted(names - {*self.required, *self.optional, *self.forbidden})
        missing = [name for name in self.required if name not in names]
        texts = [self.forbidden[name] for name in bad]
        if isinstance(self.required, dict):
            texts += [self.required[name] for name in missing]
        if bad or unknown:
            facts = {"names": listed([quoted_if_odd(name) for name in bad + unknown])}
            return Outcome(0.0, "forbidden" if bad else "unknown", facts, _paragraph(texts, facts))
        if missing:
            return Outcome(0.0, "missing", {"names": "…"}, _paragraph(texts, {}))
        return PASSED


def _paragraph(texts: list[str], facts: Mapping[str, object]) -> str:
    """One text as it is, several as a list; each once."""
    filled = [fill(text, facts) for text in dict.fromkeys(texts)]
    return filled[0] if len(filled) == 1 else "\n".join(f"- {text}" for text in filled)


KIND = Members
