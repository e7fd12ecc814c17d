"""All routes of the instructor's pages."""

from __future__ import annotations

from fastapi import APIRouter

from grader.api.instructor import answers, assignments, courses, due, submissions

# The order counts: an assignment's id has slashes, so its longer paths come first.
router = APIRouter()
for each in (answers.router, due.router, assignments.router, courses.router, submissions.router):
    router.include_router(each)
