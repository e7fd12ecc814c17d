"""Classes, and functions that are not Python's: described, never called. ``functions`` has Python's own."""

from __future__ import annotations

import inspect
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

from . import class_name

if TYPE_CHECKING:
    from . import Node, Take, Taker

_MAX_NAME = 200
_signature = inspect.signature


def take_builtin(value: Any, taker: Taker) -> Node:
    """A function of the interpreter's or of NumPy's: these tell of themselves."""
    try:
        told = str(_signature(value))[:_MAX_NAME]
    except (TypeError, ValueError):
        told = None
    return _described(value.__name__, value, told, taker)


def take_class(value: type, taker: Taker) -> Node:
    """A class by its own name; its constructor's signature is not looked at."""
    name = class_name(value)
    taker.spell(len(name))
    return {"t": "callable", "name": name, "cls": class_name(type(value))}


def _described(name: str, value: object, told: str | None, taker: Taker) -> Node:
    taker.spell(len(told or "") + min(len(name), _MAX_NAME))
    return {"t": "callable", "name": name[:_MAX_NAME], "cls": class_name(type(value)), "signature": told}


TAKES: dict[str, Take] = {
    class_name(BuiltinFunctionType): take_builtin,
    "numpy._ArrayFunctionDispatcher": take_builtin,
    "numpy.ufunc": take_builtin,
    "builtins.type": take_class,
}
