"""Functions, methods and classes: described, never called."""

from __future__ import annotations

import inspect
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from . import class_name

if TYPE_CHECKING:
    from . import Node, Taker

_MAX_SOURCE = 20_000


def _signature(value: Any) -> str | None:
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):
        return None


def _source(value: Any) -> str | None:
    try:
        return inspect.getsource(value)[:_MAX_SOURCE]
    except (OSError, TypeError):
        return None


def take_callable(value: object, _taker: Taker) -> Node:
    """A function or method by name, signature and source."""
    name = str(getattr(value, "__name__", "?"))
    return {
        "t": "callable",
        "name": name,
        "cls": class_name(type(value)),
        "signature": _signature(value),
        "source": _source(value),
    }


def take_class(value: type, _taker: Taker) -> Node:
    """A class by its own name; its constructor's signature is not looked at."""
    return {"t": "callable", "name": class_name(value), "cls": class_name(type(value))}


TAKES = {
    class_name(FunctionType): take_callable,
    class_name(MethodType): take_callable,
    class_name(BuiltinFunctionType): take_callable,
    "numpy._ArrayFunctionDispatcher": take_callable,
    "numpy.ufunc": take_callable,
    "builtins.type": take_class,
}
