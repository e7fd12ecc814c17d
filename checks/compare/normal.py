"""Bringing values to one form before they are held against each other: case, blanks, rounding, order.

Texts and numbers are changed wherever they stand: inside lists, sets, dicts (keys too), arrays, columns. The
container stays what it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

from checks.compare import content
from checks.compare.arrays import array_of
from checks.evidence import values as v

Change = Callable[[v.AnyNode], v.AnyNode]


@dataclass(frozen=True)
class Form:
    """One form: the ``texts``' rules in their order, decimals to ``digits``, elements in ``order``, tuples
    and other sequences as ``lists``.
    """

    texts: tuple[str, ...] = ()
    digits: int | None = None
    order: bool = False
    lists: bool = False


def normal(node: v.AnyNode, form: Form) -> v.AnyNode:
    """The value in the given form."""
    if form.texts:
        node = _everywhere(node, lambda each: _text(each, form.texts))
    if form.digits is not None:
        digits = form.digits
        node = _everywhere(node, lambda each: _rounded(each, digits))
    if form.lists:
        node = _with_lists(node)
    return in_order(node) if form.order else node


def in_order(node: v.AnyNode) -> v.AnyNode:
    """A flat container with its elements sorted (numbers before texts); any other value as it is."""
    match node:
        case v.Sequence():
            return msgspec.structs.replace(node, items=tuple(sorted(node.items, key=sort_key)))
        case v.Array() if len(node.shape) == 1 and node.values is not None and node.mask is None:
            return array_of(np.sort(node.values), cls=node.cls)
        case v.Array() if len(node.shape) == 1 and node.values is None:
            items = tuple(sorted(content.elements(node) or (), key=sort_key))
            return msgspec.structs.replace(node, items=items, texts=None)
        case v.Series():
            return in_order(node.values)
        case _:
            return node


def sort_key(node: v.AnyNode) -> tuple[int, float, str]:
    """Numbers by size, then texts, moments and spans in time, then all else by its spelling; NaN after every
    number.
    """
    match node:
        case v.Bool() | v.Int() | v.Float():
            number = content.numbers(node)
            size = float(number) if number is not None else float("nan")
            return (1, 0.0, "") if np.isnan(size) else (0, size, "")
        case v.Complex():
            return (0, node.value.real, f"{node.value.imag:+.9e}")
        case v.Text():
            return (2, 0.0, node.v)
        case v.Sequence() | v.SetOf():
            return (3, 0.0, repr([sort_key(item) for item in node.items]))
        case v.Array() if content.is_moment(node):
            return _moment_key(node)
        case _:
            return (5, 0.0, repr(node))


def _moment_key(node: v.Array) -> tuple[int, float, str]:
    """By the whole seconds, then by what is beyond."""
    found = content.moments(node)[()]
    if np.isnat(found):
        return (1, 0.0, "")
    whole = found.astype(f"{found.dtype.kind}8[s]")
    return (4, float(whole.astype(np.int64)), f"{int((found - whole) / np.timedelta64(1, 'ns')):09d}")


def fold(text: str, rules: tuple[str, ...]) -> str:
    """A text by the rules ``case``, ``accents``, ``punctuation``, ``blanks``, ``strip``."""
    for rule in rules:
        text = RULES[rule](text)
    return text


def _without_accents(text: str) -> str:
    plain = (mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return unicodedata.normalize("NFC", "".join(plain))


def _without_punctuation(text: str) -> str:
    return "".join(mark for mark in text if not unicodedata.category(mark).startswith("P"))


RULES: dict[str, Callable[[str], str]] = {
    "case": str.casefold,
    "accents": _without_accents,
    "punctuation": _without_punctuation,
    "blanks": lambda text: " ".join(text.split()),
    "strip": str.strip,
}


def _everywhere(node: v.AnyNode, change: Change) -> v.AnyNode:
    match node:
        case v.Sequence() | v.SetOf():
            return msgspec.structs.replace(
                node, items=tuple(_everywhere(item, change) for item in node.items)
            )
        case v.Mapping():
            pairs = ((_everywhere(key, change), _everywhere(value, change)) for key, value in node.items)
            return msgspec.structs.replace(node, items=tuple(pairs))
        case v.Array() if node.values is None:
            items = tuple(_everywhere(item, change) for item in content.elements(node) or ())
            return msgspec.structs.replace(node, items=items, texts=None)
        case v.Series():
            return msgspec.structs.replace(node, values=_everywhere(node.values, change))
        case v.Table():
            columns = (
                msgspec.structs.replace(column, values=_everywhere(column.values, change))
                for column in node.columns
            )
            return msgspec.structs.replace(node, columns=tuple(columns))
        case _:
            return change(node)


def _with_lists(node: v.AnyNode) -> v.AnyNode:
    """Tuples, ranges and the like as lists; what sets hold, and keys of dicts, stays what it is."""
    match node:
        case v.Sequence():
            return v.Sequence(items=tuple(map(_with_lists, node.items)), cut=node.cut)
        case v.Mapping():
            pairs = ((key, _with_lists(value)) for key, value in node.items)
            return msgspec.structs.replace(node, items=tuple(pairs))
        case v.Array() if node.items is not None:
            return msgspec.structs.replace(node, items=tuple(map(_with_lists, node.items)))
        case _:
            return node


def _text(node: v.AnyNode, rules: tuple[str, ...]) -> v.AnyNode:
    return msgspec.structs.replace(node, v=fold(node.v, rules)) if isinstance(node, v.Text) else node


def _rounded(node: v.AnyNode, digits: int) -> v.AnyNode:
    match node:
        case v.Float():
            return msgspec.structs.replace(node, v=_round(node.value, digits).hex())
        case v.Complex():
            real, imaginary = (_round(part, digits).hex() for part in (node.value.real, node.value.imag))
            return msgspec.structs.replace(node, re=real, im=imaginary)
        case v.Array() if node.values is not None and node.values.dtype.kind in "fc":
            with np.errstate(all="ignore"):
                found = np.round(cast("npt.NDArray[np.inexact[Any]]", node.values), digits)
            return msgspec.structs.replace(node, data=array_of(found + 0).data)
        case _:
            return node


def _round(number: float, digits: int) -> float:
    """Rounded, and never minus zero: its spelling would differ from zero's."""
    return round(number, digits) + 0.0 if np.isfinite(number) else number
