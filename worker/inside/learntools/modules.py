"""The modules around the parts, and the finder through which ``import`` gets them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .parts import Part

CORE = "learntools.core"


class Binder:
    """``binder.bind(globals())``: notebooks call it first. The parts need no binding, so nothing happens."""

    def bind(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing."""


class ModulesFinder(MetaPathFinder, Loader):
    """Finds the assignment's module, the packages above it, and ``learntools.core``; nothing comes before it.

    Any other module below these packages is an ImportError that says which module the assignment has.
    """

    def __init__(self, module: str, parts: Mapping[str, Part]) -> None:
        self._module = module
        self._contents: dict[str, dict[str, Any]] = {CORE: {"binder": Binder()}, module: dict(parts)}
        self._roots = {CORE.partition(".")[0], module.partition(".")[0]}
        self._packages = {name for leaf in self._contents for name in _above(leaf)}

    def forget_loaded(self) -> None:
        """Remove what was imported under these names before."""
        for name in list(sys.modules):
            if name.partition(".")[0] in self._roots:
                del sys.modules[name]

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ours; None for others' modules."""
        if fullname.partition(".")[0] not in self._roots:
            return None
        if fullname not in self._contents and fullname not in self._packages:
            raise ImportError(
                f"there is no module {fullname!r}: this assignment's is {self._module!r}", name=fullname
            )
        return ModuleSpec(fullname, self, is_package=fullname in self._packages)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The interpreter's own kind of module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module: what it holds, and what ``from … import *`` gives."""
        name = module.__name__
        contents = self._contents.get(name, {})
        vars(module).update(contents)
        vars(module)["__all__"] = sorted([*contents, *self._directly_below(name)])
        if name == self._module:
            vars(module)["__getattr__"] = self._missing

    def _directly_below(self, package: str) -> set[str]:
        inside = [
            name.removeprefix(f"{package}.") for name in self._contents if name.startswith(f"{package}.")
        ]
        return {name.partition(".")[0] for name in inside}

    def _missing(self, name: str) -> Any:
        parts = ", ".join(self._contents[self._module])
        raise AttributeError(f"the module {self._module!r} has no {name!r}; its parts are {parts}", name=name)


def _above(name: str) -> list[str]:
    """``a.b.c``: ``a`` and ``a.b``."""
    path = name.split(".")
    return [".".join(path[:depth]) for depth in range(1, len(path))]
