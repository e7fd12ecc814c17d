"""Nodes out of numbers that the judge has computed itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from checks.evidence import array_node
from checks.evidence import values as v


def array_of(found: npt.NDArray[Any], cls: str = "numpy.ndarray") -> v.Array:
    """An array node; texts and objects become items."""
    if found.dtype.kind in "biufcMm":
        made = array_node(np.ascontiguousarray(found).reshape(found.shape))
        return v.Array(dtype=made.dtype, shape=made.shape, data=made.data, cls=cls)
    kind = "str" if found.dtype.kind == "U" else "object"
    return v.Array(
        dtype=kind, shape=found.shape, items=tuple(plain_node(item) for item in found.ravel().tolist())
    )


def plain_node(value: object) -> v.AnyNode:
    """The node of a plain Python value; what is none of them becomes None."""
    match value:
        case bool() | np.bool_():
            return v.Bool(v=bool(value))
        case int() | np.integer():
            return v.Int(v=str(int(value)))
        case float() | np.floating():
            return v.Float(v=float(value).hex())
        case complex() | np.complexfloating():
            return v.Complex(re=float(value.real).hex(), im=float(value.imag).hex())
        case str():
            return v.Text(v=value)
        case _:
            return v.Nothing()
