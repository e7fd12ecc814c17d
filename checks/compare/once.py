"""A cache by identity: what follows from one immutable object is computed once, without looking inside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Generic, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


class _Same(Generic[Given]):
    """Equal only to another holder of the very same object, whose address stays taken while it is held."""

    __slots__ = ("held",)

    def __init__(self, held: Given) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def once_each(function: Callable[[Given], Made], keep: int = 32) -> Callable[[Given], Made]:
    """``function``, remembering what it made of the last ``keep`` objects."""
    remembered = lru_cache(maxsize=keep)(lambda same: function(same.held))

    @wraps(function)
    def of_one(given: Given) -> Made:
        return remembered(_Same(given))

    return of_one
