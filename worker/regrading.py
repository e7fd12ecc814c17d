"""Previewing a regrade as a Celery task: the message holds the regrade's id and nothing else.

No notebook of a student runs. The author's solution may have to, once, where the new version judges by a
reference that no earlier run can lend.
"""

from __future__ import annotations

import structlog
from structlog.contextvars import bound_contextvars

from checks import bundle
from checks.evidence import Evidence
from grader import regrade
from grader.regrade import Loaded
from grader.store import BlobMissingError, Store
from grader.store.references import ReferenceFailedError, obtain
from worker.app import app, settings, store, warm_server
from worker.attempt import run_attempt
from worker.errors import InfrastructureError

# A class of 10,000 takes a minute; a preview that takes an hour is stuck.
TIME_LIMIT = 3600
# Faults of ours that are known: the regrade says them. Any other exception goes on to the log as well.
OURS = (InfrastructureError, BlobMissingError, ReferenceFailedError)

log = structlog.get_logger()


@app.task(name="worker.regrading.preview", time_limit=TIME_LIMIT)  # type: ignore[untyped-decorator]
def preview(regrade_id: str) -> None:
    """Preview one regrade, and put it in force where that was asked for, unless somebody else has it."""
    held = store()
    with bound_contextvars(regrade=regrade_id):
        try:
            done = regrade.preview(
                held, regrade_id, lambda new: _reference(held, new), lease_seconds=settings.lease_seconds
            )
        except OURS as error:
            log.warning("the regrade failed", reason=str(error))
            return
        if not done:
            log.info("nothing to do")
            return
        applied = regrade.apply_if_asked(held, regrade_id)
        log.info("previewed", applied=applied)


def _reference(held: Store, new: Loaded) -> Evidence | None:
    if not new.assignment.needs_reference:
        return None
    stored = regrade.stored_reference(held, new)
    return stored if stored is not None else _made(held, new)


def _made(held: Store, new: Loaded) -> Evidence:
    server = warm_server(new.assignment.environment)
    notebook = new.files[bundle.REFERENCE]
    return obtain(
        held,
        (new.assignment.version, server.environment.digest),
        lambda: run_attempt(notebook, new.assignment, new.files, server, reference=True).evidence,
        lease_seconds=settings.lease_seconds,
        patience=new.assignment.limits.seconds + settings.lease_seconds,
    )
