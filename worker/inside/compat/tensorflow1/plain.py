"""Python numbers in the place of numpy's: Keras 3 takes no others, and writes no others into a config."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any


def plain(value: Any) -> Any:
    """A numpy integer as int, a numpy float as float, in tuples and lists too; anything else as it is."""
    if isinstance(value, int | float):
        return value.item() if hasattr(value, "item") else value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if type(value) in (tuple, list) and any(isinstance(item, Real) for item in value):
        return type(value)(plain(item) for item in value)
    return value
