"""What a value holds, apart from the container that holds it.

A norm is the same norm in a list, an array or a column; a check decides whether the container matters.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from checks.compare.once import once_each
from checks.evidence import array_node
from checks.evidence import values as v

Numbers = npt.NDArray[Any]
PLAIN_NUMBERS = "biufc"
# pandas' dtype of values that are only names of groups, even where they are numbers.
CATEGORY = "category"
# Exact numbers of the standard library: evidence has them as floats that tell their class.
_EXACT = {"decimal.Decimal": "decimal", "fractions.Fraction": "fraction"}
_WORD = 2**63
_MACHINE = range(-_WORD, _WORD)


def container(node: v.AnyNode) -> str:
    """The family of the value's container in one word, as specs and messages name it."""
    match node:
        case v.Bool() | v.Int() | v.Float() | v.Complex():
            return "number"
        case v.Sequence():
            return node.base if node.base != "other" else "view"
        case v.SetOf():
            return "set"
        case v.Array() if node.shape == ():
            return "moment" if is_moment(node) else "number"
        case v.Array():
            return "array" if node.cls == "numpy.ndarray" else "other array"
        case _:
            return _NAMES.get(type(node), "object")


_NAMES: dict[type, str] = {
    v.Nothing: "none",
    v.Text: "text",
    v.Bytes: "bytes",
    v.Mapping: "dict",
    v.Index: "index",
    v.Series: "series",
    v.Table: "table",
    v.Layer: "layer",
    v.Model: "model",
    v.Tensor: "tensor",
    v.History: "history",
    v.Callable: "callable",
    v.Broken: "broken",
}
CONTAINERS = frozenset(
    {
        "number",
        "moment",
        "list",
        "tuple",
        "range",
        "deque",
        "view",
        "set",
        "array",
        "other array",
        "object",
        *_NAMES.values(),
    }
)


def numbers(node: v.AnyNode) -> Numbers | None:  # noqa: PLR0911 - one line a kind of value
    """The numbers that a value holds, in its shape; missing ones are NaN;
    None where it holds anything else.
    """
    match node:
        case v.Bool():
            return np.array(node.v)
        case v.Int() | v.Float() | v.Complex():
            return np.array(_machine(node.value))
        case v.Array():
            return _array_numbers(node)
        case v.Series():
            return numbers(node.values)
        case v.Index() if len(node.levels) == 1:
            return numbers(node.levels[0])
        case v.Tensor() if node.values is not None:
            return numbers(node.values)
        case v.Sequence() if node.cut is None:
            return _sequence_numbers(node)
        case v.Table():
            return _stacked([numbers(column.values) for column in node.columns], axis=-1)
        case _:
            return None


def _listed(node: v.Sequence) -> Numbers | None:
    plain = [item for item in node.items if isinstance(item, (v.Bool, v.Int, v.Float, v.Complex))]
    if plain and len(plain) == len(node.items):
        return np.array([item.v if isinstance(item, v.Bool) else _machine(item.value) for item in plain])
    return _stacked([numbers(item) for item in node.items], axis=0)


# A list's elements are read one by one, and many checks look at one list.
_sequence_numbers = once_each(_listed)


def items(node: v.AnyNode) -> list[v.AnyNode] | None:
    """The elements of a one-dimensional container (the keys of a dict); None where a value has none."""
    match node:
        case v.Sequence() | v.SetOf():
            return list(node.items)
        case v.Mapping():
            return [key for key, _ in node.items]
        case v.Array() if len(node.shape) == 1:
            return _array_items(node)
        case v.Series():
            return _array_items(node.values)
        case v.Index() if len(node.levels) == 1:
            return _array_items(node.levels[0])
        case _:
            return None


def cut(node: v.AnyNode) -> int | None:
    """How many elements a container has of which evidence holds only the first; None where it holds all."""
    return node.cut if isinstance(node, (v.Sequence, v.SetOf, v.Mapping)) else None


def labels(array: v.Array) -> list[Any]:
    """What each element of an array is looked up by; see :func:`label`."""
    found = numbers(array)
    if found is not None:
        return [plain_label(number) for number in found.tolist()]
    if array.texts is not None and array.texts.missing is None:
        return list(map(composed, array.texts.strings()))
    return [label(item) for item in elements(array) or ()]


