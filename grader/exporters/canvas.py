"""Canvas's gradebook CSV: the exported gradebook, cut to one assignment's column and filled in.

Columns: ``Student`` (or ``LastName``, ``FirstName``), ``ID``, ``SIS User ID``, ``SIS Login ID``,
``Integration ID``, ``Root Account``, ``Section``, then ``Title (assignment id)``; an optional row ``Manual
Posting``, the row that begins with four blanks and ``Points Possible``, then the students. It is separated by
commas or semicolons. An unknown title would make Canvas create a new assignment, so only a column that the
gradebook has is filled in. (``lib/gradebook_importer.rb`` and ``lib/gradebook_exporter.rb`` of canvas-lms)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.exporters import Export, ExportError, Grade, Order
from grader.exporters.students import Claims, Match, Students, matched, only, split
from grader.exporters.tables import Table, decimal, latest, number, scaled, without_grade

FORMAT = "Canvas gradebook CSV"
TEMPLATE = True
FROM = "Grades, Export"
FOR_STUDENTS = False

IDENTITY = (
    "Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account",
    "Section",
)  # fmt: skip
LOGINS = ("SIS User ID", "SIS Login ID", "Integration ID")
POINTS = "Points Possible"
EXCUSED = "EX"
NOT_ASSIGNED = "N/A"
TEST_STUDENT = "Student, Test"
ANONYMOUS = "anon_"
# Canvas takes a column with one of these words for a total of its own, whatever else its title says.
TOTALS = re.compile(r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)")
_ASSIGNMENT = re.compile(r"(?P<title>.*)\s\((?P<id>\d+)\)")


def export(grades: Sequence[Grade], order: Order) -> Export:
    """The gradebook with this assignment's grades; raises ExportError. What has no grade keeps its cell."""
    assert order.template is not None
    # In courses with grading periods, Canvas's own row of what is posted by hand is longer than its header.
    table = Table(order.template, ragged=True)
    header = table.header
    if "ID" not in header or not {"Student", "LastName"} & set(header):
        raise ExportError("the template is no Canvas gradebook: it has no columns Student and ID")
    column = _column(header, order)
    first = next((n for n, row in enumerate(table.rows) if row[0].strip() == POINTS), None)
    if first is None:
        raise ExportError(f"the template is no Canvas gradebook: it has no row {POINTS!r}")
    maximum = decimal(table.rows[first][column])
    remarks = _filled(table, column, latest(grades), maximum)
    kept = [n for n, name in enumerate(header) if name in IDENTITY] + [column]
    # Behind a byte order mark, Canvas does not know the header LastName.
    content = table.written(kept, bom="LastName" not in header)
    return Export(content, "text/csv; charset=utf-8", "canvas.csv", tuple(remarks), len(table.changed))


def _filled(table: Table, column: int, grades: Sequence[Grade], maximum: float | None) -> list[str]:
    """Write the grades into the table; what should be looked at, then what could not be written."""
    students, claims, doubts, left = _students(table), Claims(), [], []
    for grade, match in matched(grades, lambda student: _match(students, student)):
        score = scaled(grade, maximum)
        if match.problem:
            left.append(f"{grade.student}: {match.problem}")
            continue
        row = match.rows[0]
        held = table.rows[row][column].strip().upper()
        if score is None:
            left.append(f"{grade.student}: {without_grade(grade)}; the cell stays as it is")
        elif held == EXCUSED:
            left.append(f"{grade.student}: excused in Canvas; the cell stays as it is")
        elif held == NOT_ASSIGNED:
            left.append(f"{grade.student}: not assigned in Canvas (N/A); the cell stays as it is")
        elif other := claims.taken(match.rows, grade.student):
            left.append(f"{grade.student}: that row has the grade of {other} already; not exported")
        else:
            table.put(row, column, number(score))
            if match.doubt:
                doubts.append(
                    f"{grade.student}: written to {_shown(table, row)}, {match.doubt}; please check"
                )
    return doubts + left


def _column(header: Sequence[str], order: Order) -> int:
    """The assignment's column: the one named, or the only one with the assignment's title."""
    wanted = order.column or order.title
    titles = {n: match["title"] for n, name in enumerate(header) if (match := _ASSIGNMENT.fullmatch(name))}
    found = [n for n, title in titles.items() if wanted in (header[n], title)]
    if len(found) == 1:
        if TOTALS.search(header[found[0]]):
            raise ExportError(f"Canvas takes {header[found[0]]!r} for a total; please rename it in Canvas")
        return found[0]
    known = ", ".join(repr(header[n]) for n in titles) or "none"
    problem = "no column" if not found else "more than one column"
    raise ExportError(f"the gradebook has {problem} {wanted!r}; its assignments are {known}")


def _students(table: Table) -> Students:
    others = (POINTS, TEST_STUDENT)
    rows = {n: row for n, row in table.students().items() if row[0].strip() not in others}
    header = table.header

    def column(name: str) -> dict[int, str]:
        return {n: row[header.index(name)] for n, row in rows.items()} if name in header else {}

    names = column("Student")
    if not names:
        first_names = column("FirstName")
        names = {n: f"{last}, {first_names.get(n, '')}" for n, last in column("LastName").items()}
    turned = {n: " ".join(reversed(name.split(", "))) for n, name in names.items()}
    return Students(column("ID"), [column(name) for name in LOGINS], [names, turned])


def _match(students: Students, student: str) -> Match:
    """By what is spelled alike; by number and name of a download's file."""
    exact, parts = students.exact(student), split(student)
    if not exact and student.startswith(ANONYMOUS):
        return Match(problem="submitted anonymously, and the gradebook does not tell by whom; not exported")
    if "/" in student:
        return only(student, exact)
    if parts is None:
        return only(student, exact | students.named(student))
    name, digits = parts
    numbered, named = students.numbered(digits), students.named(name)
    if exact or numbered & named:
        return only(student, exact | (numbered & named))
    if named:
        return Match(problem=f"that name is there, but not with the ID {digits}; not exported")
    return students.by_number(student, name, digits, "ID") or _anothers(students, digits)


def _anothers(students: Students, digits: str) -> Match:
    owners = " and ".join(sorted(map(students.name, students.numbered(digits))))
    return Match(problem=f"the ID {digits} is that of {owners}, another name; not exported")


def _shown(table: Table, row: int) -> str:
    header = table.header
    at = [header.index(name) for name in ("Student", "LastName", "FirstName") if name in header]
    return ", ".join(table.rows[row][n] for n in at)
