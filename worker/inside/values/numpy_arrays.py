"""NumPy arrays and scalars. Plain dtypes travel as bytes; texts and objects travel element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import TooMuchError, class_name
from .scalars import spell_float, spell_int

if TYPE_CHECKING:
    from . import Node, Take, Taker

    AnyArray = np.ndarray[Any, Any]

_UNITS = ("ns", "us", "ms", "s", "D")
_PLAIN = frozenset({
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
    *(f"{kind}[{unit}]" for kind in ("datetime64", "timedelta64") for unit in _UNITS),
})  # fmt: skip
_ITEM_DTYPES = {"U": "str", "S": "bytes", "T": "str", "O": "object"}
_MAX_ITEMS = 200_000
_ndarray = np.ndarray
_view = np.ndarray.view
_contiguous = np.ascontiguousarray
asarray = np.asarray
_dtype, _dtypes_name = np.ndarray.__dict__["dtype"].__get__, np.dtype.__dict__["name"].__get__
_shape, _nbytes = np.ndarray.__dict__["shape"].__get__, np.ndarray.__dict__["nbytes"].__get__


def array_node(value: AnyArray, taker: Taker, cls: str | None = None) -> Node | None:
    """The node of an array (or of an instance of a subclass, by its real bytes); None where there is none."""
    plain = _view(value, _ndarray)
    name, shape = _dtypes_name(_dtype(plain)), [int(length) for length in _shape(plain)]
    node: Node = {"t": "array", "shape": shape, "cls": cls or class_name(type(value))}
    if name in _PLAIN:
        taker.reserve(_nbytes(plain))
        little = _contiguous(plain, dtype=_dtype(plain).newbyteorder("<"))
        return {**node, "dtype": name, "data": taker.blob(_ndarray.tobytes(little))}
    if name in ("longdouble", "float128"):
        return array_node(asarray(plain, dtype="float64"), taker, node["cls"])
    dtype = _ITEM_DTYPES.get(_dtype(plain).kind)
    return None if dtype is None else {**node, "dtype": dtype, "items": _items(plain, taker)}


def _items(plain: AnyArray, taker: Taker) -> list[Node]:
    if plain.size > _MAX_ITEMS:
        raise TooMuchError(f"an array of {plain.size} objects")
    return [taker.node(item) for item in _ndarray.tolist(_ndarray.ravel(plain))]


def take_array(value: AnyArray, taker: Taker) -> Node | None:
    """An array."""
    return array_node(value, taker)


def take_masked(value: np.ma.MaskedArray[Any, Any], taker: Taker) -> Node | None:
    """A masked array: its data, and True where an element is missing."""
    data = array_node(_view(value, _ndarray), taker, class_name(type(value)))
    if data is None:
        return None
    mask = np.ma.getmaskarray(value)
    return {**data, "mask": taker.blob(_ndarray.tobytes(_contiguous(mask)))}


def take_scalar(value: np.generic, taker: Taker) -> Node | None:
    """A NumPy scalar as the Python number it stands for, with its own class; None for texts and objects."""
    name = {"cls": class_name(type(value))}
    if isinstance(value, np.bool_):
        return {"t": "bool", "v": bool(value), **name}
    if isinstance(value, np.integer):
        return {"t": "int", "v": spell_int(int(value)), **name}
    if isinstance(value, np.floating):
        return {"t": "float", "v": spell_float(float(value)), **name}
    if isinstance(value, np.complexfloating):
        plain = complex(value)
        return {"t": "complex", "re": spell_float(plain.real), "im": spell_float(plain.imag), **name}
    if isinstance(value, (np.datetime64, np.timedelta64)):
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
