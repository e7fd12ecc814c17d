"""Values written out for messages, as Python would write them.

In a sentence about a call a value stands as it is, or is described where it is long (:func:`spelled`); as a
message's field it is cut after a line's length (:class:`Spelled`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from checks.compare import content
from checks.compare.words import describe, moment_text, quoted
from checks.evidence import values as v

LIMIT = 60
MAX_ITEMS = 20
MAX_LENGTH = 120
MAX_DEPTH = 4
_BRACKETS = {"tuple": ("(", ")"), "set": ("{", "}")}
_WHOLE = ("list", "tuple", "set", "array", "series", "index")


@dataclass(frozen=True)
class _Style:
    """How a value is written. ``whole``: all of it or nothing, within ``limit`` characters, arrays and
    columns with their names; else long containers are cut, and what cannot be written is described.
    """

    digits: int
    quote: Callable[[str], str]
    whole: bool
    limit: int = MAX_LENGTH


def spelled(node: v.AnyNode | None, limit: int = LIMIT) -> str:
    """The value itself where it is short, else its description."""
    text = None if node is None else _text(node, _Style(12, repr, whole=True, limit=limit))
    return text if text is not None and len(text) <= limit else describe(node)


@dataclass(frozen=True)
class Spelled:
    """A value that is written out when a message asks for it."""

    node: v.AnyNode

    def __str__(self) -> str:
        found = _text(self.node, _Style(6, quoted, whole=False)) or describe(self.node)
        return found if len(found) <= MAX_LENGTH else found[: MAX_LENGTH - 1] + "…"


def _text(node: v.AnyNode, style: _Style, depth: int = 0) -> str | None:  # noqa: PLR0911 - one line a kind of value
    match node:
        case v.Nothing():
            return "None"
        case v.Bool():
            return str(node.v)
        case v.Int():
            return node.v if len(node.v) <= style.limit else None
        case v.Float() | v.Complex():
            return f"{node.value:.{style.digits}g}"
        case v.Text():
            return style.quote(node.v)
        case v.Array() if not node.shape:
            return moment_text(node)
        case v.Mapping() if style.whole and node.cut is not None:
            return None
        case v.Mapping():
            return _joined("{", (_entry(key, item, style, depth) for key, item in node.items), "}", style)
        case _:
            return _container(node, style, depth)


def _container(node: v.AnyNode, style: _Style, depth: int) -> str | None:
    word = content.container(node)
    items = None if isinstance(node, (v.Table, v.Layer, v.Model)) else content.items(node)
    whole = word in _WHOLE and getattr(node, "cut", None) is None and (items or word != "set")
    if items is None or depth >= MAX_DEPTH or (style.whole and not whole):
        return None
    opening, closing = _BRACKETS.get(word, ("[", "]"))
    if style.whole:
        name = {"array": "array", "series": "Series", "index": "Index"}.get(word)
        opening, closing = (f"{name}([", "])") if name else (opening, closing)
        closing = f",{closing}" if word == "tuple" and len(items) == 1 else closing
    return _joined(opening, (_inner(item, style, depth + 1) for item in items), closing, style)


def _entry(key: v.AnyNode, item: v.AnyNode, style: _Style, depth: int) -> str | None:
    one, other = _inner(key, style, depth), _inner(item, style, depth + 1)
    return None if one is None or other is None else f"{one}: {other}"


def _inner(node: v.AnyNode, style: _Style, depth: int) -> str | None:
    text = _text(node, style, depth)
    return describe(node) if text is None and not style.whole else text


def _joined(opening: str, texts: Iterable[str | None], closing: str, style: _Style) -> str | None:
    shown: list[str] = []
    length = 0
    for text in texts if style.whole else islice(texts, MAX_ITEMS + 1):
        length += len(text or "") + 2
        if text is None or (style.whole and length > style.limit):
            return None
        shown.append(text)
    if not style.whole and len(shown) > MAX_ITEMS:
        shown[-1] = "…"
    return opening + ", ".join(shown) + closing
