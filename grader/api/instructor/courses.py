"""Where everything begins: the courses and their assignments."""

from __future__ import annotations

from fastapi import APIRouter, Response

from grader import courses
from grader.api.instructor import tables
from grader.api.instructor.page import PageRoute, html
from grader.api.instructor.tables import Format
from grader.api.problems import Problem
from grader.api.service import TheService
from grader.api.session import CourseStaff, Csrf, Staff
from grader.store.tokens import Caller

HEAD = ("assignment", "title", "students", "submissions", "waiting", "given_up", "newest_at")

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/courses")
def every(service: TheService, caller: Staff, csrf: Csrf, format: Format = "html") -> Response:  # noqa: A002
    """All courses of whoever is signed in."""
    with service.store.read() as session:
        found = courses.seen_by(session, caller)
    return _answer(found, "Courses", caller, csrf, format)


@router.get("/courses/{course}")
def one(
    course: str,
    service: TheService,
    caller: CourseStaff,
    csrf: Csrf,
    format: Format = "html",  # noqa: A002
) -> Response:
    """One course."""
    with service.store.read() as session:
        found = [each for each in courses.seen_by(session, caller) if each.name == course]
    if not found:
        raise Problem(404, "unknown-course", f"There is no such course: {course}")
    return _answer(found, course, caller, csrf, format)


def _answer(found: list[courses.Course], title: str, caller: Caller, csrf: str, form: Format) -> Response:
    if form == "html":
        return html("instructor_courses.html", title=title, courses=found, caller=caller, csrf=csrf)
    rows = [
        (each.id, each.title, each.students, each.submissions, each.waiting, each.parked, each.newest_at)
        for course in found
        for each in course.assignments
    ]
    return tables.answer(form, title, HEAD, rows)
