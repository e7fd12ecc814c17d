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
_SORTS_OF_JOIN = frozenset({"LEFT", "RIGHT", "FULL", "CROSS", "INNER", "NATURAL"})
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
    if first_word(statement) != "WITH":
        return False
    depth = 0
    for number, token in enumerate(statement):
        if token.kind == "symbol":
            depth += (token.text == "(") - (token.text == ")")
        elif (
            depth == 0 and token.text in _WRITING and token.kind == "word" and not _is_call(statement, number)
        ):
            return True
    return False


def uses(statement: Sequence[Token], phrase: str) -> bool:
    """Whether the words of ``phrase`` (``GROUP BY``) follow one another in the statement; joins may be
    written in full or in short."""
    wanted, texts = (
        phrase.upper().split(),
        [token.text if token.kind == "word" else "" for token in statement],
    )
    if _follows(texts, wanted):
        return True
    if wanted[-1:] == ["OUTER"]:
        wanted.append("JOIN")
    if wanted == ["OUTER", "JOIN"]:
        return any(uses(statement, f"{word} JOIN") for word in ("LEFT", "RIGHT", "FULL"))
    return _follows(_full_joins(texts), _full_joins(wanted))


def _follows(texts: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(texts[start : start + len(wanted)] == wanted for start in range(len(texts)))


def _full_joins(words: Sequence[str]) -> list[str]:
    """``LEFT OUTER JOIN`` as ``LEFT JOIN``, and a ``JOIN`` of no other sort as ``INNER JOIN``."""
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "OUTER" and words[at + 1 : at + 2] == ["JOIN"]:
            continue
        if word == "JOIN" and (not found or found[-1] not in _SORTS_OF_JOIN):
            found.append("INNER")
        found.append(word)
    return found


def folded_name(name: str) -> str:
    """A column's name without case and without blanks beside signs: ``count( * )`` is ``COUNT(*)``."""
    return re.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(name.split())).casefold()


def _is_call(statement: Sequence[Token], number: int) -> bool:
    return number + 1 < len(statement) and statement[number + 1].text == "("
