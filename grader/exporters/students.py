"""Whose row is it: a submission's student among those of a gradebook or worksheet.

A wrong row is a wrong grade. So a student is found only where one row is meant, and a number that came with a
name (``name_number``, as downloads spell it) says whether the name agrees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import msgspec

# By row, what identifies its student.
Column = Mapping[int, str]
_NAME_AND_NUMBER = re.compile(r"(?P<name>.+)_(?P<number>\d+)", re.DOTALL)
_BETWEEN = re.compile(r"[\s,._-]+")
# A shorter word of a name is found inside too many others.
LONG_ENOUGH = 3


class Match(msgspec.Struct, frozen=True):
    """The rows of a student (more than one for a team's), or the ``problem`` that there is none.

    ``doubt``, where not empty, says why a person should look at it.
    """

    rows: tuple[int, ...] = ()
    problem: str = ""
    doubt: str = ""


NOBODY = Match(problem="nobody of that name or number there; not exported")
ONE_OF_MANY = Match(problem="one of several notebooks that came from a student; not exported")
SEVERAL = Match(problem="more than one there could be meant; not exported")


class Students:
    """Finds rows by number, login or name."""

    def __init__(self, numbers: Column, logins: Sequence[Column], names: Sequence[Column]) -> None:
        """``numbers``: the system's own; ``logins``: equal as they stand; ``names``: by their letters."""
        self._numbers = _index(numbers, _exact)
        self._logins = [_index(column, _exact) for column in logins]
        self._names = [_index(column, letters) for column in names]
        self._spellings = names

    def whole(self, student: str) -> set[int]:
        """The rows that the name means as it stands: every one that has it anywhere."""
        found = set(self._numbers.get(_exact(student), ()))
        for index in self._logins:
            found |= set(index.get(_exact(student), ()))
        return found | self.named(student)

    def numbered(self, number: str) -> set[int]:
        """The rows with this number of the learning system's."""
        return set(self._numbers.get(_exact(number), ()))

    def named(self, name: str) -> set[int]:
        """The rows of this name, however it is punctuated."""
        wanted = letters(name)
        return {row for index in self._names for row in index.get(wanted, ())} if wanted else set()

    def agrees(self, row: int, name: str) -> bool:
        """Whether a row's name shares a word with the given one, or has no letters to contradict it."""
        given = letters(name)
        spellings = [column.get(row, "") for column in self._spellings]
        for spelled in spellings:
            words = [word for word in map(letters, _BETWEEN.split(spelled)) if len(word) >= LONG_ENOUGH]
            if any(word in given for word in words) or (letters(spelled) and letters(spelled) in given):
                return True
        return not any(map(letters, spellings))


def split(student: str) -> tuple[str, str] | None:
    """The name and the number of ``name_number``."""
    match = _NAME_AND_NUMBER.fullmatch(student)
    return None if match is None else (match["name"], match["number"])


def only(student: str, rows: set[int], doubt: str = "") -> Match:
    """The match of a set of candidates."""
    if not rows:
        return ONE_OF_MANY if "/" in student else NOBODY
    return SEVERAL if len(rows) > 1 else Match(tuple(rows), doubt=doubt)


class Claims:
    """Which student's grade went into which row: no row is written twice."""

    def __init__(self) -> None:
        self._by_row: dict[int, str] = {}

    def taken(self, rows: Sequence[int], student: str) -> str:
        """Who has one of the rows already; else empty, and the rows are this student's."""
        before = next((self._by_row[row] for row in rows if row in self._by_row), "")
        if not before:
            self._by_row |= dict.fromkeys(rows, student)
        return before


def _index(column: Column, spelled: Callable[[str], str]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for row, text in column.items():
        if key := spelled(text):
            index.setdefault(key, []).append(row)
    return index


def _exact(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def letters(text: str) -> str:
    """Letters with their marks, and digits, in lower case: how archives spell "Lovelace, Ada"."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LMN")
