"""Where a Moodle worksheet has what: by its headers' words, for other languages by the order and the cells.

The order is participant, name, what else identifies a student, status, group, marker, grade, its maximum (or
scale), whether it can be changed, times and texts of the submission, the time of the grade, comments.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import msgspec

from grader.exporters import ExportError
from grader.exporters.tables import Table, decimal

# Headers in the languages that were looked up; for all others the order of columns tells.
GRADE = (
    "Grade", "Bewertung", "Note", "Calificación", "Valutazione", "Cijfer", "Ocena", "Nota", "Betyg",
    "Karakter",
)  # fmt: skip
MAXIMUM = (
    "Maximum grade", "Bestwertung", "Note maximale", "Calificación máxima", "Valutazione massima",
    "Maximale cijfer", "Maksymalna ocena", "Nota máxima", "Maximalt betyg",
)  # fmt: skip
SCALE = ("Scale", "Skala", "Bewertungsskala", "Barème", "Escala", "Scala", "Schaal")
CHANGEABLE = (
    "Grade can be changed", "Bewertung kann geändert werden", "La note peut être modifiée",
    "La calificación puede ser cambiada", "A nota pode ser alterada.", "A nota pode ser alterada",
)  # fmt: skip
LOGIN = (
    "Email address", "Username", "ID number", "E-Mail-Adresse", "E-Mail", "Anmeldename", "ID-Nummer",
    "Adresse de courriel", "Nom d'utilisateur", "Numéro d'identification", "Dirección de correo",
    "Nombre de usuario", "Número de ID", "Indirizzo email",
)  # fmt: skip
STATUS = ("Status", "Statut", "Estado", "Estatus", "Stato")
TEAM = ("Group", "Gruppe", "Groupe", "Grupo", "Gruppo", "Groep", "Grupa", "Grupp")
MARKER = (
    "Marker", "Bewerter/in", "Évaluateur", "Bedömare", "Avaliador", "Valutatore", "Evaluador", "Beoordelaar",
)  # fmt: skip
COMMENTS = (
    "Feedback comments", "Feedback als Kommentar", "Feedback par commentaires", "Commentaires",
    "Comentarios de retroalimentación", "Commenti", "Feedback", "Comentários de feedback",
    "Återkopplingskommentarer",
)  # fmt: skip
# The languages of GRADE whose word for the comments was not looked up.
COMMENTS_UNKNOWN = frozenset({"Ocena", "Karakter"})
YES = frozenset({
    "yes", "ja", "oui", "sí", "si", "sì", "tak", "sim", "já", "ano", "áno", "kyllä", "igen", "da", "да",
    "evet", "taip", "jah",
})  # fmt: skip
NO = frozenset({
    "no", "nein", "non", "nee", "nie", "não", "nej", "nei", "ne", "ei", "nem", "nu", "не", "нет", "ні",
    "hayır",
})  # fmt: skip
PARTICIPANT = re.compile(r"(?P<word>\D*)(?P<number>\d+)")
TIME = re.compile(r"(?=.*\d{4})(?=.*\d{1,2}[:.]\d\d).*", re.DOTALL)
NEVER = "-"

Rows = Sequence[Sequence[str]]


class Columns(msgspec.Struct, frozen=True):
    """Where a worksheet has what, by place in its header (None: it has none), and how it spells decimals.

    ``logins`` are one student's alone, ``fields`` (department, town) may be.
    ``teams``: the groups' column; where only the order of columns tells (not ``team_known``), what may be it.
    """

    name: int | None
    logins: tuple[int, ...]
    fields: tuple[int, ...]
    teams: tuple[int, ...]
    team_known: bool
    grade: int
    maximum: int | None
    scale: int | None
    decimal_mark: str
    changeable: int | None
    modified: int | None
    comments: int | None


def participants(table: Table) -> dict[int, list[str]]:
    """The rows of students, by their place: spreadsheets leave others, of separators alone, at the end."""
    return {n: row for n, row in table.students().items() if PARTICIPANT.fullmatch(row[0].strip())}


def columns(table: Table, wanted: str | None) -> Columns:
    """Where this one has what; ``wanted`` is the header of its grades. Raises ExportError."""
    header, students = table.header, list(participants(table).values())
    if not students:
        raise ExportError(
            "the template is no Moodle worksheet: its first column holds no participant numbers"
        )
    grade = _grade(header, students, wanted)
    beside = [row[grade + 1] for row in students] if grade + 1 < len(header) else []
    maximum = grade + 1 if _is_maximum(header, students, grade + 1) else None
    scale = grade + 1 if maximum is None and _is_scale(header, students, grade + 1) else None
    if scale is not None and not any(decimal(option) for option in options(beside[0])):
        words = ", ".join(options(beside[0]))
        raise ExportError(
            f"Moodle grades this assignment by a scale ({words}), and points are no grades there: "
            "please set its grade to points in Moodle and download the worksheet again"
        )
    rest = range(grade + 2, len(header))
    changeable = _named(header, CHANGEABLE, rest)
    if changeable is None:
        changeable = next((n for n in rest if _all_of(students, n, YES | NO)), None)
    modified = next((n for n in reversed(rest) if _is_time(students, n)), None)
    mark = "," if maximum is not None and any("," in cell for cell in beside) else "."
    status = _named(header, STATUS, range(1, grade))
    between = range(2, grade if status is None else status)
    logins = tuple(n for n in between if header[n] in LOGIN or _all_addresses(students, n))
    teams, team_known = _teams(header, status, grade)
    return Columns(
        # With blind marking there is nothing but the status.
        1 if grade > 2 and status != 1 else None,
        logins,
        () if status is None else tuple(n for n in between if n not in logins),
        tuple(n for n in teams if n not in logins),
        team_known,
        grade,
        maximum,
        scale,
        mark,
        changeable,
        modified,
        _comments(header, grade, modified),
    )


def _teams(header: Sequence[str], status: int | None, grade: int) -> tuple[tuple[int, ...], bool]:
    """Where groups are or may be, and whether that is certain."""
    if status is None:
        return tuple(range(2, grade)), False
    behind = range(status + 1, grade)
    named = _named(header, TEAM, behind)
    if named is not None:
        return (named,), True
    return tuple(n for n in behind[:1] if header[n] not in MARKER), False


def _all_addresses(students: Rows, at: int) -> bool:
    given = [row[at] for row in students if row[at].strip()]
    return bool(given) and all("@" in cell for cell in given)


def _grade(header: Sequence[str], students: Rows, wanted: str | None) -> int:
    """The grades' column: the last of such a name, as Moodle takes it; before it, the last with a maximum."""
    named = [n for n, name in enumerate(header) if name in GRADE and n]
    scaled = [n for n in named if _is_maximum(header, students, n + 1) or _is_scale(header, students, n + 1)]
    found = next(reversed(scaled or named), None)
    if wanted is not None:
        return _wanted(header, students, wanted, found if scaled else None)
    if found is None:
        found = _before_the_maximum(header, students)
    if found is None:
        raise ExportError(f"no column of grades was found; please name one of {', '.join(map(repr, header))}")
    return found


