"""Whose rows are it in a Moodle worksheet: a participant's by number and name, or all of a team's."""

from __future__ import annotations

from grader.exporters.students import (
    NOBODY,
    SEVERAL,
    Column,
    Match,
    Students,
    exact,
    letters,
    only,
    split,
    words_of,
)
from grader.exporters.tables import Table
from grader.exporters.worksheet import PARTICIPANT, Columns, participants

# What blind marking calls everybody, in folders too; the worksheet may be of another language than these.
WORDS = (
    "Participant", "Teilnehmer/in", "Participante", "Partecipante", "Deelnemer", "Uczestnik", "Deltagare",
    "Deltager", "Partaidea",
)  # fmt: skip


class Participants:
    """Finds the rows of a submission."""

    def __init__(self, table: Table, at: Columns) -> None:
        rows = participants(table)
        found = {n: PARTICIPANT.fullmatch(row[0].strip()) for n, row in rows.items()}
        words = [match["word"] for match in found.values() if match]
        self._words = {letters(word) for word in (*words, *WORDS)} - {""}

        def column(place: int) -> dict[int, str]:
            return {n: row[place] for n, row in rows.items()}

        self._has_names = at.name is not None
        self._team_known = at.team_known
        self._teams = [(table.header[place], _Teams(column(place))) for place in at.teams]
        self._fields: dict[str, list[tuple[int, str]]] = {}
        for place in at.fields:
            for row, text in column(place).items():
                self._fields.setdefault(exact(text), []).append((row, table.header[place]))
        numbers = {n: match["number"] for n, match in found.items() if match}
        names = [column(at.name)] if at.name is not None else []
        self._students = Students(numbers, [column(0), *map(column, at.logins)], names)

    def match(self, student: str) -> Match:
        """A student's row, or all rows of a team.

        The number of a folder is a participant's, for a team's submission it is the group's: only the name
        tells them apart.
        """
        found = self._match(student)
        return self._by_field(student) if found == NOBODY else found

    def _match(self, student: str) -> Match:
        alike, parts = self._students.exact(student), split(student)
        if "/" in student:
            return only(student, alike)
        if parts is None:
            return self._unnumbered(student, alike | self._students.named(student))
        name, digits = parts
        numbered, named = self._students.numbered(digits), self._students.named(name)
        if alike or numbered & named:
            return only(student, alike | (numbered & named))
        if team := self._team(name):
            return team
        if named:
            return Match(problem=f"that name is there, but not with the number {digits}; not exported")
        return self._by_number(student, name, digits)

    def _unnumbered(self, student: str, found: set[int]) -> Match:
        team = self._team(student)
        if team is None or not found:
            return team or only(student, found)
        return only(student, found) if set(team.rows) == found else SEVERAL

    def _by_number(self, student: str, name: str, digits: str) -> Match:
        numbered = self._students.numbered(digits)
        words = words_of(name)
        if any("".join(words[at:]) in self._words for at in range(len(words))):
            return only(student, numbered)
        if not self._has_names:
            return only(student, numbered, f"found by the number {digits} alone")
        other = Match(problem=f"participant {digits} has another name there; not exported")
        return self._students.by_number(student, name, digits, "number") or other

    def _by_field(self, student: str) -> Match:
        found = self._fields.get(exact(student), [])
        if len(found) != 1:
            return NOBODY
        ((row, header),) = found
        return Match((row,), doubt=f"found in the column {header!r} alone")

    def _team(self, name: str) -> Match | None:
        found = [(header, match) for header, teams in self._teams if (match := teams.match(name))]
        if len(found) != 1:
            return SEVERAL if found else None
        ((header, match),) = found
        if self._team_known or match.problem:
            return match
        return Match(match.rows, doubt=f"found in the column {header!r} alone")


class _Teams:
    """The rows of each group in a column: by its name as it stands, else by letters that are its alone."""

    def __init__(self, column: Column) -> None:
        self._exactly: dict[str, set[int]] = {}
        self._spellings: dict[str, set[str]] = {}
        for row, text in column.items():
            self._exactly.setdefault(_as_folders_do(text), set()).add(row)
            self._spellings.setdefault(letters(text), set()).add(_as_folders_do(text))

    def match(self, name: str) -> Match | None:
        """The group's rows; None where there is no such group."""
        if not letters(name):
            return None
        spellings = self._spellings.get(letters(name), set())
        wanted = {_as_folders_do(name)} & spellings or spellings
        if len(wanted) != 1:
            return SEVERAL if wanted else None
        return Match(tuple(sorted(self._exactly[next(iter(wanted))])))


def _as_folders_do(name: str) -> str:
    """In the names of folders there is no ``_`` but before the number."""
    return exact(name.replace("_", " "))
