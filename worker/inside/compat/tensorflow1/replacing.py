"""Replacing a function in place, so that whoever inspects it sees the original's name and signature."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

_MARK = "_tensorflow1_replacement"


def replace(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put ``make(original)`` in the place of ``owner``'s own attribute ``name``, unless that was done before.

    ``__signature__`` is set because Keras reads signatures without following ``__wrapped__``.
    """
    original = vars(owner)[name]
    if hasattr(original, _MARK):
        return
    replacement: Any = functools.wraps(original)(make(original))
    replacement.__signature__ = inspect.signature(original)
    setattr(replacement, _MARK, True)
    setattr(owner, name, replacement)
