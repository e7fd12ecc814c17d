"""Words for what was seen, for messages: a value's kind and size, and its text where it is short.

The texts are raw; ``checks.spec.template.fill`` escapes them when they go into a message.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

import numpy as np

from checks.compare import content
from checks.evidence import values as v

MAX_QUOTED = 100
MAX_DIGITS = 40
_ITERATORS = ("generator", "map", "filter", "zip", "enumerate", "reversed")
# Blanks other than single spaces, and those at either end.
_LOST_BLANKS = re.compile(r"^\s+|\s+$|\s{2,}|[^\S ]")


def describe(node: v.AnyNode | None) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a kind of value
    """A noun phrase: ``a list of 10 items``, ``an array of shape (3, 4)``, ``the number 12.5``."""
    match node:
        case None:
            return "nothing (it has no value)"
        case v.Nothing():
            return "None"
        case v.Bool() | v.Int() | v.Float() | v.Complex():
            return _number(node)
        case v.Text():
            return f"the text {quoted(node.v)}"
        case v.Sequence() | v.SetOf() | v.Mapping():
            return f"{_article(_sort(node))} of {_count(node)}"
        case v.Array() | v.Tensor():
            return _shaped(node)
        case v.Bytes():
            return f"bytes, {content.byte_count(node)} of them"
        case v.Index():
            return f"{_article(class_name(node.cls))} of {_plural(node.shape[0], 'label')}"
        case v.Opaque() if class_name(node.cls) == "NotImplementedType":
            return "NotImplemented (Python's word for: it is not defined what this should give)"
        case v.Opaque() if class_name(node.cls) in _ITERATORS:
            return f"{_article(class_name(node.cls))} (it makes its items only when it is asked for them)"
        case v.Series():
            return f"a Series of {_plural(node.values.shape[0], 'value')}"
        case v.Table():
            rows = _plural(node.index.levels[0].shape[0], "row")
            return f"a DataFrame of {rows} and {_plural(len(node.columns), 'column')}"
        case v.Layer() | v.Model():
            return f"{_article(class_name(node.cls))} named {quoted(node.name)}"
        case v.Callable():
            return f"the function {quoted(node.name)}"
        case v.Broken():
            return f"a value that could not be read ({node.why})"
        case _:
            return f"an object of class {class_name(getattr(node, 'cls', ''))}"


def moment_text(node: v.Array) -> str | None:
    """A single date, moment or span: ``2024-02-29``, ``2024-02-29T12:30:00``, ``1 day, 2:00:00``, or None."""
    if node.shape or node.values is None or node.values.dtype.kind not in "mM":
        return None
    number = content.moments(node)[()]
    if np.isnat(number):
        return "NaT"
    if number.dtype.kind == "m":
        return str(number.astype("timedelta64[us]").item())
    return str(np.datetime_as_string(number, unit="D" if node.dtype == "datetime64[D]" else "s"))


def class_name(cls: str) -> str:
    """The last component of a full class name."""
    return cls.rpartition(".")[2] or "object"


@lru_cache(maxsize=1024)
def class_names(cls: str, bases: tuple[str, ...]) -> frozenset[str]:
    """The last components of a class's full name and of its ancestors'."""
    return frozenset(map(class_name, (cls, *bases)))


def quoted(text: str) -> str:
    """The text in quotation marks, with every blank that would be lost on a page made visible."""
    shown = text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"
    return f"'{_LOST_BLANKS.sub(lambda found: '␣' * len(found.group()), shown)}'"


def quoted_if_odd(name: str) -> str:
    """A name as it is; in quotation marks where blanks or nothing at all would not be seen."""
    return name if name and not any(character.isspace() for character in name) else quoted(name)


def listed(names: list[str], limit: int = 5) -> str:
    """``a, b and c``; what goes beyond ``limit`` is counted."""
    shown, more = names[:limit], len(names) - limit
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def _number(node: v.Bool | v.Int | v.Float | v.Complex) -> str:
    match node:
        case v.Bool():
            return f"the truth value {node.v}"
        case v.Int():
            long = len(node.v) > MAX_DIGITS
            return f"a whole number of {_digits(node)} digits" if long else f"the number {node.v}"
        case _:
            return f"the number {node.value:.6g}"


def _digits(node: v.Int) -> str:
    if not node.v.lstrip("-").startswith("0x"):
        return str(len(node.v.lstrip("-")))
    return f"about {round(node.value.bit_length() * math.log10(2))}"


def _sort(node: v.Sequence | v.SetOf | v.Mapping) -> str:
    if isinstance(node, v.Mapping):
        return "dict"
    return node.base if node.base != "other" else class_name(node.cls).replace("_", " ")


def _count(node: v.Sequence | v.SetOf | v.Mapping) -> str:
    return _plural(node.cut or len(node.items), "item")


def _shaped(node: v.Array | v.Tensor) -> str:
    if isinstance(node, v.Array) and node.shape == () and node.values is not None:
        return _time(node) if node.values.dtype.kind in "Mm" else f"the number {content.numbers(node)}"
    plain = node.cls in ("numpy.ndarray", "")
    own = "array.array" if node.cls == "array.array" else class_name(node.cls).replace("_", " ")
    name = "tensor" if isinstance(node, v.Tensor) else "array" if plain else own
    shape = ", ".join("None" if length is None else str(length) for length in node.shape)
    return f"{_article(name)} of shape ({shape}{',' if len(node.shape) == 1 else ''})"


def _time(node: v.Array) -> str:
    """``the day 2026-11-02``, ``the moment 2026-11-02 08:00:00 (UTC)``, ``a span of 90 seconds``."""
    found = content.moments(node)[()]
    if np.isnat(found):
        return "no moment (NaT)"
    if found.dtype.kind == "m":
        return f"a span of {found / np.timedelta64(1, 's'):.12g} seconds"
    word = "day" if node.dtype == "datetime64[D]" else "moment"
    whole, dot, rest = str(found).replace("T", " ").partition(".")
    text = (whole + dot + rest.rstrip("0")).rstrip(".")
    return f"the {word} {text}{' (UTC)' if content.zone(node) else ''}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
