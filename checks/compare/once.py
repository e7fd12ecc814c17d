"""A cache by identity: what follows from immutable objects is computed once, without looking inside them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")


def once_each(function: Callable[Given, Made], keep: int = 16) -> Callable[Given, Made]:
    """``function`` (of positional arguments alone), remembering what it made of the last ``keep`` objects."""
    # What is kept holds its arguments, so that no other object can have come to their addresses.
    kept: OrderedDict[tuple[int, ...], tuple[object, Made]] = OrderedDict()
    changing = Lock()

    @wraps(function)
    def of_these(*given: Given.args, **none: Given.kwargs) -> Made:
        if none:
            raise TypeError("positional arguments alone")
        key = tuple(map(id, given))
        with changing:
            if key in kept:
                kept.move_to_end(key)
                return kept[key][1]
        made = function(*given, **none)
        with changing:
            kept[key] = given, made
            if len(kept) > keep:
                kept.popitem(last=False)
        return made

    return of_these
