"""The module that notebooks import as ``learntools``: parts whose ``check()`` records, and never judges.

:func:`install` builds it from the assignment's plan. It comes before everything on the import path, so that a
file of the student's own with the same name does not hide it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from .modules import ModulesFinder
from .parts import build_parts


def install(plan: Mapping[str, Any], take: Callable[[str], object]) -> None:
    """Make ``import`` find the assignment's module; a second call replaces what the first one installed.

    ``plan`` has ``module`` (such as ``learntools.course.exercise``; None: nothing is installed) and ``parts``
    (each with ``id`` (dots nest) and ``hints``). ``take(part_id)`` is called by the part's ``check()``.
    Raises ValueError when two parts have one id, or an id cannot be written as attributes.
    """
    _uninstall()
    if plan["module"] is None:
        return
    finder = ModulesFinder(plan["module"], build_parts(plan["parts"], take))
    sys.meta_path.insert(0, finder)
    finder.forget_loaded()


def _uninstall() -> None:
    for finder in [found for found in sys.meta_path if isinstance(found, ModulesFinder)]:
        sys.meta_path.remove(finder)
        finder.forget_loaded()


__all__ = ["install"]
