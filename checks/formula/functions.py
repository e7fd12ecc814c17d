"""The functions of formulas: plain values and arrays in and out; nothing of a student's is called.

A function raises UndefinedError where it has no value; TypeError, ValueError, IndexError, KeyError,
ArithmeticError of Python and NumPy count as the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.normal import fold, sort_key
from checks.evidence import values as v
from checks.formula.cost import MAX_TEXT, UndefinedError
from checks.formula.exchange import Frame, Labelled, Whole, key_of, node_of

MAX_RANGE = 100_000
_NUMBERS = {bool, int, float, complex}


def array(value: Any) -> Any:
    """Lists of numbers and labelled columns as arrays; anything else as it is."""
    if isinstance(value, Labelled):
        return value.values
    if isinstance(value, (list, tuple)):
        if set(map(type, value)) <= _NUMBERS:
            return np.asarray(value)
        if any(isinstance(each, (str, dict, frozenset)) or each is None for each in value):
            raise UndefinedError("a list with other things than numbers has no arithmetic")
        return np.asarray([array(each) for each in value])
    return value


def numbers(value: Any) -> np.ndarray[Any, Any]:
    """A value as an array of numbers."""
    found = array(value)
    if isinstance(found, Frame):
        stacked = content.numbers(found.node)
        found = np.empty(0, dtype=object) if stacked is None else stacked
    if isinstance(found, (frozenset, dict)):
        found = elements(found)
    made = np.asarray(found)
    if made.dtype.kind not in "biufcMm":
        raise UndefinedError("it holds something else than numbers")
    return made


def elements(value: Any) -> list[Any]:
    """What can be gone through, one by one."""
    if isinstance(value, Labelled):
        return list(value.values.tolist())
    if isinstance(value, np.ndarray):
        return list(value) if value.ndim > 1 else list(value.tolist())
    if isinstance(value, Frame):
        return content.column_names(value.node)
    if isinstance(value, (list, tuple, frozenset, dict, str, range)):
        found = sorted(value, key=_order) if isinstance(value, frozenset) else list(value)
        return [int(each) if isinstance(each, Whole) else each for each in found]
    raise UndefinedError("it is nothing that can be gone through")


def _order(value: Any) -> Any:
    return sort_key(node_of(value))


def _plain(found: Any) -> Any:
    return found.item() if isinstance(found, np.generic) and found.dtype.kind not in "Mm" else found


def _reduced(reduce: Callable[..., Any], *, empty: bool = False) -> Callable[..., Any]:
    def of_numbers(x: Any, axis: int | None = None) -> Any:
        found = numbers(x)
        if not found.size and not empty:
            raise UndefinedError("it is empty")
        return _plain(reduce(found, axis=axis))

    return of_numbers


def _extreme(choose: Callable[..., Any], reduce: Callable[..., Any]) -> Callable[..., Any]:
    def of_values(x: Any, *more: Any, axis: int | None = None) -> Any:
        items = [x, *more] if more else elements(x) if not isinstance(x, np.ndarray) else []
        if items and all(isinstance(each, (str, tuple, list)) for each in items):
            return choose(items)
        found = numbers(items if more else x)
        if not found.size:
            raise UndefinedError("it is empty")
        return _plain(reduce(found, axis=axis))

    return of_values


def _elementwise(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: _plain(change(numbers(x)))


def length(x: Any) -> int:
    """How many elements, rows or characters."""
    if isinstance(x, Frame):
        return int(x.node.index.shape[0])
    if isinstance(x, Labelled):
        return len(x.values)
    return len(x)


def round_(x: Any, digits: int = 0) -> Any:
    """To so many decimals."""
    return _plain(np.round(numbers(x), digits))


def sorted_(x: Any, reverse: bool = False) -> list[Any]:
    """The elements in order; numbers before texts."""
    return sorted(elements(x), key=_order, reverse=bool(reverse))


def set_(x: Any = ()) -> frozenset[Any]:
    """The different elements."""
    return frozenset(key_of(each) for each in elements(x))


def unique(x: Any) -> list[Any]:
    """The different elements in order."""
    return sorted(set_(x), key=_order)


def all_(x: Any) -> bool:
    """Whether every element holds; of a single truth value, whether it does."""
    if isinstance(x, bool):
        return x
    return (
        all(truth(each) for each in np.ravel(x.values if isinstance(x, Labelled) else x))
        if isinstance(x, (np.ndarray, Labelled))
        else all(truth(each) for each in elements(x))
    )


def any_(x: Any) -> bool:
    """Whether one element holds."""
    if isinstance(x, bool):
        return x
    if isinstance(x, (np.ndarray, Labelled)):
        return bool(np.any(array(x)))
    return any(truth(each) for each in elements(x))


def truth(value: Any) -> bool:
    """As a condition; an array of several elements is none."""
    if isinstance(value, Labelled) or (isinstance(value, np.ndarray) and value.size != 1):
        raise UndefinedError("many truth values at once: all(…) or any(…) makes one of them")
    if isinstance(value, (Frame, v.Node)):
        raise UndefinedError("it is neither true nor false")
    return bool(value)


def close(a: Any, b: Any, rel: float = 1e-9, abs: float = 0.0) -> bool:  # noqa: A002 - the option's name
    """Whether numbers are equal within ``abs + rel × |b|``, all of them; a single number goes with each of
    an array, other shapes must agree.
    """
    seen, wanted = numbers(a), numbers(b)
    if 0 in (seen.ndim, wanted.ndim) and seen.size and wanted.size:
        seen, wanted = np.broadcast_arrays(seen, wanted)
    return Tolerance(float(rel), float(abs), whole_exactly=False).all_close(seen, wanted)


def norm(x: Any, axis: int | None = None) -> Any:
    """The Euclidean length."""
    return _plain(np.sqrt(np.sum(np.abs(numbers(x)) ** 2, axis=axis)))


def dot(a: Any, b: Any) -> Any:
    """The matrix (or scalar) product."""
    left, right = numbers(a), numbers(b)
    if left.size * (right.shape[-1] if right.ndim else 1) > 50_000_000:
        raise UndefinedError("it would take too many steps")
    return _plain(left @ right)


def labels(x: Any) -> list[Any]:
    """The index labels of a column or table."""
    if isinstance(x, Frame):
        return [content.scalar(each) for each in content.items(x.node.index.levels[0]) or []]
    if isinstance(x, Labelled):
        return list(x.labels or range(len(x.values)))
    raise UndefinedError("it has no labels")


def at(x: Any, label: Any) -> Any:
    """The element of a column by its label."""
    found = [place for place, each in enumerate(labels(x)) if each == label]
    if not isinstance(x, Labelled) or len(found) != 1:
        raise UndefinedError(f"the label {label} comes {len(found)} times")
    return _plain(x.values[found[0]])


def columns(x: Any) -> list[str]:
    """A table's column labels."""
    if not isinstance(x, Frame):
        raise UndefinedError("it is no table")
    return content.column_names(x.node)


