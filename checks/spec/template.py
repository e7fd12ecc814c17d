"""Messages with fields: ``{seen}`` is replaced by an observed value, ``{{`` and ``}}`` stand for braces.

A field is a name and nothing more: no attributes, no indexes, no formats. What goes in is escaped for
Markdown, so that a student's text can neither become markup nor reach beyond its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_VALUE = 160
MAX_WORD = 30
MAX_LOOKED_AT = 20
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_COUNTED = re.compile(r"(\{(\w+)\} (?:row|word|epoch|statement|value|line|time|character))s\b")
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Finished(str):
    """A message that is Markdown already: it goes into another one as it is."""

    __slots__ = ()


def fields(text: str) -> tuple[list[str], list[str]]:
    """The names of the fields of a message, and what is wrong with its braces (empty where nothing is)."""
    names, wrong = [], []
    for piece in _PIECE.finditer(text):
        if piece.group() in ("{", "}"):
            wrong.append(
                f"a single {piece.group()!r} in {_around(text, piece.start())!r}: write it twice to mean it"
            )
        elif piece.group(1) is not None:
            if _NAME.match(piece.group(1)):
                names.append(piece.group(1))
            else:
                wrong.append(f"{piece.group()!r} is no field: a field is a plain lower-case name")
            if text[: piece.start()].count("`") % 2:
                wrong.append(
                    f"{piece.group()!r} stands inside a code span, where escaped text would show its escapes"
                )
    return names, wrong


def singular(text: str, values: Mapping[str, object]) -> str:
    """The message with its own nouns in the singular where they are counted by a field that is 1."""

    def noun(found: re.Match[str]) -> str:
        return found.group(1) if values.get(found.group(2)) == 1 else found.group()

    return _COUNTED.sub(noun, text)


def fill(text: str, values: Mapping[str, object]) -> str:
    """The message with its fields replaced by escaped values; a field without a value becomes an ellipsis."""

    def piece(found: re.Match[str]) -> str:
        if found.group(1) is None:
            return found.group()[0]
        value = values.get(found.group(1), "…")
        return str(value) if isinstance(value, Finished) else escape(str(value))

    return end_once(_PIECE.sub(piece, text))


def end_once(text: str) -> str:
    """The text without the full stop after a value that was cut: its ellipsis ends the sentence."""
    return text.replace("….", "…")


def escape(text: str, limit: int = MAX_VALUE) -> str:
    """One line of plain text that Markdown shows as it is, cut to ``limit`` characters."""
    # A text may be very long, and no more than its beginning is shown.
    start = text[: MAX_LOOKED_AT * limit]
    if not start.isprintable():
        start = "".join(character if character.isprintable() else " " for character in start)
    line = " ".join(start.split())
    whole = len(line) <= limit and len(start) == len(text)
    short = line if whole else _cut(line, limit - 1) + "…"
    marked = _SPECIAL.sub(lambda found: "\\" + found.group(), short)
    return marked.translate(_ENTITIES)


def _cut(line: str, limit: int) -> str:
    """At most ``limit`` characters, to the end of a word where one is near."""
    words = line[:limit].rpartition(" ")[0]
    return (words if len(words) > limit - MAX_WORD else line[:limit]).rstrip(" .…")


def _around(text: str, position: int) -> str:
    return text[max(0, position - 10) : position + 10]