def scalar(node: v.AnyNode) -> object:
    """A plain Python value to compare and to look up by; None where the node is no scalar.

    Whole numbers stay exact; a float that is whole equals the int (as keys of a dict do in Python). Texts
    are in Unicode's composed form, moments and spans of time are texts.
    """
    match node:
        case v.Text() if node.cut is None:
            return composed(node.v)
        case v.Bool():
            return node.v
        case v.Int() | v.Float() | v.Complex():
            return node.value
        case v.Array() if is_moment(node):
            return _moment_text(moments(node)[()])
        case v.Array() if node.shape == () and (found := numbers(node)) is not None:
            return found.item()
        case _:
            return None


def composed(text: str) -> str:
    """A text in Unicode's composed form: an accent typed as a character of its own reads the same."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_moment(node: v.AnyNode) -> bool:
    """Whether a value is a single moment, day or span of time."""
    return isinstance(node, v.Array) and node.shape == () and holds_moments(node)


def holds_moments(node: v.AnyNode) -> bool:
    """Whether a value is an array (or a series) of moments or spans, or a single one."""
    array = node.values if isinstance(node, v.Series) else node
    return isinstance(array, v.Array) and array.values is not None and array.values.dtype.kind in "Mm"


def family(node: v.AnyNode) -> str:  # noqa: PLR0911 - one line a kind of value
    """The family of the elements' type: bool, integer, float, complex, time, time with zone, text, bytes,
    category, object or nothing.
    """
    match node:
        case v.Array() if zone(node):
            return "time with zone"
        case v.Array():
            return "text" if node.dtype == "object" and _is_texts(node) else _dtype_family(node.dtype)
        case v.Series():
            return CATEGORY if node.dtype == CATEGORY else family(node.values)
        case v.Tensor():
            return _dtype_family(node.dtype)
        case v.Text():
            return "text"
        case v.Float() if node.cls in _EXACT:
            return _EXACT[node.cls]
        case v.Sequence() | v.SetOf() if numbers(node) is None or _holds_exact(node.items):
            families = {family(item) for item in node.items if not gap(item)}
            return families.pop() if len(families) == 1 else "object"
        case v.Index() if len(node.levels) == 1:
            return family(node.levels[0])
        case _:
            found = numbers(node)
            return "object" if found is None else _dtype_family(found.dtype.name)


def _holds_exact(items: tuple[v.AnyNode, ...]) -> bool:
    return any(isinstance(item, v.Float) and item.cls in _EXACT for item in items)


def _is_texts(node: v.Array) -> bool:
    """Whether an array of objects holds texts, and nothing else but gaps."""
    if node.texts is not None:
        return len(node.texts) > _missing_texts(node.texts)
    kept = [item for item in node.items or () if not gap(item)]
    return bool(kept) and all(isinstance(item, v.Text) for item in kept)


def dtype(node: v.AnyNode) -> str:
    """The name of the elements' type where the value has one (``float32``), else an empty text."""
    match node:
        case v.Array() if node.cls.endswith(".Categorical"):
            return CATEGORY
        case v.Array() | v.Series() | v.Tensor():
            return node.dtype
        case v.Bool() | v.Int() | v.Float() | v.Complex():
            return node.cls.rpartition(".")[2]
        case _:
            return ""


def label(node: v.AnyNode) -> object:
    """What a value is looked up by, as a key of a dict or an element of a set: equal values have equal
    labels. None for None, and for what cannot be told from others.

    A number beyond 64 bits stands as its spelling, told from a text: such numbers can be chosen to fall on
    one place of a dict, all of them. Tuples and sets have the labels of what is in them; lists have none, as
    in Python.
    """
    match node:
        case v.Array() if is_moment(node):
            return ("time", scalar(node))
        case v.Bytes() if node.cut is None:
            return ("bytes", node.v)
        case v.Sequence() if node.cut is None and node.base == "tuple":
            return _labelled("tuple", node.items)
        case v.SetOf() if node.cut is None:
            return _labelled("set", node.items, ordered=False)
        case v.Opaque() if node.attributes:
            names = tuple(sorted(node.attributes))
            return _labelled(f"{node.cls} {names}", [node.attributes[name] for name in names])
        case _:
            return plain_label(scalar(node))


def plain_label(value: object) -> object:
    """The label of a plain value; a whole float is the number that it is."""
    if not isinstance(value, (int, float)) or not _WORD <= abs(value) != math.inf:
        return value
    return ("int", hex(int(value)))


def _labelled(word: str, items: Iterable[v.AnyNode], *, ordered: bool = True) -> object:
    found: list[object] = [_inner_label(item) for item in items]
    if None in found:
        return None
    return (word, *found) if ordered else (word, frozenset(found))


