"""Many texts in one piece: their bytes one after the other, and where each ends.

A column of a hundred thousand titles costs two copies of memory to write and to read, and not a hundred
thousand nodes. Texts may be missing here and there, all of them in one way.
"""

from __future__ import annotations

from array import array
from itertools import accumulate
from math import isnan
from sys import byteorder
from typing import TYPE_CHECKING

from . import class_name
from .scalars import MAX_TEXT, utf8

if TYPE_CHECKING:
    from . import Node, Take, Taker

_MISSING_CLASSES = ("pandas._libs.missing.NAType", "pandas.api.typing.NAType")
_join = b"".join


def texts_node(items: list[object], taker: Taker) -> Node | None:
    """The ``texts`` of an array's elements; None where they are anything but texts, or all missing."""
    others = [item for item in items if type(item) is not str]
    if len(others) == len(items) or not _one_gap(others):
        return None
    spelled = [utf8(item) if type(item) is str else b"" for item in items]
    if max(map(len, spelled)) > MAX_TEXT:
        return None
    ends = array("I", accumulate(map(len, spelled)))
    taker.count(len(items))
    taker.reserve(ends[-1] + 5 * len(items))
    node = {"utf8": taker.blob(_join(spelled)), "ends": taker.blob(_little(ends))}
    if not others:
        return node
    missing = bytes(type(item) is not str for item in items)
    return {**node, "missing": taker.blob(missing), "blank": taker.node(others[0])}


def _one_gap(others: list[object]) -> bool:
    """Whether all that is no text stands for something missing, and in the same way."""
    if not others:
        return True
    first = others[0]
    if type(first) is float:
        return all(type(item) is float and isnan(item) for item in others)
    known = first is None or class_name(type(first)) in _MISSING_CLASSES
    return known and all(item is first for item in others)


def _little(numbers: array[int]) -> bytes:
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


TAKES: dict[str, Take] = {}  # nothing comes here by its class: arrays ask for it
