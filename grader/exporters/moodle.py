"""Moodle's offline grading worksheet: the downloaded file with grades and comments, else the same bytes.

The columns' headers are in the language of whoever downloaded the file, and Moodle finds them by these words,
so every header, and the time of the last modification, is given back as it came. Rows are found by
``Participant <number>`` (the number of a submission's folder), else by login or name; a team's submission by
its group. Comments are HTML, as Moodle keeps them.
(``mod/assign/gradingtable.php``, ``mod/assign/feedback/offline`` and ``lib/csvlib.class.php`` of Moodle)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import msgspec
from markupsafe import escape

from grader.exporters import Export, ExportError, Grade, Order
from grader.exporters.students import Claims, Match, Students, letters, only, split
from grader.exporters.tables import Table, decimal, latest, number, scaled, without_grade
from grader.markdown import rendered

FORMAT = "Moodle grading worksheet"
TEMPLATE = True
FROM = "the assignment's submissions, Download grading worksheet"
FOR_STUDENTS = True

# Headers in the languages that were looked up; for all others the order of columns tells.
GRADE = (
    "Grade",
    "Bewertung",
    "Note",
    "Calificación",
    "Valutazione",
    "Cijfer",
    "Ocena",
    "Nota",
    "Betyg",
    "Karakter",
)
COMMENTS = (
    "Feedback comments", "Feedback als Kommentar", "Feedback par commentaires", "Commentaires",
    "Comentarios de retroalimentación", "Commenti",
)  # fmt: skip
YES = frozenset({
    "yes", "ja", "oui", "sí", "si", "sì", "tak", "sim", "já", "ano", "áno", "kyllä", "igen", "da", "да",
    "evet", "taip", "jah",
})  # fmt: skip
NO = frozenset({
    "no", "nein", "non", "nee", "nie", "não", "nej", "nei", "ne", "ei", "nem", "nu", "не", "нет", "ні",
    "hayır",
})  # fmt: skip
_PARTICIPANT = re.compile(r"(?P<word>\D*)(?P<number>\d+)")
_TIME = re.compile(r"(?=.*\d{4})(?=.*\d{1,2}[:.]\d\d).*", re.DOTALL)
# The only times that Moodle itself can read again.
_ENGLISH_TIME = re.compile(r"\s*(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,.*", re.DOTALL)
NEVER = "-"
# How our comments begin.
_OURS = re.compile(r"\s*<p><strong>[^<]*</strong>: ")


class Columns(msgspec.Struct, frozen=True):
    """Where a worksheet has what, by place in its header (None: it has none), and how it spells decimals."""

    grade: int
    maximum: int | None
    scale: int | None
    decimal_mark: str
    changeable: int | None
    modified: int | None
    comments: int | None


def export(grades: Sequence[Grade], order: Order) -> Export:
    """The worksheet filled in; raises ExportError. What has no grade, or is locked, stays as it is."""
    assert order.template is not None
    table = Table(order.template)
    at = _columns(table, order.column)
    finder, claims = _Finder(table, at), Claims()
    remarks, foreign = [], False
    for grade in latest(grades):
        match = finder.match(grade.student)
        if match.problem:
            remarks.append(f"{grade.student}: {match.problem}")
        elif grade.score is None:
            remarks.append(f"{grade.student}: {without_grade(grade)}; the row stays as it is")
        elif other := claims.taken(match.rows, grade.student):
            remarks.append(f"{grade.student}: that row has the grade of {other} already; not exported")
        else:
            if match.doubt:
                remarks.append(f"{grade.student}: written to {table.rows[match.rows[0]][1]}, {match.doubt}")
            for row in match.rows:
                remarks += _fill(table, at, row, grade)
            foreign = foreign or any(_unreadable_time(table.rows[row], at) for row in match.rows)
    remarks += _for_the_upload(table, foreign)
    return Export(
        table.written(), "text/csv; charset=utf-8", "moodle.csv", tuple(remarks), len(table.changed)
    )


def _fill(table: Table, at: Columns, row: int, grade: Grade) -> list[str]:
    """Write one row; what a person should know of it."""
    cells, remarks = table.rows[row], []
    if at.changeable is not None and cells[at.changeable].strip().casefold() in NO:
        return [f"{grade.student}: Moodle has locked the grade; the row stays as it is"]
    maximum = None if at.maximum is None else decimal(cells[at.maximum])
    score = scaled(grade, maximum)
    assert score is not None
    if at.scale is not None and number(score) not in _options(cells[at.scale]):
        return [f"{grade.student}: {number(score)} is not on Moodle's scale; the row stays as it is"]
    if maximum is not None and score > maximum:
        much = f"{number(score)} points are more than Moodle takes"
        remarks.append(f"{grade.student}: {much}; written as {number(maximum)}")
        score = maximum
    text = number(score)
    table.put(row, at.grade, text.replace(".", at.decimal_mark))
    if at.comments is not None:
        if cells[at.comments].strip() and not _OURS.match(cells[at.comments]):
            remarks.append(f"{grade.student}: a comment that somebody wrote in Moodle is replaced")
        table.put(row, at.comments, comment(grade))
    return remarks


def comment(grade: Grade) -> str:
    """What a student reads beside the grade, as HTML: a paragraph for each part, and its message.

    Backslashes are spelled as character references: Moodle's CSV reader takes one before a quotation mark for
    an escape, and loses the rows behind it.
    """
    made = []
    for part in grade.parts:
        if not part.hidden:
            points = "" if part.score is None else f" ({number(part.score)}/{number(part.max_score)})"
            words = escape(part.status.replace("_", " "))
            made.append(f"<p><strong>{escape(part.title)}</strong>: {words}{points}</p>")
            made.append(rendered(part.message).strip())
    return "".join(made).replace("\\", "&#92;")


def _for_the_upload(table: Table, foreign: bool) -> list[str]:
    """What has to be chosen in Moodle when the file is uploaded there."""
    told = []
    if table.separator != ",":
        told.append("the cells are not separated by commas: choose their separator when you upload the file")
    if foreign:
        told.append(
            "some rows had a grade in Moodle already, and it reads the time of that in English only: tick "
            "“Allow updating records that have been modified more recently in Moodle than in the "
            "spreadsheet” when you upload the file, else Moodle passes over these rows without a word"
        )
    return told


def _unreadable_time(cells: Sequence[str], at: Columns) -> bool:
    return (
        at.modified is not None
        and _TIME.fullmatch(cells[at.modified]) is not None
        and _ENGLISH_TIME.fullmatch(cells[at.modified]) is None
    )


class _Finder:
    """Finds the rows of a submission."""

    def __init__(self, table: Table, at: Columns) -> None:
        rows = table.students()
        found = {n: _PARTICIPANT.fullmatch(row[0].strip()) for n, row in rows.items()}
        self._word = next((match["word"] for match in found.values() if match), "")
        between = [{n: row[column] for n, row in rows.items()} for column in range(1, at.grade)]
        # With blind marking there is nothing but the status.
        self._has_names = len(between) > 1
        self._teams: dict[str, set[int]] = {}
        for n, text in (cell for column in between[1:] for cell in column.items()):
            self._teams.setdefault(letters(text), set()).add(n)
        numbers = {n: match["number"] for n, match in found.items() if match}
        whole = {n: row[0] for n, row in rows.items()}
        self._students = Students(numbers, [whole, *between[1:]], between[:1])

    def match(self, student: str) -> Match:
        """A student's row, or all rows of a team.

        The number of a folder is a participant's, for a team's submission it is the group's: only the name
        tells them apart.
        """
        whole = self._students.whole(student)
        parts = split(student)
        if whole:
            return only(student, whole)
        name, digits = parts or (student, "")
        numbered = self._students.numbered(digits)
        named = self._students.named(name)
        if len(numbered & named) == 1:
            return only(student, numbered & named)
        if letters(name) and (team := self._teams.get(letters(name))):
            return Match(tuple(sorted(team)))
        if not numbered:
            return only(
                student, named, "found by name: nobody has that number; please check" if parts else ""
            )
        row = next(iter(numbered))
        if not self._has_names or self._is_word(name) or self._students.agrees(row, name):
            return only(student, numbered)
        return Match(problem=f"participant {digits} has another name there; not exported")

    def _is_word(self, name: str) -> bool:
        """Whether it is "Participant", as blind marking calls everybody, or a group's."""
        return bool(letters(self._word)) and letters(name).endswith(letters(self._word))


