"""A spec under repair: mistakes are taken out one by one, so that the ones behind them come to light."""

from __future__ import annotations

import copy
from typing import Any

from checks.spec.reading import Document, Path

# What stands in for a missing text, so that one missing key does not hide everything beside it.
_STAND_INS = ("id", "title", "environment", "message")


class Draft:
    """The document's data with mistakes removed;
    paths are always those of the file, whatever was removed before.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._kept: dict[Path, list[int]] = {}
        self._stand_ins = 0
        self._removed: set[Path] = set()
        self.data: Any = copy.deepcopy(document.data)

    def path(self, steps: tuple[str | int, ...]) -> Path:
        """The file's path of ``steps`` into the data:
        without the names of union members and shorthands' keys.
        """
        path: Path = ()
        for step in steps:
            real = self._kept[path][step] if isinstance(step, int) and path in self._kept else step
            if (*path, real) in self._document.values:
                path = (*path, real)
        return path

    def repair(self, path: Path, missing: str = "") -> bool:
        """Put a stand-in for the ``missing`` key at ``path``, else take out what is there;
        False where nothing is.
        """
        holder = self._at(path)
        if missing in _STAND_INS and isinstance(holder, dict):
            self._stand_ins += 1
            holder[missing] = f"missing_{self._stand_ins}"
            return True
        removed = self._remove(path)
        if removed:
            self._removed.add(path)
        return removed

    def lost(self, path: Path, key: str = "") -> bool:
        """Whether the ``key`` at ``path`` (any, where none is named) was taken out."""
        if key:
            return (*path, key) in self._removed
        return any(each[:-1] == path for each in self._removed)

    def _remove(self, path: Path) -> bool:
        holder, step = (self._at(path[:-1]), path[-1]) if path else (None, "")
        if isinstance(holder, dict) and step in holder:
            del holder[step]
            return True
        if isinstance(holder, list):
            kept = self._kept.setdefault(path[:-1], list(range(len(holder))))
            if step in kept:
                del holder[kept.index(int(step))]
                kept.remove(int(step))
                return True
        return False

    def _at(self, path: Path) -> Any:
        """What the data hold at a path of the file; None where it is gone."""
        found: Any = self.data
        here: Path = ()
        for step in path:
            kept = self._kept.get(here)
            if isinstance(found, list):
                at = kept.index(int(step)) if kept and step in kept else None if kept else step
                found = found[int(at)] if at is not None and int(at) < len(found) else None
            elif isinstance(found, dict):
                found = found.get(step)
            else:
                return None
            here = (*here, step)
        return found
