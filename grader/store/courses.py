"""Courses: an assignment's id begins with its course's (``embeddings/ex3_gensim`` is of ``embeddings``)."""

from __future__ import annotations


def course_of(assignment_id: str) -> str:
    """The course that an assignment belongs to; an id without a slash is a course of one assignment."""
    return assignment_id.partition("/")[0]
