"""Lists, tuples, ranges, deques, sets, mappings and their views: walked through the base class's own methods."""

from collections import deque
from itertools import islice

from . import class_name

_MAX_ITEMS = 100_000
_dict_items = dict.items
_KEYS, _VALUES, _ITEMS = type({}.keys()), type({}.values()), type({}.items())


def _items(iterate, length, taker):
    items = [taker.node(item) for item in islice(iterate, _MAX_ITEMS)]
    return {"items": items, **({"cut": length} if length > _MAX_ITEMS else {})}


def _sequence(base, kind):
    def take(value, taker):
        found = _items(kind.__iter__(value), kind.__len__(value), taker)
        return {"t": "seq", "base": base, "cls": class_name(type(value)), **found}

    return take


def _set(base, kind):
    def take(value, taker):
        found = _items(kind.__iter__(value), kind.__len__(value), taker)
        return {"t": "set", "base": base, "cls": class_name(type(value)), **found}

    return take


def take_dict(value, taker):
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
