"""The macros that an author writes into a master notebook. Pure text in, text out.

Three families, spelled as comments so that the master itself runs:

- *line macros* stand alone on a line and act on the next one: ``#_RM_`` removes it, ``#_COMMENT_`` and
  ``#_UNCOMMENT_`` put or take its comment sign;
- *cell macros* are a cell's first lines: ``#%%RM%%`` removes the cell, ``#%%RM_BELOW%%`` the cell and all
  after it, ``#%%HIDE%%``, ``#%%HIDE_INPUT%%`` and ``#%%HIDE_OUTPUT%%`` fold it;
- *text macros* are replaced by text: ``#$TUTORIAL_URL(3)$``. The folding ones exist in this spelling too.

A line or cell macro with ``_IF(PROD)`` acts only where the condition holds. A macro that is not known, or is
known but misspelt, is a mistake: nothing of the author's side may reach a student as a comment.

The macros are those of Kaggle's learntools, so that its masters can be published here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Mode = Literal["student", "author", "reference"]
MODES: tuple[Mode, ...] = get_args(Mode)

CONDITIONS: dict[str, frozenset[Mode]] = {
    "PROD": frozenset({"student"}),
    "TESTING": frozenset({"author", "reference"}),
    "REFERENCE": frozenset({"reference"}),
}
FOLDS: dict[str, dict[str, object]] = {
    "HIDE": {"source_hidden": True, "outputs_hidden": True},
    "HIDE_INPUT": {"source_hidden": True},
    "HIDE_OUTPUT": {"outputs_hidden": True},
}
LINE_MACROS = ("RM", "COMMENT", "UNCOMMENT")
CELL_MACROS = ("RM", "RM_BELOW", *FOLDS)

# ``NAME`` is the macro without an argument, ``NAME(*)`` the one with any, ``NAME(3)`` the one with just this.
DEFAULT_TEXTS: dict[str, str] = {
    "TUTORIAL_URL": "#tutorial",
    "TUTORIAL_URL(*)": "#tutorial-{arg}",
    "EXERCISE_URL(*)": "#exercise-{arg}",
    "EXERCISE_FORKING_URL": "#exercise",
    "EXERCISE_FORKING_URL(*)": "#exercise-{arg}",
    "NEXT_NOTEBOOK_URL": "#next",
    "HEADER": "",
    "FOOTER": "",
    "EXERCISE_PREAMBLE": "These exercises go with the tutorial.",
    "YOURTURN": "# Your turn\n\nNow try the exercise.",
    "KEEP_GOING": "# Keep going\n\nGo on with the next lesson when you are ready.",
    "END_OF_EXERCISE": "---\nThis is the end of the exercise.",
    "END_OF_EMB_EXERCISE(*)": "---\nThis is the end of the exercise.",
}

_CALL = r"([A-Z][A-Z0-9_]*?)(?:\(([^()\n]*)\))?"
_LINE = re.compile(rf"\s*#_{_CALL}(_?)\s*")
_CELL = re.compile(rf"#%%{_CALL}(%%)?\s*")
_TEXT = re.compile(r"#\$([A-Z][A-Z0-9_]*)(?:\(([^()$\n]*)\))?(\$)?")
_COMMENTED = re.compile(r"(\s*)#(.*)", re.DOTALL)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a macro, and on which line of its cell (from 1)."""

    line: int
    what: str


@dataclass(frozen=True)
class Expansion:
    """A cell after its macros: the text that is left, and what becomes of the cell.

    ``removed`` and ``ends`` (the cell and all below it go) hold only where ``mistakes`` is empty.
    """

    text: str
    fold: dict[str, object] = field(default_factory=dict)
    removed: bool = False
    ends: bool = False
    mistakes: tuple[Mistake, ...] = ()


def expand(source: str, mode: Mode, texts: Mapping[str, str]) -> Expansion:
    """Apply every macro of one cell's ``source`` for ``mode``; ``texts`` is spelled as ``DEFAULT_TEXTS``."""
    return _Cell(mode, texts).expand(source.split("\n"))


class _Problem(Exception):  # noqa: N818 - never leaves this module
    pass


