"""Pages for people, opened by signed links: a student's feedback, an instructor's report."""

from __future__ import annotations

from fastapi import APIRouter

from grader.api.pages import feedback, report
from grader.api.pages.rendering import STATIC as STATIC

router = APIRouter()
router.include_router(feedback.router)
router.include_router(report.router)
