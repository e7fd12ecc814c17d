"""``members``: which elements a set holds; each element may have its own message."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from checks.compare import content
from checks.compare.words import describe, listed, quoted_if_odd
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.template import fill
from checks.spec.wording import message_problems

Member = str | int | float | bool


class Members(TargetKind):
    """The elements are the required ones, perhaps some optional ones, and no other (unless ``others`` may be
    there).

    ``forbidden`` maps an element to the message for it, ``required`` may do so too (both may be plain lists).
    An element that is in none of the lists is an unknown one. Right elements in another container than a set
    are worth ``credit``; ``container: any`` makes them worth everything.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "unreadable": "{variable} is {seen}, not a set of names.",
        "empty_dict": "{variable} is an empty dict: braces with nothing between them make a dict, not a set.",
        "empty": "{variable} is empty.",
        "not_text": "{variable} holds {names}; each element should be one name, as text in quotes.",
        "not_plain": "{variable} holds {names}; each element should be a plain value.",
        "forbidden": "{variable} holds {names}, which should not be there.",
        "unknown": "{variable} holds {names}, which is not among the names to choose from.",
        "missing": "Something is missing from {variable}.",
        "container": "{variable} holds the right names, but as {seen} instead of a set.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "names": "the elements that are wrong",
        "count": "how many required elements are missing",
    }

    required: list[Member] | dict[str, str] = Field(
        default=[], description="elements that must be there; or with messages"
    )
    optional: list[Member] = Field(default=[], description="elements that may be there")
    forbidden: list[Member] | dict[str, str] = Field(
        default={}, description="elements that must not be there; or each with its message"
    )
    others: Literal["forbidden", "allowed"] = Field(
        default="forbidden", description="whether elements may be there that no list names"
    )
    container: Literal["set", "any"] = Field(
        default="set", description="a set, or any container that has elements"
    )
    credit: float = Field(
        default=0.5, ge=0, le=1, description="the credit of the right elements in another container"
    )

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Elements that are in two lists; fields of the elements' messages; nothing asked for."""
        lists = {"required": self.required, "optional": self.optional, "forbidden": self.forbidden}
        seen: dict[Member, str] = {}
        for key, names in lists.items():
            for name in names:
                if name in seen:
                    yield (key,), f"{name!r} is in {seen[name]} already", ""
                seen[name] = key
                if isinstance(names, dict):
                    yield from message_problems(names[str(name)], (key, str(name)), self.facts)
        if self.others == "allowed" and not self.required and not self.forbidden:
            yield (), "this check asks for nothing: no element is required or forbidden", ""

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """Elements first, the container last."""
        found = content.items(node)
        if found is None:
            return Outcome(0.0, "unreadable")
        if not found and self.required:
            return Outcome(0.0, "empty_dict" if isinstance(node, v.Mapping) else "empty")
        other = next((item for item in found if not self._fits(item)), None)
        if other is not None and self.others == "forbidden":
            return Outcome(0.0, "not_text" if self._only_texts() else "not_plain", {"names": describe(other)})
        outcome = self._judge_names([item for item in found if self._fits(item)])
        if outcome.passed and self.container == "set" and not isinstance(node, v.SetOf):
            return Outcome(self.credit, "container")
        return outcome

    def _only_texts(self) -> bool:
        return all(isinstance(name, str) for name in (*self.required, *self.optional, *self.forbidden))

    def _fits(self, item: v.AnyNode) -> bool:
        plain = isinstance(item, (v.Bool, v.Int, v.Float))
        return isinstance(item, v.Text) or (plain and not self._only_texts())

    def _judge_names(self, found: list[v.AnyNode]) -> Outcome:
        names = {self._meant(content.label(item)): _shown(item) for item in found}
        bad = [name for name in self.forbidden if _label(name) in names]
        unknown: list[str] = []
        if self.others == "forbidden":
            known = {*map(_label, (*self.required, *self.optional, *self.forbidden))}
            unknown = sorted(name for label, name in names.items() if label not in known)
        missing = [name for name in self.required if _label(name) not in names]
        texts = _texts(self.forbidden, bad) + _texts(self.required, missing)
        if bad or unknown:
            facts = {"names": listed([quoted_if_odd(str(name)) for name in [*bad, *unknown]])}
            return Outcome(0.0, "forbidden" if bad else "unknown", facts, _paragraph(texts, facts))
        if missing:
            return Outcome(0.0, "missing", {"names": "…", "count": len(missing)}, _paragraph(texts, {}))
        return PASSED

    def _meant(self, label: object) -> object:
        """The member that is meant: of a float the one that differs by rounding alone."""
        if not isinstance(label, float):
            return label
        named = (*self.required, *self.optional, *self.forbidden)
        floats = [each for each in named if isinstance(each, float)]
        return next((each for each in floats if math.isclose(each, label, rel_tol=1e-9)), label)


def _shown(item: v.AnyNode) -> str:
    return item.v if isinstance(item, v.Int) else str(content.scalar(item))


def _label(name: Member) -> object:
    return content.plain_label(content.composed(name) if isinstance(name, str) else name)


def _texts(messages: list[Member] | dict[str, str], names: list[Member]) -> list[str]:
    return [messages[str(name)] for name in names] if isinstance(messages, dict) else []


def _paragraph(texts: list[str], facts: Mapping[str, object]) -> str:
    """One text as it is, several as a list; each once."""
    filled = [fill(text, facts) for text in dict.fromkeys(texts)]
    return filled[0] if len(filled) == 1 else "\n".join(f"- {text}" for text in filled)


KIND = Members
