"""Whose row is it: a submission's student among those of a gradebook or worksheet.

A wrong row is a wrong grade. So a student is found only where one row is meant; name and number of
``name_number``, as downloads spell it, must agree, since other files end in a number too (``hw_12``); and a
row that is certainly somebody's is given to nobody on a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from grader.exporters import Grade

# By row, what identifies its student.
Column = Mapping[int, str]
_NAME_AND_NUMBER = re.compile(r"(?P<name>.+)_(?P<number>\d+)", re.DOTALL)
_BETWEEN = re.compile(r"[\s,._-]+")
# A shorter word of a name is found in too many others.
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
        self._numbers = _index(numbers, exact)
        self._exactly = [self._numbers, *(_index(column, exact) for column in (*logins, *names))]
        self._names = [_index(column, letters) for column in names]
        self._spellings = names

    def exact(self, student: str) -> set[int]:
        """The rows that have it as it stands, as number, login or name."""
        return {row for index in self._exactly for row in index.get(exact(student), ())}

    def numbered(self, number: str) -> set[int]:
        """The rows with this number of the learning system's."""
        return set(self._numbers.get(exact(number), ()))

    def named(self, name: str) -> set[int]:
        """The rows of this name, however it is punctuated."""
        wanted = letters(name)
        return {row for index in self._names for row in index.get(wanted, ())} if wanted else set()

    def name(self, row: int) -> str:
        """The row's name as it is spelled there."""
        return self._names_of(row)[0]

    def agrees(self, row: int, name: str) -> bool:
        """Whether the given name ends in the words of the row's, in any order; or neither has any."""
        given = words_of(name)
        spelled = [words for column in self._names_of(row) if (words := words_of(column))]
        if not spelled:
            return not given
        return any(sorted(given[-len(words) :]) == sorted(words) for words in spelled)

    def resembles(self, row: int, name: str) -> bool:
        """Whether the row's name shares a word with the given one, or is inside it if that is one word."""
        given = words_of(name)
        shared = {word for word in given if len(word) >= LONG_ENOUGH}
        for words in map(words_of, self._names_of(row)):
            if shared & set(words):
                return True
            if len(given) == 1 and words and all(word in given[0] for word in words):
                return len(max(words, key=len)) >= LONG_ENOUGH
        return False

    def by_number(self, student: str, name: str, number: str, called: str) -> Match | None:
        """Whose ``number`` it is (``called`` so there), if the name agrees; doubtfully, if it agrees in part.
        None where it is another name's."""
        rows = self.numbered(number)
        if not rows or any(self.agrees(row, name) for row in rows):
            return only(student, rows)
        if any(self.resembles(row, name) for row in rows):
            return only(student, rows, f"found by the {called} {number}, the name agrees in part")
        return None

    def _names_of(self, row: int) -> list[str]:
        return [column.get(row, "") for column in self._spellings]


def matched(grades: Sequence[Grade], find: Callable[[str], Match]) -> list[tuple[Grade, Match]]:
    """Each grade with its rows, first those without a doubt; a guess gets no row that somebody else has."""
    found = [(grade, find(grade.student)) for grade in grades]
    sure = {row: grade.student for grade, match in found if not match.doubt for row in match.rows}
    guesses = Counter(row for _, match in found if match.doubt for row in match.rows)
    certain = [pair for pair in found if not pair[1].doubt]
    doubtful = [(grade, _spared(match, sure, guesses)) for grade, match in found if match.doubt]
    return certain + doubtful


def _spared(match: Match, sure: Mapping[int, str], guesses: Mapping[int, int]) -> Match:
    owner = next((sure[row] for row in match.rows if row in sure), "")
    if owner:
        return Match(problem=f"{match.doubt}: that row is {owner}'s; not exported")
    if any(guesses[row] > 1 for row in match.rows):
        return Match(problem=f"{match.doubt}: others could be meant by that row too; not exported")
    return match


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


def exact(text: str) -> str:
    """As it stands, but for case, blanks around it and how its letters are composed."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def letters(text: str) -> str:
    """Letters with their marks, and digits, in lower case: how archives spell "Lovelace, Ada"."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LMN")


def words_of(name: str) -> list[str]:
    """The letters of each word of a name."""
    return [word for word in map(letters, _BETWEEN.split(name)) if word]
