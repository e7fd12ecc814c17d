"""None, truth values, numbers, texts and bytes."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Node, Taker

_MAX_TEXT = 1 << 20
_MAX_DECIMAL_BITS = 12_000
_MAX_BITS = 1 << 20


def spell_int(value: int) -> str:
    """A whole number's spelling: decimal, or hexadecimal where Python refuses long decimals."""
    bits = int.bit_length(value)
    if bits > _MAX_BITS:
        raise OverflowError(f"a number of {bits} bits")
    return int.__repr__(value) if bits < _MAX_DECIMAL_BITS else hex(int(value))


def spell_float(value: float) -> str:
    """A float's exact spelling."""
    return float.hex(value)


def take_none(_value: None, _taker: Taker) -> Node:
    """None."""
    return {"t": "none"}


def take_bool(value: bool, _taker: Taker) -> Node:
    """True or False."""
    return {"t": "bool", "v": value is True}


def take_int(value: int, _taker: Taker) -> Node:
    """An int, or an instance of a subclass of it, by its number."""
    return {"t": "int", "v": spell_int(value), **_class(value, int)}


def take_float(value: float, _taker: Taker) -> Node:
    """A float."""
    return {"t": "float", "v": spell_float(value), **_class(value, float)}


def take_complex(value: complex, _taker: Taker) -> Node:
    """A complex number."""
    real, imaginary = complex.__getattribute__(value, "real"), complex.__getattribute__(value, "imag")
    return {"t": "complex", "re": spell_float(real), "im": spell_float(imaginary), **_class(value, complex)}


def take_str(value: str, _taker: Taker) -> Node:
    """A text, cut where it is very long."""
    plain = str.__getitem__(value, slice(0, _MAX_TEXT)).encode("utf-8", "replace").decode("utf-8")
    length = str.__len__(value)
    cut = {"cut": length} if length > _MAX_TEXT else {}
    return {"t": "str", "v": plain, **_class(value, str), **cut}


def take_bytes(value: bytes | bytearray, _taker: Taker) -> Node:
    """Bytes or a bytearray."""
    data = bytes(memoryview(value)[:_MAX_TEXT])
    length = memoryview(value).nbytes
    cut = {"cut": length} if length > _MAX_TEXT else {}
    return {"t": "bytes", "v": b64encode(data).decode("ascii"), **_class(value, bytes), **cut}


def _class(value: object, plain: type) -> Node:
    kind = type(value)
    return {} if kind is plain else {"cls": f"{kind.__module__}.{kind.__qualname__}"}


TAKES = {
    "builtins.NoneType": take_none,
    "builtins.bool": take_bool,
    "builtins.int": take_int,
    "builtins.float": take_float,
    "builtins.complex": take_complex,
    "builtins.str": take_str,
    "builtins.bytes": take_bytes,
    "builtins.bytearray": take_bytes,
}
