"""Marks by people, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from grader import marking
from grader.api.access import Instructor
from grader.api.problems import described
from grader.api.service import TheService
from grader.marking import MAX_REASON, Marked
from grader.store import submissions
from grader.store.submissions import UnknownSubmissionError
from grader.store.tokens import Caller

router = APIRouter(prefix="/api/v1/submissions", tags=["marks"])


class NewMark(BaseModel):
    """A person's points for a part, from 0 to the part's points; the student reads the ``reason``."""

    score: float = Field(allow_inf_nan=False)
    reason: str = Field(min_length=1, max_length=MAX_REASON)


class MarkOfPart(BaseModel):
    """A mark in force, and how its part stands with it; ``judged_score`` is what the judge gave."""

    submission: str
    part: str
    status: str
    score: float
    max_score: float
    judged_status: str
    judged_score: float
    reason: str
    by: str
    at: float


def _marker(submission_id: str, service: TheService, caller: Instructor) -> Caller:
    with service.store.read() as session:
        if not caller.sees(submissions.progress(session, submission_id).assignment):
            raise UnknownSubmissionError(submission_id)
    return caller


# An instructor in whose course the route's submission is.
Marker = Annotated[Caller, Depends(_marker)]


@router.put("/{submission_id}/parts/{part}/mark", responses=described(400, 401, 403, 404, 409, 422, 429))
def give(submission_id: str, part: str, body: NewMark, service: TheService, caller: Marker) -> MarkOfPart:
    """Give a part a person's points, in place of an earlier mark too. They survive every regrade."""
    marked = marking.give(
        service.store, submission_id, part, score=body.score, reason=body.reason, by=caller.actor
    )
    return _view(submission_id, marked)


@router.delete(
    "/{submission_id}/parts/{part}/mark", status_code=204, responses=described(401, 403, 404, 409, 429)
)
def withdraw(submission_id: str, part: str, service: TheService, caller: Marker) -> Response:
    """Let the judge's word count again."""
    marking.withdraw(service.store, submission_id, part, by=caller.actor)
    return Response(status_code=204)


def _view(submission_id: str, marked: Marked) -> MarkOfPart:
    assert marked.given is not None
    return MarkOfPart(
        submission=submission_id,
        part=marked.part.id,
        status=marked.part.status,
        score=marked.part.score,
        max_score=marked.part.max_score,
        judged_status=marked.judged.status,
        judged_score=marked.judged.score,
        reason=marked.given.reason,
        by=marked.given.by,
        at=marked.given.at,
    )