def _inner_label(node: v.AnyNode) -> object:
    if gap(node):
        return ("none",) if isinstance(node, v.Nothing) else ("nan",)
    return label(node)


def shape_of(node: v.AnyNode) -> tuple[int | None, ...] | None:  # noqa: PLR0911 - one line a kind of value
    """The axes' lengths as NumPy would give them; a container's length where it holds no numbers."""
    match node:
        case v.Array() | v.Tensor():
            return node.shape
        case v.Series():
            return node.values.shape
        case v.Index():
            return node.shape
        case v.Table():
            return (node.index.levels[0].shape[0], len(node.columns))
        case v.Text():
            return (node.cut or len(node.v),)
        case v.Bytes():
            return (byte_count(node),)
        case v.Sequence() | v.SetOf() | v.Mapping():
            found = numbers(node)
            return _nested_shape(node) if found is None else found.shape
        case v.Bool() | v.Int() | v.Float() | v.Complex():
            return ()
        case _:
            return None


def byte_count(node: v.Bytes) -> int:
    """How many bytes there are; evidence has them in base64."""
    return node.cut or len(node.v) // 4 * 3 - node.v[-2:].count("=")


def _nested_shape(node: v.Sequence | v.SetOf | v.Mapping) -> tuple[int | None, ...]:
    """Rows of one length are an axis more, as where they hold numbers."""
    length = node.cut or len(node.items)
    inner: set[tuple[int | None, ...] | None] = {()}
    if isinstance(node, v.Sequence):
        inner = {shape_of(item) if isinstance(item, v.Sequence) else () for item in node.items}
    (rows,) = inner if len(inner) == 1 else ((),)
    return (length, *(rows or ()))


def gaps(node: v.AnyNode) -> int:
    """How many elements are missing: NaN, None, no date, or masked."""
    found = numbers(node)
    if found is not None:
        return int(np.isnan(found).sum())
    if isinstance(node, v.Array) and node.texts is not None and node.mask is None and len(node.shape) == 1:
        return _missing_texts(node.texts)
    return sum(map(gap, items(node) or ()))


def _missing_texts(texts: v.Texts) -> int:
    """Without making a node of each text: a table has thousands."""
    if texts.missing is None or not gap(texts.blank):
        return 0
    return int(np.count_nonzero(np.frombuffer(texts.missing.raw, dtype=np.uint8)))


def gap(node: v.AnyNode) -> bool:
    """Whether a value is none: None, NaN, no date (NaT), or what pandas has for a missing one (NA)."""
    match node:
        case v.Nothing():
            return True
        case v.Float():
            return math.isnan(node.value)
        case v.Opaque():
            return node.cls.endswith(_NO_VALUE)
        case v.Array() if is_moment(node):
            return bool(np.isnat(moments(node)[()]))
        case _:
            return False


_NO_VALUE = ".NAType"


def beyond(node: v.AnyNode) -> tuple[int, ...]:
    """The whole numbers in a value that no machine word holds, in their order: as floats they lose digits."""
    match node:
        case v.Int():
            return () if node.value in _MACHINE else (node.value,)
        case v.Sequence() | v.SetOf():
            return tuple(number for item in node.items for number in beyond(item))
        case v.Array() if node.items is not None:
            return tuple(number for item in node.items for number in beyond(item))
        case v.Series():
            return beyond(node.values)
        case _:
            return ()


def moments(node: v.Array) -> Numbers:
    """Dates or spans as NumPy's, missing ones NaT; dates of a time zone are in UTC."""
    found = np.asarray(node.values)
    if node.mask is None:
        return found
    return np.where(node.mask.array("bool", node.shape), np.array("NaT", dtype=found.dtype), found)


def zone(node: v.Array) -> str:
    """The time zone that dates belong to; empty where they have none."""
    return node.zone or ""


def column_family(column: v.Column) -> str:
    """As :func:`family`, for a table's column: a category is a family of its own."""
    return CATEGORY if column.dtype == CATEGORY else family(column.values)


def column(table: v.Table, name: str) -> list[v.Array]:
    """The columns (and then index levels) labelled ``name``: labels may repeat, so there may be several."""
    return columns_by_label(table).get(name) or _columns_by_spelling(table, name)


def _columns_by_spelling(table: v.Table, name: str) -> list[v.Array]:
    """Columns whose label is no text, such as a year, are called as Python spells it."""
    return [each.values for each in table.columns if column_name(each) == name]


