"""A cache by identity: what follows from immutable objects is computed once, without looking inside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Generic, ParamSpec, TypeVar, cast

Held = TypeVar("Held")
Given = ParamSpec("Given")
Made = TypeVar("Made")


class _Same(Generic[Held]):
    """Equal only to another holder of the very same object, whose address stays taken while it is held."""

    __slots__ = ("held",)

    def __init__(self, held: Held) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def once_each(function: Callable[Given, Made], keep: int = 16) -> Callable[Given, Made]:
    """``function`` (of positional arguments alone), remembering what it made of the last ``keep`` objects."""

    @lru_cache(maxsize=keep)
    def remembered(*same: _Same[Any]) -> Made:
        return cast("Callable[..., Made]", function)(*(each.held for each in same))

    @wraps(function)
    def of_these(*given: Given.args, **_none: Given.kwargs) -> Made:
        return remembered(*map(_Same, given))

    return of_these