def _columns(table: Table, wanted: str | None) -> Columns:
    header, students = table.header, list(table.students().values())
    if not any(_PARTICIPANT.fullmatch(row[0].strip()) for row in students):
        raise ExportError(
            "the template is no Moodle worksheet: its first column holds no participant numbers"
        )
    grade = _named(header, GRADE if wanted is None else (wanted,))
    if grade is None and wanted is None:
        grade = _before_the_maximum(students, len(header))
    if not grade:
        raise ExportError(f"no column of grades was found; please name one of {', '.join(map(repr, header))}")
    beside = [row[grade + 1] for row in students] if grade + 1 < len(header) else []
    maximum = grade + 1 if _is_maximum(beside) else None
    scale = grade + 1 if maximum is None and len(set(beside)) == 1 and "\n" in beside[0] else None
    if scale is not None and not any(decimal(option) for option in _options(beside[0])):
        options = ", ".join(_options(beside[0]))
        raise ExportError(
            f"Moodle grades this assignment by a scale ({options}), and points are no grades there: "
            "please set its grade to points in Moodle and download the worksheet again"
        )
    rest = range(grade + 2, len(header))
    changeable = next((n for n in rest if _all_of(students, n, YES | NO)), None)
    modified = next((n for n in reversed(rest) if _is_time(students, n)), None)
    mark = "," if maximum is not None and any("," in cell for cell in beside) else "."
    return Columns(grade, maximum, scale, mark, changeable, modified, _comments(header, rest, modified))


