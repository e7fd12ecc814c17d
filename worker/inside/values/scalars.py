"""None, truth values, numbers, texts and bytes."""

from __future__ import annotations

from base64 import b64encode as _b64encode
from typing import TYPE_CHECKING, Any

from . import class_name

if TYPE_CHECKING:
    from . import Node, Take, Taker

MAX_TEXT = 1 << 20
_MAX_DECIMAL_BITS = 12_000
_MAX_BITS = 1 << 20
_real, _imaginary = complex.__dict__["real"].__get__, complex.__dict__["imag"].__get__


def spell_int(value: int) -> str:
    """A whole number's spelling: decimal, or hexadecimal where Python refuses long decimals."""
    bits = int.bit_length(value)
    if bits > _MAX_BITS:
        raise OverflowError(f"a number of {bits} bits")
    return int.__repr__(value) if bits < _MAX_DECIMAL_BITS else int.__format__(value, "#x")


def spell_float(value: float) -> str:
    """A float's exact spelling."""
    return float.hex(value)


def take_none(_value: None, _taker: Taker) -> Node:
    """None."""
    return {"t": "none"}


def take_bool(value: bool, _taker: Taker) -> Node:
    """True or False."""
    return {"t": "bool", "v": value is True}


def take_int(value: int, taker: Taker) -> Node:
    """An int, or an instance of a subclass of it, by its number."""
    spelling = spell_int(value)
    taker.spell(len(spelling))
    return {"t": "int", "v": spelling, **_class(value, int)}


def take_float(value: float, _taker: Taker) -> Node:
    """A float."""
    return {"t": "float", "v": spell_float(value), **_class(value, float)}


def take_complex(value: complex, _taker: Taker) -> Node:
    """A complex number."""
    real, imaginary = _real(value), _imaginary(value)
    return {"t": "complex", "re": spell_float(real), "im": spell_float(imaginary), **_class(value, complex)}


def take_str(value: str, taker: Taker) -> Node:
    """A text, cut where it is very long."""
    length = str.__len__(value)
    taker.spell(min(length, MAX_TEXT))
    plain = utf8(str.__getitem__(value, slice(0, MAX_TEXT))).decode("utf-8")
    cut = {"cut": length} if length > MAX_TEXT else {}
    return {"t": "str", "v": plain, **_class(value, str), **cut}


def utf8(text: str) -> bytes:
    """The text's bytes; what Unicode has no bytes for (half a surrogate pair) becomes a question mark."""
    return str.encode(text, "utf-8", "replace")


def _bytes(kind: Any) -> Take:
    def take(value: object, taker: Taker) -> Node:
        length = kind.__len__(value)
        taker.spell(min(length, MAX_TEXT))
        data = bytes(kind.__getitem__(value, slice(0, MAX_TEXT)))
        cut = {"cut": length} if length > MAX_TEXT else {}
        return {"t": "bytes", "v": _b64encode(data).decode("ascii"), **_class(value, bytes), **cut}

    return take


def _class(value: object, plain: type) -> Node:
    kind = type(value)
    return {} if kind is plain else {"cls": class_name(kind)}


TAKES = {
    "builtins.NoneType": take_none,
    "builtins.bool": take_bool,
    "builtins.int": take_int,
    "builtins.float": take_float,
    "builtins.complex": take_complex,
    "builtins.str": take_str,
    "builtins.bytes": _bytes(bytes),
    "builtins.bytearray": _bytes(bytearray),
}
