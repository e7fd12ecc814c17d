"""What a part can ask for beside variables: the figure that was drawn last, files that the notebook wrote.

The inline backend closes figures when a cell ends and when ``plt.show()`` is called, so each figure is noted
when pyplot makes it or makes it the current one.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from .values.files import WrittenFile, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

FIGURE, FILE = "figure", "file:"


class Products:
    """``wanted`` says, for each part, under which names it asks for ``figure`` or ``file:<path>``."""

    def __init__(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        self._wanted = {part: dict(names) for part, names in wanted.items() if names}
        self._drawing_parts = [part for part, names in self._wanted.items() if FIGURE in names.values()]
        self._folder = os.getcwd()  # noqa: PTH109 - the notebook may go elsewhere later, or patch pathlib
        self._run = 0
        self._figure: Any = None
        self._drawn_in = 0
        self._claim: tuple[str, int] | None = None
        self._stamps: dict[tuple[str, str], tuple[int, ...]] = {}

    def install(self) -> None:
        """Begin to note figures, where a part asks for one and the environment can draw."""
        pyplots = sys.modules.get("matplotlib._pylab_helpers")
        if self._drawing_parts and pyplots is not None:
            _tell_of_figures(pyplots.Gcf, self._note)

    def begin(self, run: int) -> None:
        """The ``run``-th cell begins."""
        self._run = run

    def _note(self, manager: Any) -> None:
        figure = manager.canvas.figure
        if figure is not self._figure or self._drawn_in != self._run:
            self._figure, self._drawn_in, self._claim = figure, self._run, None

    def of(self, part: str) -> dict[str, object]:
        """What there is of what ``part`` asks for, by name."""
        found: dict[str, object] = {}
        for name, source in self._wanted.get(part, {}).items():
            product = self._figure_for(part) if source == FIGURE else self._file(source)
            if product is not None:
                found[name] = product
        return found

    def names(self, part: str) -> frozenset[str]:
        """The names of ``part`` that are no variables."""
        return frozenset(self._wanted.get(part, ()))

    def _figure_for(self, part: str) -> object | None:
        """The figure drawn last; in later cells it belongs to the part that asked for it first."""
        if self._figure is None:
            return None
        if self._claim is None:
            self._claim = (part, self._run)
        return self._figure if part == self._claim[0] or self._run == self._claim[1] else None

    def _file(self, source: str) -> WrittenFile | None:
        return read_file(self._folder, source.removeprefix(FILE))

    def renewed(self) -> set[str]:
        """The parts that something new is there for since the last cell: a file, or a figure where one part
        alone asks for figures (of several, only their checks can tell whose it is)."""
        parts = set()
        for part, names in self._wanted.items():
            for source in names.values():
                if source.startswith(FILE) and self._is_rewritten(part, source):
                    parts.add(part)
        if len(self._drawing_parts) == 1 and self._figure is not None and self._drawn_in == self._run:
            parts.update(self._drawing_parts)
        return parts

    def _is_rewritten(self, part: str, source: str) -> bool:
        try:
            found = os.stat(f"{self._folder}/{source.removeprefix(FILE)}", follow_symlinks=False)  # noqa: PTH116
        except (OSError, ValueError):
            return False
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        before = self._stamps.get((part, source))
        self._stamps[part, source] = stamp
        return stamp != before


def _tell_of_figures(pyplots: Any, note: Any) -> None:
    """Have pyplot's list of figures tell ``note`` of every manager that becomes the current one."""

    class Told(OrderedDict[object, object]):
        """The list of figures as pyplot wants it."""

        def __setitem__(self, number: object, manager: object) -> None:
            super().__setitem__(number, manager)
            note(manager)

    pyplots.figs = Told(pyplots.figs)
