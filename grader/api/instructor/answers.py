"""Answers by what they are: the wrong ones of all parts, and everything that was answered to one part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from checks.feedback import PartStatus
from grader import answer_groups, roster
from grader.answer_groups import Group
from grader.api.instructor import tables
from grader.api.instructor.page import PageRoute, html
from grader.api.instructor.tables import Format
from grader.api.problems import Problem
from grader.api.service import TheService
from grader.api.session import AssignmentStaff, Csrf
from grader.store import assignments

SHOWN = 40  # groups on a part's page; the files have all of them
SHOWN_EACH = (3, 8)  # groups of each part, at least and at most, where all parts stand on one page
SHOWN_TOGETHER = 64  # about so many on that page
PAGE = 100
HEAD = (
    "part", "answer", "status", "misconception", "students", "still", "message", "failed_checks", "names",
    "example",
)  # fmt: skip

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/assignments/{assignment_id:path}/answers")
def wrong_answers(
    assignment_id: str,
    service: TheService,
    caller: AssignmentStaff,
    csrf: Csrf,
    format: Format = "html",  # noqa: A002 - the parameter's name
) -> Response:
    """Wrong answers grouped by what they are, those that no misconception explains first."""
    with service.store.read() as session:
        found = assignments.current(session, assignment_id)
    assignment = service.assignment(found.version)
    left = answer_groups.read_missing(service.store, assignment)
    with service.store.read() as session:
        by_part = answer_groups.groups(session, assignment)
    if format != "html":
        ordered = [group for part in assignment.parts for group in by_part.get(part.id, ())]
        return _file(format, f"{assignment_id}-answers", ordered)
    parts = [part for part in assignment.parts if part.graded]
    return html(
        "instructor_answers.html",
        title="Wrong answers",
        assignment=found,
        here="answers",
        parts=parts,
        groups=by_part,
        alarms=answer_groups.alarms(by_part),
        shown=_shown_each(len(parts)),
        left=left,
        caller=caller,
        csrf=csrf,
    )


def _shown_each(parts: int) -> int:
    least, most = SHOWN_EACH
    return min(most, max(least, SHOWN_TOGETHER // max(1, parts)))


@router.get("/assignments/{assignment_id:path}/parts/{part_id}")
def part_page(
    assignment_id: str,
    part_id: str,
    service: TheService,
    caller: AssignmentStaff,
    csrf: Csrf,
    *,
    status: PartStatus | None = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    format: Format = "html",  # noqa: A002 - the parameter's name
) -> Response:
    """One part: every answer to it, grouped; who stands where, and whom to mark."""
    with service.store.read() as session:
        found = assignments.current(session, assignment_id)
    assignment = service.assignment(found.version)
    part = next((each for each in assignment.parts if each.id == part_id), None)
    if part is None:
        raise Problem(404, "unknown-part", f"{assignment_id} has no part {part_id}")
    left = answer_groups.read_missing(service.store, assignment)
    with service.store.read() as session:
        grouped = answer_groups.groups(session, assignment, only=part_id).get(part_id, [])
        students = roster.students(roster.lines(session, assignment_id))
        cells = roster.cells(session, assignment_id, part=part_id)
    if format != "html":
        return _file(format, f"{assignment_id}-{part_id}", grouped)
    rows = [(each, cells.get(each.counts.feedback or "", [None])[0]) for each in students]
    counts = roster.part_counts(students, cells)
    kept = [row for row in rows if status is None or (row[1] is not None and row[1].status == status)]
    pages = max(1, -(-len(kept) // PAGE))
    page = min(page, pages)
    return html(
        "instructor_part.html",
        title=part.title,
        assignment=found,
        here="answers",
        part=part,
        groups=grouped,
        rows=kept[(page - 1) * PAGE : page * PAGE],
        kept=len(kept),
        counts=counts[0] if counts else None,
        chosen=status,
        shown=SHOWN,
        left=left,
        page=page,
        pages=pages,
        caller=caller,
        csrf=csrf,
    )


def _file(form: Format, name: str, found: Sequence[Group]) -> Response:
    rows = [
        (
            each.part, each.text, each.status, each.misconception, len(each.students), each.still,
            each.message, each.failed, each.students, each.example,
        )
        for each in found
    ]  # fmt: skip
    return tables.answer(form, name, HEAD, rows)