def _by_label(table: v.Table) -> dict[object, list[v.Array]]:
    found: dict[object, list[v.Array]] = {}
    for each in table.columns:
        found.setdefault(label(each.name), []).append(each.values)
    levels: dict[object, list[v.Array]] = {}
    for name, level in zip(table.index.names, table.index.levels, strict=True):
        levels.setdefault(label(name), []).append(level)
    return {**levels, **found}


# A table may have very many columns, and each of many checks looks one up.
columns_by_label = once_each(_by_label)


def column_names(table: v.Table) -> list[str]:
    """The columns' labels, those that are no text in Python's spelling."""
    return [column_name(column) for column in table.columns]


def column_name(column: v.Column) -> str:
    """A column's label, one that is no text in Python's spelling."""
    return _spelled_label(column.name, str)


def _spelled_label(name: v.AnyNode, spell: Callable[[object], str]) -> str:
    """Of several levels each counts: ``('norm', 'mean')``."""
    if isinstance(name, v.Sequence):
        inner = ", ".join(_spelled_label(each, repr) for each in name.items)
        return f"({inner}{',' if len(name.items) == 1 else ''})"
    return name.v if isinstance(name, v.Int) else spell(scalar(name))


def _dtype_family(name: str) -> str:
    lower = name.lower()
    for prefix, found in _FAMILIES:
        if lower.startswith(prefix):
            return found
    return "object"


_FAMILIES = (
    ("bool", "bool"),
    ("int", "integer"),
    ("uint", "integer"),
    ("float", "float"),
    ("bfloat", "float"),
    ("complex", "complex"),
    ("datetime", "time"),
    ("timedelta", "time"),
    ("str", "text"),
    ("bytes", "bytes"),
)


def _machine(value: complex) -> complex:
    """The number, or the nearest float where it is whole and beyond 64 bits."""
    if isinstance(value, int) and value not in _MACHINE:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value


def _array_numbers(node: v.Array) -> Numbers | None:
    found = node.values
    if found is None:
        return _object_numbers(node)
    if found.dtype.kind not in PLAIN_NUMBERS:
        return None
    if node.mask is None:
        return found
    mask = node.mask.array("bool", node.shape)
    if not mask.any():
        return found
    return np.where(mask, np.nan, found)


def _of_objects(node: v.Array) -> Numbers | None:
    cells = [numbers(item) for item in node.items or ()]
    plain = [cell for cell in cells if cell is not None and cell.shape == ()]
    if not plain or len(plain) != len(cells):
        return None
    return np.array([cell.item() for cell in plain]).reshape(node.shape)


_object_numbers = once_each(_of_objects)


def _elements(node: v.Array) -> list[v.AnyNode] | None:
    return node.elements


# An array's elements as nodes, None where it holds plain data; nobody may change the list.
elements = once_each(_elements)


def _array_items(node: v.Array) -> list[v.AnyNode] | None:
    if node.data is None:
        return elements(node)
    found = node.values
    if found is None or found.ndim != 1:
        return None
    plain: list[v.AnyNode] = (
        [_moment(each, node.zone) for each in found]
        if found.dtype.kind in "Mm"
        else [_node(number) for number in found.tolist()]
    )
    if node.mask is None:
        return plain
    gone = node.mask.array("bool", node.shape).tolist()
    return [v.Nothing() if hole else each for each, hole in zip(plain, gone, strict=True)]


def _moment(found: np.generic, zone: str | None) -> v.AnyNode:
    """A date or a span as an array without axes; what is none (NaT) as None."""
    if np.isnat(found):
        return v.Nothing()
    return replace(array_node(np.asarray(found)), zone=zone)


def moment_texts(node: v.Array) -> list[str | None]:
    """Dates or spans as texts to look up by, None where there is none."""
    return [None if np.isnat(each) else _moment_text(each) for each in moments(node)]


def _moment_text(found: Any) -> str:
    """Trailing zeros of the second go, so that units do not matter."""
    if found.dtype.kind == "m" and not np.isnat(found):
        return f"{found / np.timedelta64(1, 's')} seconds"
    head, dot, rest = str(found).partition(".")
    return (head + dot + rest.rstrip("0")).rstrip(".").removesuffix("T00:00:00")


def _node(number: complex) -> v.AnyNode:
    if isinstance(number, bool):
        return v.Bool(v=number)
    if isinstance(number, int):
        return v.Int(v=str(number))
    if isinstance(number, complex):
        return v.Complex(re=number.real.hex(), im=number.imag.hex())
    return v.Float(v=float(number).hex())


def _stacked(parts: list[Numbers | None], axis: int) -> Numbers | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) != len(parts) or len({part.shape for part in known}) != 1:
        return None
    return np.stack(known, axis=axis)