class _Cell:
    """One cell being expanded: collects the mistakes, so that an author sees all of them at once."""

    def __init__(self, mode: Mode, texts: Mapping[str, str]) -> None:
        self.mode = mode
        self.texts = texts
        self.fold: dict[str, object] = {}
        self.cell_macros: set[str] = set()
        self.mistakes: list[Mistake] = []

    def expand(self, lines: list[str]) -> Expansion:
        start = self._head(lines)
        if self.cell_macros & {"RM", "RM_BELOW"} and not self.mistakes:
            return Expansion("", removed=True, ends="RM_BELOW" in self.cell_macros)
        kept = self._body(lines, start)
        for name in self.cell_macros & set(FOLDS):
            self.fold |= FOLDS[name]
        return Expansion("\n".join(kept), fold=self.fold, mistakes=tuple(self.mistakes))

    def _head(self, lines: list[str]) -> int:
        """Read the cell macros on top; returns the number of the first line that is none."""
        for number, line in enumerate(lines):
            match = _CELL.fullmatch(line)
            if not match:
                return number
            try:
                name = self._named(match, CELL_MACROS, closing="%%")
            except _Problem as problem:
                self._mistake(number, problem)
                continue
            if name:
                self.cell_macros.add(name)
        return len(lines)

    def _body(self, lines: list[str], start: int) -> list[str]:
        kept: list[str] = []
        macro: str | None = None
        waiting = False
        for number in range(start, len(lines)):
            line = lines[number]
            try:
                match = _line_macro(line, waiting)
                if match:
                    macro, waiting = self._named(match, LINE_MACROS, closing="_"), True
                    continue
                kept += _changed(self._texts(line), macro)
            except _Problem as problem:
                self._mistake(number, problem)
            macro, waiting = None, False
        if waiting:
            self._mistake(len(lines) - 1, _Problem("the macro has no line below it to act on"))
        return kept

    def _named(self, match: re.Match[str], known: tuple[str, ...], closing: str) -> str | None:
        """The macro's name without its condition; None where the condition does not hold."""
        name, argument, closed = match.groups()
        spelling = match.group().strip()
        plain = name.removesuffix("_IF")
        if plain not in known:
            raise _Problem(
                f"unknown macro `{spelling}`; known here: {', '.join(known)}, each also with _IF(…)"
            )
        if not closed:
            raise _Problem(f"`{spelling}` does not end in `{closing}`")
        if name == plain and argument is None:
            return plain
        if name == plain or argument not in CONDITIONS:
            raise _Problem(
                f"`{spelling}`: a condition is written {plain}_IF(…) with one of {', '.join(CONDITIONS)}"
            )
        return plain if self.mode in CONDITIONS[argument] else None

    def _texts(self, line: str) -> str:
        return _TEXT.sub(self._text, line)

    def _text(self, match: re.Match[str]) -> str:
        name, argument, closed = match.groups()
        if not closed:
            if name in FOLDS or _names(self.texts, name):
                raise _Problem(f"`{match.group()}` does not end in `$`")
            return match.group()
        if name in FOLDS and argument is None:
            self.fold |= FOLDS[name]
            return ""
        return _text_for(self.texts, name, argument, match.group())

    def _mistake(self, index: int, problem: _Problem) -> None:
        self.mistakes.append(Mistake(index + 1, str(problem)))


def _line_macro(line: str, waiting: bool) -> re.Match[str] | None:
    """The line macro that the line is, if it is one; raises where it stands in the wrong place."""
    if _CELL.fullmatch(line):
        raise _Problem(f"`{line.strip()}` acts on a whole cell and has to be its first line")
    match = _LINE.fullmatch(line)
    if match and waiting:
        raise _Problem(f"`{line.strip()}` stands where the macro above it expects a line to act on")
    return match


def _changed(line: str, macro: str | None) -> list[str]:
    """The line as the macro above it leaves it: one line, or none."""
    match macro:
        case "RM":
            return []
        case "COMMENT":
            indent = line[: len(line) - len(line.lstrip())]
            return [f"{indent}#{line[len(indent) :]}"]
        case "UNCOMMENT":
            commented = _COMMENTED.fullmatch(line)
            if not commented:
                raise _Problem(f"UNCOMMENT above a line that is no comment: `{line.strip()}`")
            return [commented[1] + commented[2]]
        case _:
            return [line]


def _text_for(texts: Mapping[str, str], name: str, argument: str | None, spelling: str) -> str:
    exact = name if argument is None else f"{name}({argument})"
    general = f"{name}(*)"
    if exact in texts:
        return texts[exact]
    if argument is not None and general in texts:
        return texts[general].replace("{arg}", argument)
    if _names(texts, name):
        raise _Problem(f"`{spelling}`: the macro is known as {', '.join(_names(texts, name))}")
    known = sorted({key.partition("(")[0] for key in texts} | set(FOLDS))
    raise _Problem(f"unknown macro `{spelling}`; known: {', '.join(known)}")


def _names(texts: Mapping[str, str], name: str) -> list[str]:
    """The table's spellings of a macro."""
    return sorted(key for key in texts if key.partition("(")[0] == name)
