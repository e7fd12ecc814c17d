"""An assignment's pages: the report, the roster, one student's submissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from grader import roster
from grader.api.instructor import report, tables
from grader.api.instructor.page import WORDS, PageRoute, html
from grader.api.instructor.tables import Format
from grader.api.service import TheService
from grader.api.session import AssignmentStaff, Csrf
from grader.roster import Cell, PartCount, Sort, Standing, Student
from grader.store import assignments, due
from grader.store.assignments import Published
from grader.store.due import Dates

PAGE = 100

router = APIRouter(include_in_schema=False, route_class=PageRoute)
ROSTER_HEAD = (
    "student", "standing", "submissions", "newest_at", "submission", "state", "run", "score", "max_score",
    "seconds", "full_after", "late",
)  # fmt: skip


@router.get("/assignments/{assignment_id:path}/roster")
def roster_page(
    assignment_id: str,
    service: TheService,
    caller: AssignmentStaff,
    csrf: Csrf,
    *,
    sort: Sort = "student",
    down: bool = False,
    standing: Standing | None = None,
    name: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    format: Format = "html",  # noqa: A002 - the parameter's name
) -> Response:
    """Every student with what counts, sorted and filtered here, so that it works without scripts."""
    with service.store.read() as session:
        found = assignments.current(session, assignment_id)
        dates = due.of_assignment(session, assignment_id)
        everybody = roster.students(roster.lines(session, assignment_id))
        cells = roster.cells(session, assignment_id)
    kept = [each for each in everybody if _wanted(each, standing, name)]
    kept = roster.ordered(kept, sort, descending=down)
    parts = roster.part_counts(everybody, cells)
    if format != "html":
        return _roster_file(format, found, kept, parts, cells, dates)
    pages = max(1, -(-len(kept) // PAGE))
    page = min(page, pages)
    return html(
        "instructor_roster.html",
        title="Roster",
        assignment=found,
        here="roster",
        students=kept[(page - 1) * PAGE : page * PAGE],
        kept=len(kept),
        everybody=len(everybody),
        parts=parts,
        cells=cells,
        dates=dates,
        sort=sort,
        down=down,
        standing=standing,
        name=name,
        page=page,
        pages=pages,
        caller=caller,
        csrf=csrf,
    )


@router.get("/assignments/{assignment_id:path}/student")
def student_page(
    assignment_id: str, name: str, service: TheService, caller: AssignmentStaff, csrf: Csrf
) -> Response:
    """One student's submissions to the assignment."""
    with service.store.read() as session:
        found = assignments.current(session, assignment_id)
        dates = due.of_assignment(session, assignment_id)
        kept = roster.students(roster.lines(session, assignment_id, student=name))
        cells = roster.cells(session, assignment_id, student=name)
    return html(
        "instructor_student.html",
        200 if kept else 404,
        title=name,
        assignment=found,
        here="roster",
        student=kept[0] if kept else None,
        cells=cells,
        dates=dates,
        caller=caller,
        csrf=csrf,
    )


@router.get("/assignments/{assignment_id:path}")
def report_page(
    assignment_id: str,
    service: TheService,
    caller: AssignmentStaff,
    csrf: Csrf,
    format: Format = "html",  # noqa: A002 - the parameter's name
) -> Response:
    """What came in, how it went, and where to look first."""
    with service.store.read() as session:
        found = assignments.current(session, assignment_id)
    if format == "html":
        return report.page(service, found, report.Reader(caller, csrf))
    with service.store.read() as session:
        students = roster.students(roster.lines(session, assignment_id))
        cells = roster.cells(session, assignment_id)
    return _parts_file(format, found, roster.part_counts(students, cells))


def _wanted(student: Student, standing: Standing | None, name: str) -> bool:
    return (standing is None or student.standing == standing) and name.casefold() in student.name.casefold()


def _roster_file(  # noqa: PLR0917 - a table of all that is known
    form: Format,
    found: Published,
    kept: Sequence[Student],
    parts: Sequence[PartCount],
    cells: dict[str, list[Cell]],
    dates: Dates,
) -> Response:
    head = [*ROSTER_HEAD, *(f"{part.id} {what}" for part in parts for what in ("status", "points"))]
    rows = []
    for each in kept:
        line = each.counts
        by_part = {cell.part: cell for cell in cells.get(line.feedback or "", ())}
        row: list[tables.Value] = [
            each.name, each.standing, len(each.lines), each.lines[0].created_at, line.submission, line.state,
            line.run_status, line.score, line.max_score, line.seconds, each.success,
            _yes(dates.is_late(line.student, line.created_at)),
        ]  # fmt: skip
        for part in parts:
            cell = by_part.get(part.id)
            row += [cell.status if cell else None, cell.score if cell else None]
        rows.append(row)
    return tables.answer(form, f"{found.id}-roster", head, rows)


def _yes(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _parts_file(form: Format, found: Published, parts: Sequence[PartCount]) -> Response:
    head = ("part", "title", "max_score", *WORDS)
    rows: list[Sequence[tables.Value]] = [
        (part.id, part.title, part.max_score, *(part.statuses.get(status, 0) for status in WORDS))
        for part in parts
    ]
    return tables.answer(form, f"{found.id}-parts", head, rows)
