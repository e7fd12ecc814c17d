"""Plain CSV: one line a student, with the score and the status of each part."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from grader.exporters import Export, Grade, Order
from grader.exporters.tables import harmless, latest, number

FORMAT = "plain CSV"
TEMPLATE = False
FROM = ""
FOR_STUDENTS = False

_LATE = {True: "yes", False: "no", None: ""}
FIRST = ("student", "submission", "number", "state", "score", "max_score")


def export(grades: Sequence[Grade], _order: Order) -> Export:
    """One line a student: the newest submission. A grade that does not stand yet is an empty cell.

    Where the assignment has a due date, the last column tells who came late.
    """
    rows = latest(grades)
    parts = list(dict.fromkeys(part.id for row in reversed(rows) for part in row.parts))
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    dated = any(row.late is not None for row in rows)
    writer.writerow(
        [*FIRST, *(f"{part} {what}" for part in parts for what in ("score", "status")), *(["late"] * dated)]
    )
    for row in rows:
        writer.writerow(_cells(row, parts) + [_LATE[row.late]] * dated)
    return Export(target.getvalue().encode(), "text/csv; charset=utf-8", "grades.csv", students=len(rows))


def _cells(grade: Grade, parts: Sequence[str]) -> list[str]:
    by_id = {part.id: part for part in grade.parts}
    cells = [harmless(grade.student), harmless(grade.submission), str(grade.number), grade.state]
    cells += [_number(grade.score), _number(grade.max_score)]
    for name in parts:
        part = by_id.get(name)
        cells += ["", ""] if part is None else [_number(part.score), part.status]
    return cells


def _number(value: float | None) -> str:
    return "" if value is None else number(value)
