"""Steps into a value: an element, an attribute, a column, a row, an aggregate.

A step that leads nowhere gives :class:`Missing`, whose text says what was looked for and what is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from checks.compare import content
from checks.compare.arrays import array_of
from checks.compare.attributes import attributes_of
from checks.compare.words import class_name, describe, listed, quoted_if_odd
from checks.evidence import values as v


@dataclass(frozen=True)
class Missing:
    """A step that cannot be taken; ``why`` is a clause for people, raw text."""

    why: str


Reached = v.AnyNode | Missing
Places = npt.NDArray[np.intp]


def item(node: v.AnyNode, key: v.AnyNode) -> Reached:
    """An element: by position (from 0; from the end where negative), of a dict by its key, of a table by the
    column's label."""
    match node:
        case v.Mapping():
            return _entry(node, key)
        case v.Table():
            return column(node, _spelled(key))
        case v.History():
            return _named(_history(node), _spelled(key), "metric")
        case _:
            position = content.scalar(key)
            if not isinstance(position, int) or isinstance(position, bool):
                return Missing(f"{describe(node)} has no keys, so there is no {_spelled(key)}")
            return _at(node, position)


def attribute(node: v.AnyNode, name: str) -> Reached:
    """What is known of an object under a name."""
    return _named(dict(attributes_of(node)), name, "attribute")


def column(node: v.AnyNode, name: str) -> Reached:
    """One column (or index level) of a table as a series, its labels kept."""
    if not isinstance(node, v.Table):
        return Missing(f"{describe(node)} has no columns")
    for each in node.columns:
        if content.column_name(each) == name:
            return column_series(node, each)
    levels = content.column(node, name)
    return levels[0] if levels else _no(name, "column", content.column_names(node))


def column_series(table: v.Table, column: v.Column) -> v.Series:
    """A table's column by itself."""
    return v.Series(
        name=column.name, dtype=column.dtype, values=column.values, index=table.index, groups=column.groups
    )


def rows(node: v.AnyNode, keys: dict[str, v.AnyNode]) -> Reached:
    """The part of a table where every key column has the given value."""
    if not isinstance(node, v.Table):
        return Missing(f"{describe(node)} has no rows")
    chosen = np.ones(node.index.shape, dtype=bool)
    for name, wanted in keys.items():
        found = column(node, name)
        if isinstance(found, Missing):
            return found
        chosen &= [_is_key(each, wanted) for each in content.items(found) or ()]
    return take(node, np.flatnonzero(chosen))


def row(node: v.AnyNode, keys: dict[str, v.AnyNode]) -> Reached:
    """The one row where every key column has the given value, as a dict by column."""
    found = rows(node, keys)
    if not isinstance(found, v.Table):
        return found
    if found.index.shape[0] == 1:
        return _row(found, 0)
    where = listed([f"{name} = {_spelled(key)}" for name, key in keys.items()])
    count = found.index.shape[0]
    return Missing(f"there is no row with {where}" if not count else f"there are {count} rows with {where}")


def label(node: v.AnyNode, key: v.AnyNode) -> Reached:
    """The element of a series, or row of a table, with an index label (a list: one label a level)."""
    if not isinstance(node, (v.Series, v.Table)):
        return Missing(f"{describe(node)} has no labels")
    wanted = key.items if isinstance(key, v.Sequence) else (key,)
    levels = [content.items(level) or [] for level in node.index.levels]
    if len(wanted) != len(levels):
        return Missing(f"its index has {len(levels)} levels")
    found = [at for at, each in enumerate(zip(*levels, strict=True)) if all(map(_is_key, each, wanted))]
    if len(found) != 1:
        how = f"the label {_spelled(key)} comes {len(found)} times"
        return Missing(how if found else f"there is no label {_spelled(key)}")
    return _row(node, found[0]) if isinstance(node, v.Table) else _at(node, found[0])


def part(node: v.AnyNode, start: int | None, stop: int | None) -> Reached:
    """The elements from ``start`` up to ``stop`` (as Python's slices count them)."""
    if isinstance(node, v.Text):
        return v.Text(v=node.v[start:stop])
    if isinstance(node, v.Table):
        return take(node, np.arange(node.index.shape[0])[start:stop])
    if isinstance(node, v.Array) and node.values is not None and node.shape:
        return array_of(node.values[start:stop], node.cls)
    found = content.items(node)
    return Missing(f"{describe(node)} has no order") if found is None else _listed(found[start:stop])


