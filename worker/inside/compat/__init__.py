"""Compatibility shims: code that was written for an old release of a package runs under the installed one.

A shim is a file (or a folder) in this folder, found by its name. It holds ``MODULES``, a map from a module's
name to the function that patches the module in place. Nothing is imported for a shim's sake: a module that is
there already is patched at once, any other one right after its own import. Without :func:`apply` the packages
stay as they are.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Patch = Callable[[ModuleType], None]


class UnknownShimError(LookupError):
    """No file of this folder has the name."""


@cache
def available() -> tuple[str, ...]:
    """The names of all shims, in alphabetical order."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__)))


def load_all() -> None:
    """Import every shim, patching nothing: a sealed kernel cannot read this folder any more."""
    for name in available():
        importlib.import_module(f"{__name__}.{name}")


def apply(names: Sequence[str]) -> None:
    """Apply the shims; a second time changes nothing.

    Raises UnknownShimError, before anything is patched, when a name is not that of a shim.
    """
    known = available()
    for name in names:
        if name not in known:
            raise UnknownShimError(f"no compatibility shim {name!r}; there are: {', '.join(known)}")
    for name in names:
        shim = importlib.import_module(f"{__name__}.{name}")
        for target, patch in shim.MODULES.items():
            _finder.patch_when_imported(target, patch)


class PatchingFinder(MetaPathFinder):
    """Finds a module as the finders behind it do, and has it patched once its own code has run.

    The module's loader and spec are those of the finder that really found it.
    """

    def __init__(self) -> None:
        self._patches: dict[str, list[Patch]] = {}
        self._patched: dict[tuple[str, Patch], ModuleType] = {}

    def patch_when_imported(self, name: str, patch: Patch) -> None:
        """Call ``patch`` with the module ``name``: now if it is imported, otherwise after its import."""
        patches = self._patches.setdefault(name, [])
        if patch not in patches:
            patches.append(patch)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        module = sys.modules.get(name)
        if module is not None:
            self.patch(name, module)

    def patch(self, name: str, module: ModuleType, *, executed: bool = False) -> None:
        """Apply the patches of ``name`` that this module has not had since its code was last ``executed``."""
        for patch in self._patches[name]:
            if executed or self._patched.get((name, patch)) is not module:
                patch(module)
                self._patched[name, patch] = module

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, its loader wrapped until the module's code runs."""
        if fullname not in self._patches:
            return None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _PatchingLoader(self, spec.loader)
                return spec
        return None


class _PatchingLoader(Loader):
    """Stands in for a module's loader from its finding to its execution."""

    def __init__(self, finder: PatchingFinder, loader: Any) -> None:
        self._finder = finder
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec is not None
        spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._finder.patch(spec.name, sys.modules.get(spec.name, module), executed=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


_finder = PatchingFinder()

__all__ = ["Patch", "PatchingFinder", "UnknownShimError", "apply", "available"]
