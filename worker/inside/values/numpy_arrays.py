"""NumPy arrays and scalars. Plain dtypes travel as bytes; texts and objects travel element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import TooMuchError, ancestry, class_name
from .scalars import spell_float, spell_int
from .texts import texts_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import Node, Take, Taker

    AnyArray = np.ndarray[Any, Any]

_UNITS = ("ns", "us", "ms", "s", "D")
_PLAIN = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
    *(f"{kind}[{unit}]" for kind in ("datetime64", "timedelta64") for unit in _UNITS),
)  # fmt: skip
# By the array protocol's spelling (``<f8``): for a dtype's own ``name`` NumPy imports itself at every call.
_NAMES = {order + np.dtype(name).str[1:]: name for name in _PLAIN for order in "<>|"}
_ITEM_DTYPES = {"U": "str", "S": "bytes", "T": "str", "O": "object"}
_MAX_ITEMS = 200_000
_MAX_OBJECT_BYTES = 256 << 20  # of texts of a fixed width, which mostly are shorter
_STRUCTURED = "numpy.structured_array"
_ndarray = np.ndarray
_dtype_class = np.dtype
_view, _reshape, _ravel, _item_at = (
    np.ndarray.view,
    np.ndarray.reshape,
    np.ndarray.ravel,
    np.ndarray.__getitem__,
)
_contiguous, _stack, _promote = np.ascontiguousarray, np.stack, np.result_type
_newbyteorder = np.dtype.newbyteorder
asarray = np.asarray
_dtype, _spelling = np.ndarray.__dict__["dtype"].__get__, np.dtype.__dict__["str"].__get__
_shape, _nbytes = np.ndarray.__dict__["shape"].__get__, np.ndarray.__dict__["nbytes"].__get__
_size = np.ndarray.__dict__["size"].__get__
_mask_of = np.ma.getmaskarray
_scalars_item = np.generic.item
_SCALARS: tuple[tuple[type, Callable[[Any], Node]], ...] = (
    (np.bool_, lambda item: {"t": "bool", "v": bool(item)}),
    (np.integer, lambda item: {"t": "int", "v": spell_int(int(item))}),
    (np.floating, lambda item: {"t": "float", "v": spell_float(float(item))}),
    (
        np.complexfloating,
        lambda item: {
            "t": "complex",
            "re": spell_float(float(item.real)),
            "im": spell_float(float(item.imag)),
        },
    ),
)


def array_node(value: AnyArray, taker: Taker, cls: str | None = None) -> Node | None:
    """The node of an array (or of an instance of a subclass, by its real bytes); None where there is none."""
    plain = _view(value, _ndarray)
    dtype, shape = _dtype(plain), [int(length) for length in _shape(plain)]
    name = _NAMES.get(_spelling(dtype))
    node: Node = {"t": "array", "shape": shape, "cls": cls or class_name(type(value))}
    if name is not None:
        taker.reserve(_nbytes(plain))
        little = _contiguous(plain, dtype=_newbyteorder(dtype, "<"))
        return {**node, "dtype": name, "data": taker.blob(_ndarray.tobytes(little))}
    if dtype.kind == "f":  # wider than any other machine's floats
        taker.reserve(_size(plain) * 8)
        return array_node(asarray(plain, dtype="float64"), taker, node["cls"])
    if dtype.names:
        return _structured_node(plain, taker, node["cls"])
    kind = _ITEM_DTYPES.get(dtype.kind)
    return None if kind is None else {**node, "dtype": kind, **_items(plain, taker)}


def _items(plain: AnyArray, taker: Taker) -> Node:
    """The elements' part of a node: texts in one piece, anything else one by one."""
    if _size(plain) > _MAX_ITEMS or _nbytes(plain) > _MAX_OBJECT_BYTES:
        raise TooMuchError(f"an array of {_size(plain)} objects")
    items = _ndarray.tolist(_ravel(plain))
    texts = texts_node(items, taker)
    return {"items": [taker.node(item) for item in items]} if texts is None else {"texts": texts}


def _structured_node(plain: AnyArray, taker: Taker, cls: str) -> Node | None:
    """An array of records by its fields, as one more axis: numbers, or objects where a field holds others."""
    dtype = _dtype(plain)
    kinds = [dtype.fields[name][0] for name in dtype.names]
    if any(kind.names or kind.shape for kind in kinds):
        return None
    numeric = all(_spelling(kind) in _NAMES and kind.kind in "biufc" for kind in kinds)
    common = _promote(*kinds) if numeric else _dtype_class("O")
    taker.reserve(_size(plain) * len(kinds) * common.itemsize)
    fields = [asarray(_item_at(plain, name), dtype=common) for name in dtype.names]
    return array_node(_stack(fields, axis=-1), taker, _STRUCTURED if cls == "numpy.ndarray" else cls)


def take_array(value: AnyArray, taker: Taker) -> Node | None:
    """An array."""
    return array_node(value, taker)


def take_masked(value: np.ma.MaskedArray[Any, Any], taker: Taker) -> Node | None:
    """A masked array: its data, and True where an element is missing; None where its mask does not fit."""
    mask = asarray(_mask_of(value), dtype=bool)
    plain = _view(value, _ndarray)
    if _shape(mask) != _shape(plain):
        return None
    data = array_node(plain, taker, class_name(type(value)))
    if data is None or len(data["shape"]) != len(_shape(mask)):
        return data
    return {**data, "mask": taker.blob(_ndarray.tobytes(_contiguous(mask)))}


def take_scalar(value: np.generic, taker: Taker) -> Node | None:
    """A NumPy scalar as the Python number it stands for, with its own class; None for texts and objects."""
    name = {"cls": class_name(type(value))}
    kinds = ancestry(value)
    for kind, spell in _SCALARS:
        if kind in kinds:
            return {**spell(_scalars_item(value)), **name}
    if np.datetime64 in kinds or np.timedelta64 in kinds:
        return array_node(asarray(value), taker, name["cls"])
    return None


TAKES: dict[str, Take] = {
    "numpy.ndarray": take_array,
    "numpy.ma.MaskedArray": take_masked,
    "numpy.generic": take_scalar,
    # Scalars that are Python numbers too come before their Python ancestors.
    "numpy.float64": take_scalar,
    "numpy.complex128": take_scalar,
}