def _is_key(node: v.AnyNode, wanted: v.AnyNode) -> bool:
    """Whether a value is the one that is looked for; a day or moment may be written as a text."""
    if isinstance(wanted, v.Text) and content.is_moment(node):
        return content.scalar(node) == wanted.v
    return content.label(node) == content.label(wanted)


def take(table: v.Table, places: Places) -> v.Table:
    """The rows of a table at the given places."""
    columns = (replace(each, values=_taken(each.values, places)) for each in table.columns)
    levels = tuple(_taken(level, places) for level in table.index.levels)
    index = v.Index(levels=levels, names=table.index.names, cls=table.index.cls)
    return v.Table(columns=tuple(columns), index=index, cls=table.cls)


def shape_node(shape: tuple[int | None, ...]) -> v.Sequence:
    """A shape as a tuple."""
    lengths = (v.Nothing() if each is None else v.Int(v=str(each)) for each in shape)
    return v.Sequence(items=tuple(lengths), base="tuple", cls="builtins.tuple")


def _taken(array: v.Array, places: Places) -> v.Array:
    """The elements at the places, with all that is known of them: their zone, and which are missing."""
    mask = None if array.mask is None else array_of(array.mask.array("bool", array.shape)[places]).data
    if array.values is not None:
        data = array_of(array.values[places]).data
        return replace(array, shape=places.shape, data=data, mask=mask)
    elements = content.elements(array) or []
    chosen = tuple(elements[place] for place in places.tolist())
    return replace(array, shape=places.shape, items=chosen, texts=None, mask=mask)


def _entry(node: v.Mapping, key: v.AnyNode) -> Reached:
    wanted = content.label(key)
    for each, value in node.items:
        if content.label(each) == wanted:
            return value
    return _no(_spelled(key), "key", [_spelled(each) for each, _ in node.items])


def _at(node: v.AnyNode, position: int) -> Reached:
    if isinstance(node, v.Array) and len(node.shape) > 1:
        return _row_of_array(node, position)
    if isinstance(node, v.Text):
        found: list[v.AnyNode] | None = [v.Text(v=mark) for mark in node.v]
    else:
        found = None if isinstance(node, v.SetOf) else content.items(node)
    if found is None:
        return Missing(f"{describe(node)} has no element number {position}")
    if not -len(found) <= position < len(found):
        return Missing(f"there is no element number {position}, only {len(found)} elements")
    return found[position]


def _row_of_array(node: v.Array, position: int) -> Reached:
    length = node.shape[0]
    if not -length <= position < length:
        return Missing(f"there is no element number {position}, only {length} elements")
    return sub_array(node, position)


def sub_array(node: v.Array, position: int) -> v.Array:
    """The part of an array with several axes at a place of its first one."""
    if node.values is not None:
        return array_of(np.asarray(node.values[position]), node.cls)
    size = int(np.prod(node.shape[1:]))
    start = position % node.shape[0] * size
    chosen = (content.elements(node) or [])[start : start + size]
    return v.Array(dtype=node.dtype, shape=node.shape[1:], items=tuple(chosen), cls=node.cls)


def _row(table: v.Table, at: int) -> v.Mapping:
    cells = ((each.name, (content.items(each.values) or [v.Nothing()])[at]) for each in table.columns)
    return v.Mapping(items=tuple(cells))


def _history(node: v.History) -> dict[str, v.AnyNode]:
    return {name: _listed(list(values)) for name, values in node.metrics.items()}


def _listed(items: list[v.AnyNode]) -> v.Sequence:
    return v.Sequence(items=tuple(items))


def _named(known: dict[str, v.AnyNode], name: str, what: str) -> Reached:
    return known[name] if name in known else _no(name, what, list(known))


def _no(name: str, what: str, known: list[str]) -> Missing:
    there = listed([quoted_if_odd(each) for each in known]) or "none at all"
    return Missing(f"there is no {what} {quoted_if_odd(name)}; there is {there}")


def _spelled(node: v.AnyNode) -> str:
    if isinstance(node, v.Int):
        return node.v  # it may have more digits than Python spells
    found = content.scalar(node)
    if isinstance(node, v.Sequence):
        return f"({', '.join(map(_spelled, node.items))})"
    return class_name(type(node).__name__) if found is None else str(found)
