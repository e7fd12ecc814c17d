"""Values written out for messages: ``[1, 2.5, 'a', …]``, cut after a line's length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.compare import content
from checks.compare.words import describe, quoted
from checks.evidence import values as v

MAX_ITEMS = 20
MAX_LENGTH = 120
MAX_DEPTH = 4
_BRACKETS = {"tuple": "()", "set": "{}", "dict": "{}"}


@dataclass(frozen=True)
class Spelled:
    """A value that is written out when a message asks for it."""

    node: v.AnyNode

    def __str__(self) -> str:
        found = spell(self.node)
        return found if len(found) <= MAX_LENGTH else found[: MAX_LENGTH - 1] + "…"


def spell(node: v.AnyNode, depth: int = 0) -> str:  # noqa: PLR0911 - one line a kind of value
    """The value as Python writes it, numbers to six digits; long containers are cut."""
    match node:
        case v.Nothing():
            return "None"
        case v.Bool():
            return str(node.v)
        case v.Int():
            return node.v if len(node.v) <= MAX_LENGTH else describe(node)
        case v.Float() | v.Complex():
            return f"{node.value:.6g}"
        case v.Text():
            return quoted(node.v)
        case v.Mapping():
            return _bracketed("{}", (f"{spell(key)}: {spell(item, depth + 1)}" for key, item in node.items))
    found = None if isinstance(node, (v.Table, v.Layer, v.Model)) else content.items(node)
    if found is None or depth >= MAX_DEPTH:
        return describe(node)
    brackets = _BRACKETS.get(content.container(node), "[]")
    return _bracketed(brackets, (spell(item, depth + 1) for item in found))


def _bracketed(brackets: str, texts: Iterator[str]) -> str:
    shown = []
    for number, text in enumerate(texts):
        if number >= MAX_ITEMS:
            shown.append("…")
            break
        shown.append(text)
    return f"{brackets[0]}{', '.join(shown)}{brackets[1]}"
