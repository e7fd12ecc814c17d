"""Bulk downloads of learning systems: whose file is it, told from the names inside the archive.

Each system is one module, found by its name, with ``SYSTEM`` (its name for people) and
``sender(path) -> Sender | None``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import PurePosixPath

import msgspec


class Sender(msgspec.Struct, frozen=True):
    """Who handed a file in. ``student`` holds the system's own number, so that grades find their way back.

    ``file`` is the name that the student gave it.
    """

    student: str
    file: str
    late: bool = False


class System(msgspec.Struct, frozen=True):
    """A learning system's way to name what it packs."""

    name: str
    sender: Callable[[PurePosixPath], Sender | None]


@cache
def systems() -> tuple[System, ...]:
    """Every system that is known, in alphabetical order of its module."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    return tuple(System(module.SYSTEM, module.sender) for module in modules)


def recognised(paths: Sequence[PurePosixPath]) -> System | None:
    """The system that packed these files: the one that names most of them, at least every second one.

    None for an archive of somebody's own. A single odd name must not cost the others their students.
    """
    if not paths:
        return None
    counts = [(sum(system.sender(path) is not None for path in paths), system) for system in systems()]
    most, system = max(counts, key=lambda each: each[0])
    return system if 2 * most >= len(paths) and most else None
