"""Evidence as values that formulas compute with, and back.

Numbers are Python's, lists, sets and dicts too; arrays are NumPy's; a series or a table's column is a
:class:`Labelled` array, a table a :class:`Frame`. What is nothing of this stays the node that it is.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from checks.compare import content
from checks.compare.arrays import array_of, plain_node
from checks.evidence import values as v
from checks.formula.cost import MAX_BITS, UndefinedError


class Whole(int):
    """A whole number beyond 64 bits as a key: Python's own hashes of such numbers can be chosen to fall on
    one place of a set, all of them."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(hex(self))


@dataclass(frozen=True, eq=False)
class Labelled:
    """An array with its labels (None: nothing but positions)."""

    values: npt.NDArray[Any]
    labels: tuple[Any, ...] | None
    node: v.AnyNode


@dataclass(frozen=True, eq=False)
class Frame:
    """A table: columns are looked up when they are asked for."""

    node: v.Table

    def column(self, name: str) -> Labelled:
        """A column or index level; raises UndefinedError unless there is exactly one."""
        found = content.column(self.node, name)
        if len(found) != 1:
            raise UndefinedError(f"there is {'more than one' if found else 'no'} column {name}")
        return Labelled(array_value(found[0]), _labels(self.node.index), found[0])


def value_of(node: v.AnyNode) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line a kind of value
    """What a formula sees of a value; raises UndefinedError where it was cut or could not be read."""
    match node:
        case v.Nothing():
            return None
        case v.Bool():
            return node.v
        case v.Int() | v.Float() | v.Complex():
            return _bounded(node.value)
        case v.Text() if node.cut is None:
            return node.v
        case v.Sequence() | v.SetOf() | v.Mapping() | v.Text() if node.cut is not None:
            raise UndefinedError("a value is too large to be looked at as a whole")
        case v.Sequence():
            found = [value_of(item) for item in node.items]
            return tuple(found) if node.base == "tuple" else found
        case v.SetOf():
            return frozenset(key_of(value_of(item)) for item in node.items)
        case v.Mapping():
            return {key_of(value_of(key)): value_of(item) for key, item in node.items}
        case v.Array():
            found_array = array_value(node)
            return found_array.item() if found_array.shape == () else found_array
        case v.Tensor() if node.values is not None:
            return value_of(node.values)
        case v.Series():
            return Labelled(array_value(node.values), _labels(node.index), node)
        case v.Index() if len(node.levels) == 1:
            return array_value(node.levels[0])
        case v.Table():
            return Frame(node)
        case v.Broken():
            raise UndefinedError(f"a value could not be read ({node.why})")
        case _:
            return node


def array_value(node: v.Array) -> npt.NDArray[Any]:
    """The elements as an array: missing numbers NaN, texts and all else as objects."""
    numbers = content.numbers(node)
    if numbers is not None:
        return numbers
    if node.values is not None:
        return node.values
    elements = content.elements(node) or []
    cells = np.empty(len(elements), dtype=object)
    cells[:] = [value_of(item) for item in elements]
    return cells.reshape(node.shape)


def node_of(value: Any) -> v.AnyNode:  # noqa: PLR0911 - one line a kind of value
    """A result as evidence."""
    match value:
        case Labelled():
            return array_of(value.values)
        case Frame():
            return value.node
        case np.ndarray():
            return array_of(value)
        case list() | tuple():
            base = type(value).__name__
            return v.Sequence(items=tuple(map(node_of, value)), base=base, cls=f"builtins.{base}")
        case frozenset():
            return v.SetOf(items=tuple(map(node_of, sorted(value, key=repr))))
        case dict():
            return v.Mapping(items=tuple((node_of(key), node_of(item)) for key, item in value.items()))
        case v.Node():
            return cast("v.AnyNode", value)
        case _:
            return plain_node(value)


def key_of(value: Any) -> Hashable:
    """A value as a set's element or a dict's key; raises UndefinedError where it is none."""
    if isinstance(value, list):
        raise UndefinedError("a list cannot be an element of a set")
    if isinstance(value, (int, float)) and 2**64 <= abs(value) != math.inf:
        return Whole(value)
    if isinstance(value, tuple):
        return tuple(map(key_of, value))
    if isinstance(value, (np.ndarray, dict, Labelled, Frame, v.Node)):
        raise UndefinedError("a value cannot be an element of a set")
    return value  # type: ignore[no-any-return]


def _bounded(number: complex) -> complex:
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise UndefinedError("a number is too large")
    return number


def _labels(index: v.Index) -> tuple[Any, ...] | None:
    levels = [content.items(level) or [] for level in index.levels]
    rows = [tuple(content.scalar(each) for each in row) for row in zip(*levels, strict=True)]
    return tuple(row[0] if len(levels) == 1 else row for row in rows)
