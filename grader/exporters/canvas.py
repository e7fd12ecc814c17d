"""Canvas's gradebook CSV: the exported gradebook, cut to one assignment's column and filled in.

Columns: ``Student`` (or ``LastName``, ``FirstName``), ``ID``, ``SIS User ID``, ``SIS Login ID``,
``Integration ID``, ``Root Account``, ``Section``, then ``Title (assignment id)``; an optional row ``Manual
Posting``, the row that begins with four blanks and ``Points Possible``, then the students. An unknown title
would make Canvas create a new assignment, so only a column that the gradebook has is filled in.
(``lib/gradebook_importer.rb`` of canvas-lms)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.exporters import Export, ExportError, Grade, Order
from grader.exporters.tables import Students, latest, number, read, scaled, written

FORMAT = "Canvas gradebook CSV"
TEMPLATE = True
FOR_STUDENTS = False

IDENTITY = (
    "Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account",
    "Section",
)  # fmt: skip
# In the order in which Canvas itself matches students.
MATCHED_BY = ("ID", "SIS User ID", "SIS Login ID", "Student")
POINTS = "Points Possible"
EXCUSED = "EX"
TEST_STUDENT = "Student, Test"
_ASSIGNMENT = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")


def export(grades: Sequence[Grade], order: Order) -> Export:
    """The gradebook with this assignment's grades; raises ExportError. What has no grade keeps its cell."""
    assert order.template is not None
    rows = read(order.template)
    header = rows[0]
    if "ID" not in header or not {"Student", "LastName"} & set(header):
        raise ExportError("the template is no Canvas gradebook: it has no columns Student and ID")
    column = _column(header, order)
    first = next((n for n, row in enumerate(rows) if row and row[0].strip() == POINTS), None)
    if first is None:
        raise ExportError(f"the template is no Canvas gradebook: it has no row {POINTS!r}")
    maximum = _points(rows[first][column])
    students = Students([_by_row(rows, first, header, name) for name in MATCHED_BY if name in header])
    remarks = []
    for grade in latest(grades):
        row = students.row(grade.student)
        score = scaled(grade, maximum)
        if row is None:
            remarks.append(f"{grade.student}: nobody, or more than one, in the gradebook; not exported")
        elif rows[row][column].strip().upper() == EXCUSED:
            remarks.append(f"{grade.student}: excused in Canvas; the cell stays as it is")
        elif score is None:
            remarks.append(f"{grade.student}: no grade yet; the cell stays as it is")
        else:
            rows[row][column] = number(score)
    kept = [n for n, name in enumerate(header) if name in IDENTITY] + [column]
    content = written(([row[n] for n in kept] for row in rows if row), order.template)
    return Export(content, "text/csv; charset=utf-8", "canvas.csv", tuple(remarks))


def _column(header: Sequence[str], order: Order) -> int:
    """The assignment's column: the one named, or the only one with the assignment's title."""
    wanted = order.column or order.title
    titles = {n: match["title"] for n, name in enumerate(header) if (match := _ASSIGNMENT.fullmatch(name))}
    found = [n for n, title in titles.items() if wanted in (header[n], title)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(repr(header[n]) for n in titles) or "none"
    problem = "no column" if not found else "more than one column"
    raise ExportError(f"the gradebook has {problem} {wanted!r}; its assignments are {known}")


def _points(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _by_row(rows: Sequence[Sequence[str]], first: int, header: Sequence[str], name: str) -> dict[int, str]:
    at = header.index(name)
    return {n: row[at] for n, row in enumerate(rows) if n > first and row and row[0] != TEST_STUDENT}
