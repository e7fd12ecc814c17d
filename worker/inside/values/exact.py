"""Exact numbers of the standard library, decimals and fractions: as floats that tell their class."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from . import class_name
from .scalars import spell_float

if TYPE_CHECKING:
    from . import Node, Take, Taker

_of_decimal = Decimal.__float__
_top, _bottom = Fraction.__dict__["numerator"].__get__, Fraction.__dict__["denominator"].__get__
_divided = int.__truediv__


def take_decimal(value: Decimal, _taker: Taker) -> Node:
    """A decimal number by the float nearest to it."""
    return {"t": "float", "v": spell_float(_of_decimal(value)), "cls": class_name(type(value))}


def take_fraction(value: Fraction, _taker: Taker) -> Node:
    """A fraction by the float nearest to it."""
    number = _divided(_top(value), _bottom(value))
    return {"t": "float", "v": spell_float(number), "cls": class_name(type(value))}


TAKES: dict[str, Take] = {"decimal.Decimal": take_decimal, "fractions.Fraction": take_fraction}
