"""Lists, tuples, ranges, deques, sets, mappings and their views, walked through the base class's methods."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import class_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import Node, Take, Taker

_MAX_ITEMS = 100_000
_dict_items = dict.items
_EMPTY: dict[object, object] = {}
_KEYS, _VALUES, _ITEMS = type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items())


def _items(iterate: Iterator[object], length: int, taker: Taker) -> Node:
    items = [taker.node(item) for item in islice(iterate, _MAX_ITEMS)]
    return {"items": items, **({"cut": length} if length > _MAX_ITEMS else {})}


def _sequence(base: str, kind: Any) -> Take:
    def take(value: object, taker: Taker) -> Node:
        found = _items(kind.__iter__(value), kind.__len__(value), taker)
        return {"t": "seq", "base": base, "cls": class_name(type(value)), **found}

    return take


def _set(base: str, kind: Any) -> Take:
    def take(value: object, taker: Taker) -> Node:
        found = _items(kind.__iter__(value), kind.__len__(value), taker)
        return {"t": "set", "base": base, "cls": class_name(type(value)), **found}

    return take


def take_dict(value: dict[object, object], taker: Taker) -> Node:
    """A dict, or an instance of a subclass, by its real entries."""
    pairs = list(islice(_dict_items(value), _MAX_ITEMS))
    length = dict.__len__(value)
    cut = {"cut": length} if length > _MAX_ITEMS else {}
    items = [[taker.node(key), taker.node(item)] for key, item in pairs]
    return {"t": "map", "items": items, "cls": class_name(type(value)), **cut}


TAKES = {
    "builtins.list": _sequence("list", list),
    "builtins.tuple": _sequence("tuple", tuple),
    "builtins.range": _sequence("range", range),
    "collections.deque": _sequence("deque", deque),
    "builtins.set": _set("set", set),
    "builtins.frozenset": _set("frozenset", frozenset),
    "builtins.dict": take_dict,
    "builtins.dict_keys": _sequence("other", _KEYS),
    "builtins.dict_values": _sequence("other", _VALUES),
    "builtins.dict_items": _sequence("other", _ITEMS),
}
