"""Ranked lists of (key, number) pairs, such as a word model's nearest neighbours.

The author's list is the whole ranking; an answer is right when it is the ranking's beginning, however long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from checks.compare import content
from checks.compare.once import once_each
from checks.evidence import values as v

Pair = tuple[str, float]


@dataclass(frozen=True)
class Reading:
    """``pairs`` as far as the value could be read as pairs, else ``wrong`` tells how it failed."""

    pairs: tuple[Pair, ...] = ()
    wrong: str = ""


def _read(node: v.AnyNode) -> Reading:
    """Pairs out of any container that may hold them:
    a list of pairs, two columns, a labelled column, a dict.
    """
    match node:
        case v.Mapping():
            return _paired(list(node.items))
        case v.Series() if len(node.index.levels) == 1:
            return _zipped(node.index.levels[0], node.values)
        case v.Table() if len(node.columns) == 2:
            return _zipped(node.columns[0].values, node.columns[1].values)
        case v.Table() if len(node.columns) == 1 and len(node.index.levels) == 1:
            return _zipped(node.index.levels[0], node.columns[0].values)
        case v.Array() if len(node.shape) == 2 and node.shape[1] == 2 and node.data is None:
            cells = content.elements(node) or []
            return _paired(list(zip(cells[::2], cells[1::2], strict=True)), parse=True)
        case _:
            return _listed(content.items(node) if not isinstance(node, v.SetOf) else None)


# A ranking of the author's is held against many answers, and an answer against several rankings.
read_pairs = once_each(_read)


def _by_key(ranking: tuple[Pair, ...]) -> dict[str, float]:
    return dict(ranking)


_known = once_each(_by_key)


def agrees(pairs: tuple[Pair, ...], ranking: tuple[Pair, ...], *, absolute: float, ties: float) -> str:
    """Empty where ``pairs`` begin the ``ranking``, else what is wrong: empty_list, unknown, values, order,
    repeated.

    Numbers may differ by ``absolute``; keys whose numbers in the ranking differ by at most ``ties`` may swap
    places.
    """
    known = _known(ranking)
    keys = [key for key, _ in pairs]
    if not pairs:
        return "empty_list"
    if len(set(keys)) < len(keys):
        return "repeated"
    if any(key not in known for key in keys):
        return "unknown"
    if not all(abs(number - known[key]) <= absolute for key, number in pairs):
        return "values"
    if not all(
        abs(known[key] - number) <= ties for (key, _), (_, number) in zip(pairs, ranking, strict=False)
    ):
        return "order"
    return ""


def _listed(found: list[v.AnyNode] | None) -> Reading:
    if found is None:
        return Reading(wrong="not_pairs")
    if found and all(isinstance(item, v.Text) for item in found):
        return Reading(wrong="keys_only")
    halves = [content.items(item) if isinstance(item, (v.Sequence, v.Array)) else None for item in found]
    if any(half is None or len(half) != 2 for half in halves):
        return Reading(wrong="not_pairs")
    parse = any(isinstance(item, v.Array) for item in found)
    return _paired([(half[0], half[1]) for half in halves if half], parse=parse)


def _zipped(keys: v.Array, figures: v.Array) -> Reading:
    left, right = content.items(keys), content.items(figures)
    if left is None or right is None:
        return Reading(wrong="not_pairs")
    return _paired(list(zip(left, right, strict=True)))


def _paired(found: list[tuple[v.AnyNode, v.AnyNode]], *, parse: bool = False) -> Reading:
    pairs = []
    for left, right in found:
        key, number = content.scalar(left), _number(right, parse=parse)
        if not isinstance(key, str) or number is None:
            return Reading(wrong="not_pairs")
        pairs.append((key, number))
    return Reading(pairs=tuple(pairs))


def _number(node: v.AnyNode, *, parse: bool) -> float | None:
    """A number; in an array of texts (what ``numpy.array`` makes of pairs) also one that is spelled out."""
    if parse and isinstance(node, v.Text):
        try:
            return float(node.v)
        except ValueError:
            return None
    if isinstance(node, v.Float):
        return None if math.isnan(node.value) else node.value
    if not isinstance(node, (v.Int, v.Array, v.Tensor)):
        return None
    found = content.numbers(node)
    if found is None or found.shape != () or found.dtype.kind == "c" or np.isnan(found):
        return None
    return float(found)
