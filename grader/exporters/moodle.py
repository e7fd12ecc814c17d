"""Moodle's offline grading worksheet: the downloaded file with grades and comments, else unchanged.

The columns' headers are in the language of whoever downloaded the file, and Moodle finds them by these words,
so every header, and the time of the last modification, is given back as it came. Rows are found by
``Participant <number>`` (the number of a submission's folder), else by login or name.
(``mod/assign/feedback/offline`` of Moodle)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.exporters import Export, ExportError, Grade, Order
from grader.exporters.tables import Students, comment, latest, number, read, scaled, written

FORMAT = "Moodle grading worksheet"
TEMPLATE = True
FOR_STUDENTS = True

# Headers in the languages that were looked up; else the column before the maximum, and the last.
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
MAXIMUM = (
    "Maximum grade", "Bestwertung", "Note maximale", "Calificación máxima", "Valutazione massima",
    "Maximale cijfer", "Maksymalna ocena", "Nota máxima",
)  # fmt: skip
CHANGEABLE = (
    "Grade can be changed", "Bewertung kann geändert werden", "La note peut être modifiée",
    "La calificación puede ser cambiada",
)  # fmt: skip
COMMENTS = (
    "Feedback comments", "Feedback als Kommentar", "Feedback par commentaires", "Commentaires",
    "Comentarios de retroalimentación", "Commenti",
)  # fmt: skip
NO = frozenset({"no", "nein", "non", "nee", "nie", "não", "nej"})
_PARTICIPANT = re.compile(r"\D*(?P<number>\d+)")
_DECIMAL = re.compile(r"\d+(?P<mark>[.,])?\d*")


def export(grades: Sequence[Grade], order: Order) -> Export:
    """The worksheet filled in; raises ExportError. What has no grade, or is locked, stays as it is."""
    assert order.template is not None
    rows = read(order.template)
    grade_at, maximum_at, comments_at, changeable_at = _columns(rows, order.column)
    students = Students([_numbers(rows), *(_texts(rows, at) for at in range(1, min(4, grade_at)))])
    mark = _decimal_mark(rows, maximum_at)
    remarks = []
    for grade in latest(grades):
        at = students.row(grade.student)
        if at is None:
            remarks.append(f"{grade.student}: nobody, or more than one, in the worksheet; not exported")
            continue
        row = rows[at]
        score = scaled(grade, _maximum(row, maximum_at))
        if score is None:
            remarks.append(f"{grade.student}: no grade yet; the row stays as it is")
        elif changeable_at is not None and row[changeable_at].strip().casefold() in NO:
            remarks.append(f"{grade.student}: Moodle has locked the grade; the row stays as it is")
        else:
            row[grade_at] = number(score).replace(".", mark)
            if comments_at is not None:
                row[comments_at] = comment(grade)
    return Export(
        written((row for row in rows if row), order.template),
        "text/csv; charset=utf-8", "moodle.csv", tuple(remarks),
    )  # fmt: skip


def _columns(
    rows: Sequence[Sequence[str]], wanted: str | None
) -> tuple[int, int | None, int | None, int | None]:
    """Where the grade, its maximum, the comments and the lock are."""
    header = rows[0]
    if not any(_PARTICIPANT.fullmatch(row[0]) for row in rows[1:] if row):
        raise ExportError(
            "the template is no Moodle worksheet: its first column holds no participant numbers"
        )
    maximum = _named(header, MAXIMUM)
    if maximum is None:
        maximum = _constant(rows)
    grade = _named(header, GRADE if wanted is None else (wanted,))
    if grade is None and wanted is None and maximum is not None:
        grade = maximum - 1
    if grade is None or grade == 0:
        raise ExportError(f"no column of grades was found; please name one of {', '.join(map(repr, header))}")
    comments = _named(header, COMMENTS)
    if comments is None and len(header) - 1 not in (grade, maximum):
        comments = len(header) - 1
    return grade, maximum, comments, _named(header, CHANGEABLE)


def _named(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _constant(rows: Sequence[Sequence[str]]) -> int | None:
    """The column that holds the same positive number in every row: the maximum, whatever it is called."""
    students = [row for row in rows[1:] if row]
    for at in range(1, len(rows[0])):
        values = {row[at] for row in students}
        if len(values) == 1 and _maximum(students[0], at) is not None:
            return at
    return None


def _maximum(row: Sequence[str], at: int | None) -> float | None:
    if at is None or not _DECIMAL.fullmatch(row[at].strip()):
        return None
    return float(row[at].strip().replace(",", ".")) or None


def _decimal_mark(rows: Sequence[Sequence[str]], at: int | None) -> str:
    marks = [
        match["mark"] for row in rows[1:] if row and at is not None and (match := _DECIMAL.fullmatch(row[at]))
    ]
    return "," if "," in marks else "."


def _numbers(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    found = {n: _PARTICIPANT.fullmatch(row[0]) for n, row in enumerate(rows) if n and row}
    return {n: match["number"] for n, match in found.items() if match}


def _texts(rows: Sequence[Sequence[str]], at: int) -> dict[int, str]:
    return {n: row[at] for n, row in enumerate(rows) if n and row}