def _wanted(header: Sequence[str], students: Rows, wanted: str, known: int | None) -> int:
    places = [n for n, name in enumerate(header) if name == wanted]
    if not places:
        raise ExportError(f"no column of grades was found; please name one of {', '.join(map(repr, header))}")
    if known is not None and known not in places:
        raise ExportError(f"{wanted!r} is no column of grades: the worksheet has them in {header[known]!r}")
    at = places[-1] if known is None else known
    others = (*STATUS, *TEAM, *MARKER, *MAXIMUM, *SCALE, *CHANGEABLE, *COMMENTS)
    status = _named(header, STATUS, range(1, len(header)))
    identifies = at < 2 or (status is not None and at <= status)
    if identifies or wanted in others or not _all_grades(students, at):
        raise ExportError(f"{wanted!r} is no column of grades: please name the one that Moodle reads")
    return at


def _all_grades(students: Rows, at: int) -> bool:
    given = [row[at].strip() for row in students if row[at].strip()]
    return all(re.fullmatch(r"[\d.,]+", cell) for cell in given)


def _comments(header: Sequence[str], grade: int, modified: int | None) -> int | None:
    """Known by name; in other languages what follows the time of the last grade. There may be none at all."""
    named = _named(header, COMMENTS, range(grade + 1, len(header)))
    if named is not None or modified is None:
        return named
    looked_up = header[grade] in GRADE and header[grade] not in COMMENTS_UNKNOWN
    return None if looked_up or modified + 1 == len(header) else modified + 1


def _named(header: Sequence[str], names: Sequence[str], places: range) -> int | None:
    return next((n for n in reversed(places) if header[n] in names), None)


def _before_the_maximum(header: Sequence[str], students: Rows) -> int | None:
    """The grades' column in a language nobody looked up; raises ExportError where several could be it.

    Beside it is one number for all, none above it; or one scale for all, with nothing but its words.
    """
    found = [at for at in range(1, len(header) - 1) if _fits_what_is_beside(header, students, at)]
    if len(found) > 1:
        known = ", ".join(repr(header[at]) for at in found)
        raise ExportError(f"more than one column could be the grades; please name one of {known}")
    return found[0] if found else None


def _fits_what_is_beside(header: Sequence[str], students: Rows, at: int) -> bool:
    beside = students[0][at + 1]
    if _is_scale(header, students, at + 1):
        return {row[at].strip() for row in students} <= {"", NEVER, *options(beside)}
    maximum = decimal(beside) if _is_maximum(header, students, at + 1) else None
    given = [decimal(row[at]) or 0 for row in students]
    return maximum is not None and max(given) <= maximum and _all_grades(students, at)


def _is_maximum(header: Sequence[str], students: Rows, at: int) -> bool:
    if at >= len(header):
        return False
    cells = {row[at].strip() for row in students} - {""}
    return header[at] in MAXIMUM or (len(cells) == 1 and decimal(next(iter(cells))) is not None)


def _is_scale(header: Sequence[str], students: Rows, at: int) -> bool:
    return at < len(header) and len({row[at] for row in students}) == 1 and "\n" in students[0][at]


def _all_of(students: Rows, column: int, words: Collection[str]) -> bool:
    return all(row[column].strip().casefold() in words for row in students)


def _is_time(students: Rows, column: int) -> bool:
    cells = {row[column].strip() for row in students} - {""}
    return bool(cells) and all(cell == NEVER or TIME.fullmatch(cell) for cell in cells)


def options(scale: str) -> list[str]:
    """The words of a scale's cell."""
    return [option.strip() for option in scale.splitlines()]
