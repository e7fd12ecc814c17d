"""Values that sum up another one: its length, its largest number, its different elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.compare import content
from checks.compare.arrays import array_of, plain_node
from checks.compare.normal import sort_key
from checks.compare.steps import Missing, Reached, shape_node
from checks.compare.words import describe
from checks.evidence import values as v

Numbers = npt.NDArray[Any]


def aggregate(node: v.AnyNode, word: str) -> Reached:
    """The aggregate called ``word`` (one of :data:`WORDS`)."""
    if word in _NUMERIC:
        found = content.numbers(node)
        if found is None or found.dtype.kind == "c":
            return _of_texts(node, word) or Missing(f"{describe(node)} does not hold numbers alone")
        if not found.size and word not in ("sum", "any", "all"):
            return Missing(f"{describe(node)} is empty")
        with np.errstate(all="ignore"):
            return plain_node(_NUMERIC[word](found))
    return _OTHER[word](node)


_NUMERIC: dict[str, Callable[[Numbers], object]] = {
    "sum": np.sum,
    "mean": np.mean,
    "median": np.median,
    "min": np.min,
    "max": np.max,
    "std": np.std,
    "var": np.var,
    "any": np.any,
    "all": np.all,
}


def _of_texts(node: v.AnyNode, word: str) -> v.AnyNode | None:
    """The first or last of texts or moments in their order; gaps do not count."""
    found = [each for each in content.items(node) or () if not content.gap(each)]
    alike = all(isinstance(each, v.Text) for each in found) or all(map(content.is_moment, found))
    if word not in ("min", "max") or not found or not alike:
        return None
    return (min if word == "min" else max)(found, key=sort_key)


def _length(node: v.AnyNode) -> Reached:
    shape = content.shape_of(node)
    if not shape:
        return Missing(f"{describe(node)} has no length")
    return plain_node(shape[0])


def _elements(node: v.AnyNode) -> list[v.AnyNode] | Missing:
    found = content.items(node)
    if found is None and isinstance(node, v.Array) and node.values is not None:
        found = content.items(array_of(node.values.ravel()))
    return Missing(f"{describe(node)} has no elements") if found is None else found


def _listing(change: Callable[[list[v.AnyNode]], list[v.AnyNode]]) -> Callable[[v.AnyNode], Reached]:
    def aggregate_of(node: v.AnyNode) -> Reached:
        found = _elements(node)
        return found if isinstance(found, Missing) else v.Sequence(items=tuple(change(found)))

    return aggregate_of


def _different(items: list[v.AnyNode]) -> list[v.AnyNode]:
    """Each once, in the order of their first coming; what is no plain value is kept."""
    first: dict[object, v.AnyNode] = {}
    for number, each in enumerate(items):
        mark = content.label(each)
        first.setdefault((number, "") if mark is None and not isinstance(each, v.Nothing) else mark, each)
    return list(first.values())


def _counts(node: v.AnyNode) -> Reached:
    found = _elements(node)
    if isinstance(found, Missing):
        return found
    marks = [content.label(each) for each in found]
    counts: dict[object, int] = {}
    for mark in marks:
        counts[mark] = counts.get(mark, 0) + 1
    return v.Mapping(
        items=tuple((each, plain_node(counts[content.label(each)])) for each in _different(found))
    )


def _keys(node: v.AnyNode) -> Reached:
    match node:
        case v.Mapping():
            return v.Sequence(items=tuple(key for key, _ in node.items))
        case v.Table():
            return v.Sequence(items=tuple(each.name for each in node.columns))
        case v.Series() if len(node.index.levels) == 1:
            return node.index
        case v.History():
            return v.Sequence(items=tuple(v.Text(v=name) for name in node.metrics))
        case _:
            return Missing(f"{describe(node)} has no keys")


def _values(node: v.AnyNode) -> Reached:
    match node:
        case v.Mapping():
            return v.Sequence(items=tuple(value for _, value in node.items))
        case v.Series():
            return node.values
        case _:
            return Missing(f"{describe(node)} has no values beside its keys")


def _index(node: v.AnyNode) -> Reached:
    return node.index if isinstance(node, (v.Table, v.Series)) else Missing(f"{describe(node)} has no index")


def _shape(node: v.AnyNode) -> Reached:
    found = content.shape_of(node)
    return Missing(f"{describe(node)} has no shape") if found is None else shape_node(found)


def _missing(node: v.AnyNode) -> Reached:
    """How many elements are NaN, None or no date."""
    if isinstance(node, v.Table):
        return plain_node(sum(content.gaps(column.values) for column in node.columns))
    return plain_node(content.gaps(node))


def _dtype(node: v.AnyNode) -> Reached:
    found = content.dtype(node)
    return v.Text(v=found) if found else Missing(f"{describe(node)} has no dtype")


_OTHER: dict[str, Callable[[v.AnyNode], Reached]] = {
    "len": _length,
    "unique": _listing(_different),
    "sorted": _listing(lambda items: sorted(items, key=sort_key)),
    "reversed": _listing(lambda items: items[::-1]),
    "items": _listing(list),
    "counts": _counts,
    "keys": _keys,
    "values": _values,
    "columns": _keys,
    "index": _index,
    "shape": _shape,
    "missing": _missing,
    "dtype": _dtype,
    "container": lambda node: v.Text(v=content.container(node)),
}
WORDS = (*_NUMERIC, *_OTHER)