def _comments(header: Sequence[str], rest: range, modified: int | None) -> int | None:
    """Known by name, else what follows the time of the last grade; Moodle may have no comments at all."""
    named = _named(header, COMMENTS)
    if named is not None or not rest:
        return named
    if modified is None:
        return rest[-1]
    return modified + 1 if modified + 1 < len(header) else None


def _named(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((n for n, name in enumerate(header) if name in names), None)


def _before_the_maximum(students: Sequence[Sequence[str]], width: int) -> int | None:
    """The grades' column in a language nobody looked up: beside it is one number for all, none above it."""
    for at in range(1, width - 1):
        maximum = decimal(students[0][at + 1])
        if maximum is not None and _is_maximum([row[at + 1] for row in students]):
            given = [row[at].strip() for row in students if row[at].strip()]
            if all(re.fullmatch(r"[\d.,]+", cell) and (decimal(cell) or 0) <= maximum for cell in given):
                return at
    return None


def _is_maximum(cells: Sequence[str]) -> bool:
    return len(set(cells)) == 1 and decimal(cells[0]) is not None


def _all_of(students: Sequence[Sequence[str]], column: int, words: Collection[str]) -> bool:
    return all(row[column].strip().casefold() in words for row in students)


def _is_time(students: Sequence[Sequence[str]], column: int) -> bool:
    cells = {row[column].strip() for row in students} - {""}
    return bool(cells) and all(cell == NEVER or _TIME.fullmatch(cell) for cell in cells)


def _options(scale: str) -> list[str]:
    return [option.strip() for option in scale.splitlines()]
