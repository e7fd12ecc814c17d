"""Functions: signature, source as the cell had it, docstring, defaults. None is called or printed.

``callables`` has those of other languages; of Python's this module knows more, and comes after it.
"""

from __future__ import annotations

import inspect
import linecache
import stat
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from . import class_name
from .instances import attempted, plain_name, state

if TYPE_CHECKING:
    from . import Node, Taker

_MAX_SOURCE = 20_000
_MAX_DOC = 4_000
_MAX_WRAPPERS = 10
_REST, _OTHERS = 0x04, 0x08  # the code flags of *args and **kwargs
_MAX_FILE = 1 << 20
_LOOKING_UP = 16_384  # what finding a source counts for at least, in characters: it takes a millisecond
_getsource, _cached = inspect.getsource, linecache.cache
_part = {
    name: FunctionType.__dict__[name].__get__
    for name in ("__code__", "__defaults__", "__kwdefaults__", "__name__", "__doc__", "__annotations__")
}
_bound = MethodType.__dict__["__func__"].__get__


def take_function(function: FunctionType, taker: Taker) -> Node:
    """A function, a decorated one by what it wraps where ``functools.wraps`` says so."""
    inner = _unwrapped(function)
    parameters = _parameters(inner, taker)
    doc, annotations = plain_name(_part["__doc__"](inner), _MAX_DOC), _annotations(inner)
    source, returns = _source(_part["__code__"](inner), taker), annotations.get("return")
    signature = _signature(parameters, returns)
    taker.spell(sum(len(text or "") for text in (source, doc, signature, returns)))
    return {
        "t": "callable",
        "name": plain_name(_part["__name__"](function)) or "?",
        "cls": class_name(type(function)),
        "signature": signature,
        "source": source,
        "doc": doc,
        "parameters": parameters,
        "returns": returns,
    }


def take_method(method: MethodType, taker: Taker) -> Node | None:
    """A bound method, by its function."""
    function = _bound(method)
    if not isinstance(function, FunctionType):
        return {"t": "callable", "name": class_name(type(function)), "cls": class_name(type(method))}
    return {**take_function(function, taker), "cls": class_name(type(method))}


def _unwrapped(function: FunctionType) -> FunctionType:
    for _ in range(_MAX_WRAPPERS):
        inner = state(function).get("__wrapped__")
        if not isinstance(inner, FunctionType):
            break
        function = inner
    return function


def _parameters(function: FunctionType, taker: Taker) -> list[Node]:
    code: CodeType = _part["__code__"](function)
    names, count, plain = code.co_varnames, code.co_argcount, code.co_posonlyargcount
    defaults = _part["__defaults__"](function) or ()
    keyword_defaults = _part["__kwdefaults__"](function) or {}
    given: dict[str, Any] = dict(zip(names[count - len(defaults) : count], defaults, strict=False))
    given.update(keyword_defaults)
    kinds = [(name, "positional" if number < plain else "plain") for number, name in enumerate(names[:count])]
    after = count + code.co_kwonlyargcount
    if code.co_flags & _REST:
        kinds.append((names[after], "rest"))
    kinds += [(name, "keyword") for name in names[count : count + code.co_kwonlyargcount]]
    if code.co_flags & _OTHERS:
        kinds.append((names[after + bool(code.co_flags & _REST)], "others"))
    annotations = _annotations(function)
    return [_parameter(name, kind, given, annotations, taker) for name, kind in kinds]


def _parameter(
    name: str, kind: str, given: dict[str, Any], annotations: dict[str, str], taker: Taker
) -> Node:
    taker.count(1)
    found: Node = {"name": name, "kind": kind}
    if name in given:
        found["default"] = attempted(given[name], taker)
    if name in annotations:
        found["annotation"] = annotations[name]
    taker.spell(2 * len(name) + len(annotations.get(name, "")))  # here and in the head
    return found


def _annotations(function: FunctionType) -> dict[str, str]:
    """Annotations as texts: a class by its name, a text as it is; of others only their class is told."""
    written = _part["__annotations__"](function)
    if type(written) is not dict:
        return {}
    return {name: _annotation(item) for name, item in written.items() if type(name) is str}


def _annotation(item: object) -> str:
    text = plain_name(item)
    if text is not None:
        return text
    if item is None:
        return "None"
    if type(item) is type:
        return class_name(item).removeprefix("builtins.")
    return class_name(type(item))


def _signature(parameters: list[Node], returns: str | None) -> str:
    """The head as it may have been written; ``…`` stands for a default that is no plain value."""
    texts = []
    marked = False
    for number, each in enumerate(parameters):
        star = {"rest": "*", "others": "**"}.get(each["kind"], "")
        if (
            each["kind"] == "keyword"
            and not marked
            and not any(p["kind"] == "rest" for p in parameters[:number])
        ):
            texts.append("*")
        marked = marked or each["kind"] == "keyword"
        hint = f": {each['annotation']}" if "annotation" in each else ""
        spaced = " = " if hint else "="
        texts.append(
            star + each["name"] + hint + (spaced + _spelled(each["default"]) if "default" in each else "")
        )
        if each["kind"] == "positional" and [p["kind"] for p in parameters[number + 1 : number + 2]] != [
            "positional"
        ]:
            texts.append("/")
    return f"({', '.join(texts)})" + ("" if returns is None else f" -> {returns}")


def _spelled(node: Node) -> str:  # noqa: PLR0911 - one line a kind of value
    match node["t"]:
        case "none":
            return "None"
        case "bool":
            return str(node["v"])
        case "int" if len(node["v"]) < 40:
            return str(node["v"])
        case "float":
            return repr(float.fromhex(node["v"]))
        case "str" if len(node["v"]) < 80:
            return repr(node["v"])
        case "seq" | "map" | "set" if not node["items"] and node["cls"].startswith("builtins."):
            return {"builtins.list": "[]", "builtins.tuple": "()", "builtins.dict": "{}"}.get(
                node["cls"], "set()"
            )
        case _:
            return "…"


def _source(code: CodeType, taker: Taker) -> str | None:
    """The lines that the code was made of: of a cell, or of a file that is a file and not too large."""
    taker.spell(_LOOKING_UP)
    try:
        return _getsource(code)[:_MAX_SOURCE] if _is_text(code.co_filename) else None
    except (OSError, TypeError, IndexError, SyntaxError):
        return None


def _is_text(filename: str) -> bool:
    if filename in _cached:
        return True
    found = Path(filename).stat()
    return stat.S_ISREG(found.st_mode) and found.st_size <= _MAX_FILE


TAKES = {
    class_name(FunctionType): take_function,
    class_name(MethodType): take_method,
}
