"""Functions, methods and classes: described, never called, and none of their arguments' defaults asked."""

from __future__ import annotations

import inspect
import linecache
import stat
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from . import class_name

if TYPE_CHECKING:
    from . import Node, Take, Taker

_MAX_SOURCE = 20_000
_MAX_NAME = 200
_MAX_FILE = 1 << 20
_LOOKING_UP = 16_384  # what finding a source counts for at least, in characters: it takes a millisecond
_SHOWN = (bool, int, float, str, type(None))
_code: Any = FunctionType.__dict__["__code__"].__get__
_name: Any = FunctionType.__dict__["__name__"].__get__
_defaults: Any = FunctionType.__dict__["__defaults__"].__get__
_keyword_defaults: Any = FunctionType.__dict__["__kwdefaults__"].__get__
_behind: Any = MethodType.__dict__["__func__"].__get__
_signature, _source_of, _cached = inspect.signature, inspect.getsource, linecache.cache


def take_function(value: FunctionType, taker: Taker) -> Node:
    """A function by its real name, its arguments and its source."""
    return _described(_name(value), value, signature(value), _source(_code(value), taker), taker)


def take_method(value: MethodType, taker: Taker) -> Node | None:
    """A method by the function behind it; None where something else than a function is behind it."""
    function = _behind(value)
    if type(function) is not FunctionType:
        return None
    source = _source(_code(function), taker)
    return _described(_name(function), value, signature(function, skip=1), source, taker)


def take_builtin(value: Any, taker: Taker) -> Node:
    """A function of the interpreter's or of NumPy's: these tell of themselves."""
    try:
        told = str(_signature(value))[:_MAX_NAME]
    except (TypeError, ValueError):
        told = None
    return _described(value.__name__, value, told, None, taker)


def take_class(value: type, taker: Taker) -> Node:
    """A class by its own name; its constructor's signature is not looked at."""
    name = class_name(value)
    taker.spell(len(name))
    return {"t": "callable", "name": name, "cls": class_name(type(value))}


def signature(function: FunctionType, skip: int = 0) -> str:
    """The arguments as ``inspect`` spells them, without annotations; ``skip`` leaves out the first ones.

    Defaults that are no plain values stand as ``…``: their own spelling would be the student's code.
    """
    code, words = _code(function), []
    plain, only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    defaults = _defaults(function) or ()
    by_keyword = _keyword_defaults(function) or {}
    for number in range(skip, plain):
        given = number - (plain - len(defaults))
        words.append(names[number] + (f"={_default(defaults[given])}" if given >= 0 else ""))
        if number + 1 == code.co_posonlyargcount:
            words.append("/")
    starred = bool(code.co_flags & inspect.CO_VARARGS)
    if starred or only:
        words.append("*" + (names[plain + only] if starred else ""))
    for name in names[plain : plain + only]:
        words.append(name + (f"={_default(by_keyword[name])}" if name in by_keyword else ""))
    if code.co_flags & inspect.CO_VARKEYWORDS:
        words.append("**" + names[plain + only + starred])
    return f"({', '.join(words)})"


def _default(value: object) -> str:
    return repr(value)[:_MAX_NAME] if type(value) in _SHOWN else "…"


def _described(name: str, value: object, told: str | None, source: str | None, taker: Taker) -> Node:
    taker.spell(len(told or "") + len(source or ""))
    cls = class_name(type(value))
    return {"t": "callable", "name": name[:_MAX_NAME], "cls": cls, "signature": told, "source": source}


def _source(code: CodeType, taker: Taker) -> str | None:
    """The lines that the code was made of: of a cell, or of a file that is a file and not too large."""
    taker.spell(_LOOKING_UP)
    try:
        return _source_of(code)[:_MAX_SOURCE] if _is_text(code.co_filename) else None
    except (OSError, TypeError, IndexError):
        return None


def _is_text(filename: str) -> bool:
    if filename in _cached:
        return True
    found = Path(filename).stat()
    return stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_FILE


TAKES: dict[str, Take] = {
    class_name(FunctionType): take_function,
    class_name(MethodType): take_method,
    class_name(BuiltinFunctionType): take_builtin,
    "numpy._ArrayFunctionDispatcher": take_builtin,
    "numpy.ufunc": take_builtin,
    "builtins.type": take_class,
}
