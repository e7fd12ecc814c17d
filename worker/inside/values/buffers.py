"""Buffers of numbers without NumPy: ``array.array`` and ``memoryview``."""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING, Any

from . import TooMuchError, class_name

if TYPE_CHECKING:
    from . import Node, Take, Taker

# What a format's letter means (module ``struct``); how many bytes it takes is the machine's business.
_LETTERS = {
    "?": "bool",
    **dict.fromkeys("bhilqn", "int"),
    **dict.fromkeys("BHILQN", "uint"),
    **dict.fromkeys("efd", "float"),
}
_WIDTHS = {"bool": (1,), "int": (1, 2, 4, 8), "uint": (1, 2, 4, 8), "float": (2, 4, 8)}
_ORDERS = {"@": sys.byteorder, "=": sys.byteorder, "<": "little", ">": "big", "!": "big"}
_MAX_CHARACTERS = 200_000
_typecode, _itemsize = array.__dict__["typecode"].__get__, array.__dict__["itemsize"].__get__


def take_array(value: array[Any], taker: Taker) -> Node | None:
    """An array of the standard library; one of characters as their list."""
    code, itemsize, length = _typecode(value), _itemsize(value), array.__len__(value)
    if code in "uw":
        if length > _MAX_CHARACTERS:
            raise TooMuchError(f"an array of {length} characters")
        items = [taker.node(character) for character in array.tounicode(value)]
        return {"t": "seq", "base": "other", "cls": class_name(type(value)), "items": items}
    taker.reserve(length * itemsize)
    node = _numbers(array.tobytes(value), code, itemsize, taker)
    return node and {**node, "shape": [length], "cls": class_name(type(value))}


def take_memoryview(value: memoryview, taker: Taker) -> Node | None:
    """A view of numbers, in its shape; of bytes (format ``B``) likewise."""
    taker.reserve(value.nbytes)
    node = _numbers(value.tobytes(), value.format, value.itemsize, taker)
    return node and {**node, "shape": list(value.shape or ()), "cls": class_name(memoryview)}


def _numbers(data: bytes, form: str, itemsize: int, taker: Taker) -> Node | None:
    """Native numbers as a node without its shape; None where the format is none of a single number."""
    order, letter = (form[0], form[1:]) if form[0] in _ORDERS else ("@", form)
    kind = _LETTERS.get(letter)
    if kind is None or itemsize not in _WIDTHS[kind]:
        return None
    if _ORDERS[order] != "little" and itemsize > 1:
        data = b"".join(data[at : at + itemsize][::-1] for at in range(0, len(data), itemsize))
    dtype = "bool" if kind == "bool" else f"{kind}{8 * itemsize}"
    return {"t": "array", "dtype": dtype, "data": taker.blob(data)}


TAKES: dict[str, Take] = {
    "array.array": take_array,
    "builtins.memoryview": take_memoryview,
}
