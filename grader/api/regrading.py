"""Regrades, for programs: begun, watched, applied, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from grader import regrade
from grader.api.access import AssignmentInstructor
from grader.api.problems import described
from grader.api.service import Service, TheService
from grader.regrade import Preview
from grader.store import assignments, regrades
from grader.store.regrades import State, UnknownRegradeError
from grader.store.tables import Regrade as Row
from grader.store.tokens import Caller

router = APIRouter(prefix="/api/v1/assignments", tags=["regrades"])
STEP = described(401, 403, 404, 409, 429)


class NewRegrade(BaseModel):
    """``version``: what to judge by (left out: the one in force). ``preview``: change no mark yet."""

    version: str | None = Field(default=None, max_length=200)
    preview: bool = False


class RegradeSummary(BaseModel):
    """A regrade: ``done`` of ``total`` submissions are judged again; ``detail`` says why it failed."""

    id: str
    assignment: str
    version: str
    state: State
    by: str
    total: int
    done: int
    detail: str
    created_at: float
    changed_at: float


class PartMoves(BaseModel):
    """How a part's marks move; ``causes`` counts the checks and misconceptions that made the difference."""

    part: str
    rises: int
    falls: int
    other: int
    causes: dict[str, int]


class PartChange(BaseModel):
    """What happens to one part of one submission."""

    part: str
    before: str | None
    after: str | None
    before_score: float
    after_score: float
    causes: list[str]


class Mover(BaseModel):
    """A submission whose verdict changes; a score is null while a part of it is not judged."""

    student: str
    submission: str
    before: float | None
    after: float | None
    parts: list[PartChange]


class Regrade(RegradeSummary):
    """A regrade with who rises, who falls, by which check, and who has to run again.

    ``movers`` is one page of all; ``next`` is the ``offset`` of the page that follows, null at the end.
    """

    rises: int
    falls: int
    other: int
    unchanged: int
    needs_run: list[str]
    parts: list[PartMoves]
    movers: list[Mover]
    next: int | None


class Regrades(BaseModel):
    """An assignment's regrades, newest first."""

    regrades: list[RegradeSummary]


class Queued(BaseModel):
    """How many submissions wait to be run again."""

    queued: int


@router.post(
    "/{assignment_id:path}/regrade",
    status_code=202,
    responses=described(400, 401, 403, 404, 409, 422, 429),
)
def begin(  # noqa: PLR0917 - FastAPI calls it by name
    assignment_id: str,
    body: NewRegrade,
    request: Request,
    response: Response,
    service: TheService,
    caller: AssignmentInstructor,
) -> RegradeSummary:
    """Judge all submissions again, from what their runs left; ``Location`` says where to watch it.

    A worker does it. Without ``preview`` the new verdicts are in force as soon as all are there.
    """
    made = start(service, assignment_id, body.version, caller, then_apply=not body.preview)
    response.headers["Location"] = service.url(
        request, f"/api/v1/assignments/{assignment_id}/regrades/{made}"
    )
    with service.store.read() as session:
        return _summary(regrades.get(session, made))


@router.get("/{assignment_id:path}/regrades", responses=described(401, 403, 404, 429))
def listed(assignment_id: str, service: TheService, _caller: AssignmentInstructor) -> Regrades:
    """What was regraded, and what came of it."""
    with service.store.read() as session:
        assignments.current(session, assignment_id)
        return Regrades(regrades=[_summary(row) for row in regrades.of_assignment(session, assignment_id)])


def _its_regrade(
    assignment_id: str, regrade_id: str, service: TheService, _caller: AssignmentInstructor
) -> str:
    return require_regrade(service, assignment_id, regrade_id)


# A regrade of the route's assignment, which the caller may see.
ItsRegrade = Annotated[str, Depends(_its_regrade)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/{assignment_id:path}/regrades/{regrade_id}", responses=described(401, 403, 404, 422, 429))
def show(assigned: ItsRegrade, service: TheService, limit: Limit = 100, offset: Offset = 0) -> Regrade:
    """Who rises, who falls, by which check; nobody is touched until it is applied."""
    return _view(regrade.report(service.store, assigned), limit, offset)


@router.post("/{assignment_id:path}/regrades/{regrade_id}/apply", responses=STEP)
def apply(assigned: ItsRegrade, service: TheService, caller: AssignmentInstructor) -> RegradeSummary:
    """Put the previewed verdicts in force, all or none.

    409 where a submission has had another verdict since: then a new preview is needed.
    """
    return _step(service, assigned, lambda: regrade.apply(service.store, assigned, by=caller.actor))


@router.post("/{assignment_id:path}/regrades/{regrade_id}/undo", responses=STEP)
def undo(assigned: ItsRegrade, service: TheService, caller: AssignmentInstructor) -> RegradeSummary:
    """Give everybody the verdict from before it again, all or none; marks by people stay."""
    return _step(service, assigned, lambda: regrade.undo(service.store, assigned, by=caller.actor))


@router.post("/{assignment_id:path}/regrades/{regrade_id}/discard", responses=STEP)
def discard(assigned: ItsRegrade, service: TheService) -> RegradeSummary:
    """Forget a preview, also one that is still being made."""
    return _step(service, assigned, lambda: regrade.discard(service.store, assigned))


@router.post("/{assignment_id:path}/regrades/{regrade_id}/run-again", status_code=202, responses=STEP)
def run_again(assigned: ItsRegrade, service: TheService) -> Queued:
    """Queue, behind all students who wait, those submissions whose evidence does not tell."""
    queued = regrade.run_again(service.store, assigned)
    service.relay.wake()
    return Queued(queued=queued)


def start(
    service: Service, assignment_id: str, version: str | None, caller: Caller, *, then_apply: bool
) -> str:
    """Queue a regrade for a worker; returns its id."""
    made = regrade.begin_in_worker(
        service.store, assignment_id, version, by=caller.actor, then_apply=then_apply
    )
    service.relay.wake()
    return made


def require_regrade(service: Service, assignment_id: str, regrade_id: str) -> str:
    """The id of a regrade of this assignment; raises UnknownRegradeError."""
    with service.store.read() as session:
        if regrades.get(session, regrade_id).assignment_id != assignment_id:
            raise UnknownRegradeError(regrade_id)
    return regrade_id


def _step(service: Service, regrade_id: str, step: Callable[[], object]) -> RegradeSummary:
    step()
    with service.store.read() as session:
        return _summary(regrades.get(session, regrade_id))


def _summary(row: Row) -> RegradeSummary:
    found = {name: getattr(row, name) for name in RegradeSummary.model_fields if name != "assignment"}
    return RegradeSummary(assignment=row.assignment_id, **found)


def _view(found: Preview, limit: int, offset: int) -> Regrade:
    page = found.movers[offset : offset + limit]
    more = offset + limit < len(found.movers)
    fields = msgspec.to_builtins(msgspec.structs.replace(found, movers=page))
    return Regrade(**fields, next=offset + limit if more else None)
