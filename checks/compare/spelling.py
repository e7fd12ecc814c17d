"""Short values as Python would write them, for messages; what is longer is described in words."""

from __future__ import annotations

from collections.abc import Iterable

from checks.compare import content
from checks.compare.words import describe, moment_text
from checks.evidence import values as v

LIMIT = 60
_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")")}


def spelled(node: v.AnyNode | None, limit: int = LIMIT) -> str:
    """The value itself where it is short, else its description."""
    text = _text(node, limit)
    return text if text is not None and len(text) <= limit else describe(node)


def _text(node: v.AnyNode | None, limit: int) -> str | None:  # noqa: PLR0911 - one line a kind of value
    match node:
        case v.Nothing():
            return "None"
        case v.Bool():
            return str(node.v)
        case v.Int():
            return node.v
        case v.Float() | v.Complex():
            return f"{node.value:.12g}"
        case v.Text():
            return repr(node.v)
        case v.Sequence() if node.base in _BRACKETS and node.cut is None:
            opening, closing = _BRACKETS[node.base]
            single = "," if node.base == "tuple" and len(node.items) == 1 else ""
            return _joined(node.items, opening, single + closing, limit)
        case v.SetOf() if node.items and node.cut is None:
            return _joined(node.items, "{", "}", limit)
        case v.Mapping() if node.cut is None:
            return _entries(node, limit)
        case v.Array() if not node.shape:
            return moment_text(node)
        case v.Array() | v.Series() | v.Index():
            found = content.items(node)
            return None if found is None else _joined(found, f"{_name(node)}([", "])", limit)
        case _:
            return None


def _name(node: v.Array | v.Series | v.Index) -> str:
    return "array" if isinstance(node, v.Array) else type(node).__name__


def _joined(items: Iterable[v.AnyNode], opening: str, closing: str, limit: int) -> str | None:
    texts, length = [], 0
    for item in items:
        text = _text(item, limit)
        length += len(text or "") + 2
        if text is None or length > limit:
            return None
        texts.append(text)
    return opening + ", ".join(texts) + closing


def _entries(node: v.Mapping, limit: int) -> str | None:
    texts, length = [], 0
    for key, item in node.items:
        one, other = _text(key, limit), _text(item, limit)
        length += len(one or "") + len(other or "") + 4
        if one is None or other is None or length > limit:
            return None
        texts.append(f"{one}: {other}")
    return "{" + ", ".join(texts) + "}"
