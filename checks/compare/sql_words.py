"""The words of an SQL text, without its comments and quoted pieces.

Tokens as SQLite has them (https://www.sqlite.org/lang_keywords.html, tokenize.c): ``'text'`` with doubled
quotation marks, names in ``"…"``, ``[…]`` or backquotes, ``-- …`` and ``/* … */``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<skipped>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>'(?:[^']|'')*(?:'|\Z))
      | (?P<name>"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
      | (?P<word>[^\W\d]\w*)
      | (?P<symbol>\d[\w.]*|.)""",
    re.VERBOSE | re.DOTALL,
)
READING = ("SELECT", "WITH", "VALUES")
_WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})


class Token(NamedTuple):
    """A piece of the text: ``kind`` is text, name, word or symbol; words are in capitals."""

    kind: str
    text: str


def statements(text: str) -> list[list[Token]]:
    """The statements' tokens; empty ones are left out."""
    found: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "symbol" and match.group() == ";":
            found.append([])
        elif kind != "skipped":
            found[-1].append(Token(kind, match.group().upper() if kind == "word" else match.group()))
    return [each for each in found if each]


def first_word(statement: Sequence[Token]) -> str:
    """The word that a statement begins with; empty where it begins with none."""
    return statement[0].text if statement and statement[0].kind == "word" else ""


def writes(statement: Sequence[Token]) -> bool:
    """Whether a statement is none that only reads."""
    if first_word(statement) not in READING:
        return True
    return first_word(statement) == "WITH" and any(
        token.kind == "word" and token.text in _WRITING and not _is_call(statement, number)
        for number, token in enumerate(statement)
        if _depth(statement, number) == 0
    )


def uses(statement: Sequence[Token], phrase: str) -> bool:
    """Whether the words of ``phrase`` (``GROUP BY``) follow one another in the statement."""
    wanted = phrase.upper().split()
    texts = [token.text if token.kind == "word" else "" for token in statement]
    return any(texts[start : start + len(wanted)] == wanted for start in range(len(texts)))


def _is_call(statement: Sequence[Token], number: int) -> bool:
    return number + 1 < len(statement) and statement[number + 1].text == "("


def _depth(statement: Sequence[Token], number: int) -> int:
    before = [token.text for token in statement[:number] if token.kind == "symbol"]
    return before.count("(") - before.count(")")
