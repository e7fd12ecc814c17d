"""Regrading, for signed-in people: choose a version, see who rises and who falls, apply, undo. No scripts."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import msgspec
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from checks import bundle
from grader import regrade
from grader.api.instructor.page import PageRoute, html
from grader.api.problems import Problem
from grader.api.regrading import require_regrade, start
from grader.api.service import Service, TheService
from grader.api.session import AssignmentStaff, Csrf, StaffForm
from grader.regrade import RegradeError
from grader.store import assignments, regrades
from grader.store.assignments import Version
from grader.store.regrades import RegradeBusyError, RegradeStateError, UnknownRegradeError
from grader.store.tokens import Caller

SPEC = "assignment.yaml"
VERSIONS = 10  # as many are compared with the one before
MAX_DIFF = 400  # lines
PER_PAGE = 50
REFUSED = (RegradeStateError, RegradeBusyError, RegradeError)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute)


class Change(msgspec.Struct, frozen=True):
    """A version, the files that differ from the one before, and its spec's changes as a unified diff."""

    version: Version
    files: tuple[str, ...]
    diff: tuple[str, ...]


@router.get("/assignments/{assignment_id:path}/regrades")
def history(assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf) -> HTMLResponse:
    """The versions to choose from, and what was regraded before."""
    return _history(service, assignment_id, caller, csrf)


@router.post("/assignments/{assignment_id:path}/regrades")
async def begin(
    assignment_id: str, service: TheService, caller: AssignmentStaff, csrf: Csrf, form: StaffForm
) -> Response:
    """Start a preview, and go to where it can be watched."""
    version = str(form.get("version", "")) or None
    return await run_in_threadpool(_begin, service, assignment_id, version, caller, csrf)


def _begin(service: Service, assignment_id: str, version: str | None, caller: Caller, csrf: str) -> Response:
    try:
        made = start(service, assignment_id, version, caller, then_apply=False)
    except REFUSED as error:
        return _history(service, assignment_id, caller, csrf, refusal=error)
    return _to(assignment_id, made)


@router.get("/assignments/{assignment_id:path}/regrades/{regrade_id}")
def one(  # noqa: PLR0917 - FastAPI calls it by name
    assignment_id: str,
    regrade_id: str,
    service: TheService,
    caller: AssignmentStaff,
    csrf: Csrf,
    page: int = 1,
) -> HTMLResponse:
    """A regrade: its progress, then who rises, who falls, by which check."""
    _require(service, assignment_id, regrade_id)
    return _shown(service, regrade_id, caller, csrf, page=max(page, 1))


@router.post("/assignments/{assignment_id:path}/regrades/{regrade_id}/{step}")
async def take(  # noqa: PLR0917 - FastAPI calls it by name
    assignment_id: str,
    regrade_id: str,
    step: str,
    service: TheService,
    caller: AssignmentStaff,
    csrf: Csrf,
    _form: StaffForm,
) -> Response:
    """Apply, undo, discard, or run again; then show it."""
    steps: dict[str, Callable[[], object]] = {
        "apply": lambda: regrade.apply(service.store, regrade_id, by=caller.actor),
        "undo": lambda: regrade.undo(service.store, regrade_id, by=caller.actor),
        "discard": lambda: regrade.discard(service.store, regrade_id),
        "run-again": lambda: _run_again(service, regrade_id),
    }
    if step not in steps:
        raise Problem(404, "not-found", f"There is no step {step}.")
    await run_in_threadpool(_require, service, assignment_id, regrade_id)
    try:
        await run_in_threadpool(steps[step])
    except RegradeStateError as error:
        return await run_in_threadpool(_shown, service, regrade_id, caller, csrf, refusal=error)
    return _to(assignment_id, regrade_id)


def _run_again(service: Service, regrade_id: str) -> None:
    regrade.run_again(service.store, regrade_id)
    service.relay.wake()


def _require(service: Service, assignment_id: str, regrade_id: str) -> None:
    try:
        require_regrade(service, assignment_id, regrade_id)
    except UnknownRegradeError as error:
        raise Problem(404, "unknown-regrade", f"The assignment has no such regrade: {error}") from error


def _history(
    service: Service, assignment_id: str, caller: Caller, csrf: str, *, refusal: Exception | None = None
) -> HTMLResponse:
    with service.store.read() as session:
        current = assignments.current(session, assignment_id)
        found = regrades.of_assignment(session, assignment_id)
        versions = assignments.versions(session, assignment_id)
    return html(
        "regrade_history.html",
        409 if refusal else 200,
        title="Regrade",
        here="regrade",
        assignment=current,
        caller=caller,
        changes=_changes(service, versions),
        regrades=found,
        csrf=csrf,
        refusal=str(refusal or ""),
    )


def _shown(
    service: Service,
    regrade_id: str,
    caller: Caller,
    csrf: str,
    *,
    page: int = 1,
    refusal: Exception | None = None,
) -> HTMLResponse:
    found = regrade.report(service.store, regrade_id)
    with service.store.read() as session:
        assignment = assignments.current(session, found.assignment)
        to_run = _left_to_run(session, regrade_id)
    first = (page - 1) * PER_PAGE
    return html(
        "regrade_one.html",
        409 if refusal else 200,
        title="Regrade",
        here="regrade",
        assignment=assignment,
        caller=caller,
        found=found,
        movers=found.movers[first : first + PER_PAGE],
        first=first,
        page=page,
        pages=max(1, -(-len(found.movers) // PER_PAGE)),
        to_run=to_run,
        csrf=csrf,
        refusal=str(refusal or ""),
    )


def _left_to_run(session: Session, regrade_id: str) -> int:
    return len(regrades.to_run(session, regrade_id))


def _changes(service: Service, versions: list[Version]) -> list[Change]:
    """Newest first, each compared with the version before it."""
    files = [bundle.unpack(service.store.blobs.get(each.archive)) for each in versions[: VERSIONS + 1]]
    compared = [
        _change(version, files[at + 1] if at + 1 < len(files) else None, files[at])
        for at, version in enumerate(versions[:VERSIONS])
    ]
    return compared + [Change(version, (), ()) for version in versions[VERSIONS:]]


def _change(version: Version, before: dict[str, bytes] | None, after: dict[str, bytes]) -> Change:
    if before is None:
        return Change(version, (), ())
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    old, new = (each.get(SPEC, b"").decode(errors="replace").splitlines() for each in (before, after))
    diff = list(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))[2:]
    return Change(version, tuple(names), tuple(diff[:MAX_DIFF]))


def _to(assignment_id: str, regrade_id: str) -> RedirectResponse:
    return RedirectResponse(f"/assignments/{assignment_id}/regrades/{regrade_id}", 303)
