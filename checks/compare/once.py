"""A cache by identity: what follows from immutable objects is computed once, without looking inside them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

Given = TypeVarTuple("Given")
Made = TypeVar("Made")


def once_each(function: Callable[[*Given], Made], keep: int = 16) -> Callable[[*Given], Made]:
    """``function`` (of positional arguments alone), remembering what it made of the last ``keep`` objects."""
    # What is kept holds its arguments, so that no other object can have come to their addresses.
    # Threads may use it at once: each step on it is one call, and none fails for what another has changed.
    kept: OrderedDict[tuple[int, ...], tuple[object, Made]] = OrderedDict()

    @wraps(function)
    def of_these(*given: *Given) -> Made:
        key = tuple(map(id, given))
        found = kept.get(key)
        if found is None:
            found = given, function(*given)
        kept.pop(key, None)  # the last that was asked for comes last
        kept[key] = found
        if len(kept) > keep:
            kept.popitem(last=False)
        return found[1]

    return of_these
