"""What the pages of regrades, marks and exports say in their own words: filters of their templates."""

from __future__ import annotations

from datetime import UTC, datetime

from grader.annotate import WORDS
from grader.api.instructor.page import TEMPLATES, html
from grader.markdown import rendered

__all__ = ["html"]

TEMPLATES.filters.update(
    as_html=rendered,
    on_day=lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC"),
    iso_moment=lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds"),
    in_words=lambda status: WORDS.get(status, status),
)
