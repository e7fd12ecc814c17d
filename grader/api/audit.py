"""The audit log of an assignment."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel

from grader.api.access import AssignmentInstructor
from grader.api.problems import described
from grader.api.service import TheService
from grader.store import assignments, audit

router = APIRouter(prefix="/api/v1/assignments", tags=["audit"])


class AuditEntry(BaseModel):
    """Who (``actor``) did what (``action``) to which ``subject``, and what it was before and after."""

    id: str
    at: float
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditLog(BaseModel):
    """Newest first; ``next`` is the value of ``before`` for the page that follows, null at the end."""

    entries: list[AuditEntry]
    next: str | None


@router.get("/{assignment_id:path}/audit", responses=described(401, 403, 404, 422, 429))
def show(
    assignment_id: str,
    service: TheService,
    _caller: AssignmentInstructor,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(max_length=100, description="the last id of the page before")] = None,
) -> AuditLog:
    """Every version put in force, every verdict written, and who caused it."""
    with service.store.read() as session:
        assignments.current(session, assignment_id)
        found = audit.of_assignment(session, assignment_id, limit=limit, before=before)
    return AuditLog(
        entries=[AuditEntry(**msgspec.structs.asdict(one)) for one in found],
        next=found[-1].id if len(found) == limit else None,
    )
