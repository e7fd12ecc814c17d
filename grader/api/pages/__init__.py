"""Pages for students, opened by the signed link of a submission."""

from __future__ import annotations

from fastapi import APIRouter

from grader.api.pages import feedback
from grader.api.pages.rendering import STATIC as STATIC

router = APIRouter()
router.include_router(feedback.router)
