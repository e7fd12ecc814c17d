"""An identical notebook handed in again: judged on the evidence of its earlier run and not run.

Identical means: the same normal form, the same assignment version, the same environment. Whose notebook it
was does not matter, since a run knows nothing of students. The new attempt keeps the digests of the earlier
one's evidence and gets a verdict of its own.
"""

from __future__ import annotations

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from checks.assignment import Assignment
from checks.evidence import Evidence
from grader.store.attempts import Job, Remains
from grader.store.blobs import BlobMissingError
from grader.store.database import Store
from grader.store.references import FINAL
from grader.store.tables import Attempt, Submission

log = structlog.get_logger()


class EarlierRun(msgspec.Struct, frozen=True):
    """What an earlier run of the same notebook left, and the digests under which it is stored."""

    evidence: Evidence
    remains: Remains


def earlier_run(store: Store, job: Job, assignment: Assignment, environment: str) -> EarlierRun | None:
    """The latest run of the job's notebook in the environment of this digest; None where it has to be run.

    It has to where the assignment does not allow reuse, where the attempt is not its submission's first
    (whoever asks for another one wants another run), and where the machine may have had a part in the ending.
    """
    if not assignment.reuses_evidence or job.number != 1:
        return None
    with store.read() as session:
        remains = _latest(session, job, assignment.id)
    if remains is None:
        return None
    try:
        evidence = Evidence.from_bytes(store.blobs.get(remains.evidence))
        store.blobs.get(remains.executed)
    except BlobMissingError as error:
        # Nothing is lost by it for this attempt: it runs.
        log.error("an earlier run's evidence cannot be read", reason=str(error))
        return None
    fits = evidence.run.status in FINAL and evidence.run.environment.rpartition("@")[2] == environment
    return EarlierRun(evidence, remains) if fits else None


def _latest(session: Session, job: Job, assignment_id: str) -> Remains | None:
    row = session.execute(
        select(Attempt.evidence, Attempt.executed)
        .join(Submission, Submission.id == Attempt.submission_id)
        .where(
            Submission.assignment_id == assignment_id,
            Submission.version == job.version,
            Submission.notebook == job.notebook,
            Attempt.state == "finished",
        )
        .order_by(Attempt.finished_at.desc())
        .limit(1)
    ).one_or_none()
    return Remains(row.evidence, row.executed) if row is not None else None