def keys(x: Any) -> list[Any]:
    """A dict's keys."""
    return elements(x) if isinstance(x, dict) else columns(x)


def values(x: Any) -> Any:
    """A dict's values; a column without its labels."""
    return list(x.values()) if isinstance(x, dict) else array(x)


def items(x: dict[Any, Any]) -> list[Any]:
    """A dict's pairs."""
    return list(zip(elements(x), x.values(), strict=True))


def shape(x: Any) -> tuple[int, ...]:
    """The axes' lengths."""
    return (length(x), len(columns(x))) if isinstance(x, Frame) else tuple(np.shape(array(x)))


def kind(x: Any) -> str:
    """The word of the value's container, as the kind ``type`` has it."""
    return content.container(x.node if isinstance(x, (Frame, Labelled)) else node_of(x))


def range_(start: int, stop: int | None = None, step: int = 1) -> list[int]:
    """Whole numbers in a row."""
    found = range(start) if stop is None else range(start, stop, step)
    if len(found) > MAX_RANGE:
        raise UndefinedError(f"a range of more than {MAX_RANGE} numbers")
    return list(found)


def zip_(*x: Any) -> list[tuple[Any, ...]]:
    """Elements side by side; all must have as many."""
    return list(zip(*map(elements, x), strict=True))


def join(separator: str, x: Any) -> str:
    """Texts put together."""
    return text(str(separator).join(map(_text, elements(x))))


def replace(x: str, old: str, new: str) -> str:
    """A text with each ``old`` replaced."""
    if len(new) * (len(x) + 1) > MAX_TEXT * max(1, len(old)):
        raise UndefinedError("a text would become too long")
    return text(_text(x).replace(old, new))


def text(found: str) -> str:
    """A text that is not too long."""
    if len(found) > MAX_TEXT:
        raise UndefinedError("a text would become too long")
    return found


def _text(x: Any) -> str:
    if not isinstance(x, str):
        raise UndefinedError("it is no text")
    return x


def _of_text(change: Callable[..., Any]) -> Callable[..., Any]:
    """A method of texts, for one text or each of many."""

    def of_text(x: Any, *more: Any) -> Any:
        if isinstance(x, str):
            return change(x, *more)
        return [change(_text(each), *more) for each in elements(x)]

    return of_text


def string(x: Any) -> str:
    """A number or text as text."""
    if isinstance(x, int) and x.bit_length() > 4_000:
        raise UndefinedError("a number is too large")
    if not isinstance(x, (str, int, float, bool)):
        raise UndefinedError("it is no plain value")
    return str(x)


def integer(x: Any) -> int:
    """A whole number out of a number or a text."""
    if isinstance(x, str) and len(x) > 1_000:
        raise UndefinedError("a number is too large")
    return int(x)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """``yes`` where the condition holds, else ``no``, element by element."""
    return _plain(np.where(array(condition), array(yes), array(no)))


def split(x: str, separator: str | None = None) -> list[str]:
    """The pieces of a text."""
    return _text(x).split(separator)


def normal(x: str) -> str:
    """A text without case, accents, punctuation and surplus blanks."""
    return fold(_text(x), ("accents", "case", "punctuation", "blanks"))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": length, "sum": _reduced(np.sum, empty=True), "min": _extreme(min, np.min), "max":
    _extreme(max, np.max), "mean": _reduced(np.mean), "median": _reduced(np.median), "std":
    _reduced(np.std), "var": _reduced(np.var), "prod": _reduced(np.prod, empty=True), "argmin":
    _reduced(np.argmin), "argmax": _reduced(np.argmax), "cumsum": _elementwise(np.cumsum), "diff":
    _elementwise(np.diff), "abs": _elementwise(np.abs), "sqrt": _elementwise(np.sqrt), "exp":
    _elementwise(np.exp), "log": _elementwise(np.log), "log10": _elementwise(np.log10), "log2":
    _elementwise(np.log2), "sin": _elementwise(np.sin), "cos": _elementwise(np.cos), "tan":
    _elementwise(np.tan), "tanh": _elementwise(np.tanh), "floor": _elementwise(np.floor), "ceil":
    _elementwise(np.ceil), "sign": _elementwise(np.sign), "isnan": _elementwise(np.isnan), "isfinite":
    _elementwise(np.isfinite), "transpose": _elementwise(np.transpose), "round": round_, "sorted":
    sorted_, "set": set_, "unique": unique, "all": all_, "any": any_, "close": close, "norm": norm,
    "dot": dot, "labels": labels, "at": at, "columns": columns, "keys": keys, "values": values, "items":
    items, "shape": shape, "kind": kind, "range": range_, "zip": zip_, "list": elements, "tuple": lambda
    x: tuple(elements(x)), "array": numbers, "enumerate": lambda x: list(enumerate(elements(x))),
    "reversed": lambda x: elements(x)[::-1], "join": join, "replace": replace, "split": split, "normal":
    normal, "where": where, "lower": _of_text(str.lower), "upper": _of_text(str.upper), "strip":
    _of_text(str.strip), "title": _of_text(str.title), "startswith": _of_text(str.startswith),
    "endswith": _of_text(str.endswith), "isdigit": _of_text(str.isdigit), "isalpha":
    _of_text(str.isalpha), "count": lambda x, y: x.count(y) if isinstance(x, str) else
    elements(x).count(y), "str": string, "int": integer, "float": float, "bool": truth,
}  # fmt: skip
CONSTANTS = {"pi": math.pi, "e": math.e, "nan": math.nan, "inf": math.inf}
# Functions whose value is a truth value, or an array of them.
PREDICATES = frozenset(
    {"all", "any", "close", "isnan", "isfinite", "bool", "startswith", "endswith", "isdigit", "isalpha"}
)
