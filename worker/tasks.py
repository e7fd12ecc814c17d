"""Grading as a Celery task: claim, run, judge, store.

The message holds an attempt's id and nothing else. Whoever claims the attempt holds a lease, renewed by a
thread while the notebook runs; every step is a compare-and-set on that lease, so a message too many, a
worker believed dead and a redelivery after a crash change nothing. What our side breaks is tried again and,
after too many tries, parked with every part ``unjudged``; it never becomes a verdict.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from structlog.contextvars import bound_contextvars

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import Feedback, PartFeedback, SubmissionInfo, system_error_feedback
from checks.judge import judge
from grader.settings import Settings
from grader.store import BlobMissingError, BlobsAwayError, Store, assignments, attempts
from grader.store.attempts import Job, Lease, Remains
from grader.store.heartbeat import Heartbeat
from grader.store.references import ReferenceFailedError, obtain
from grader.store.reuse import earlier_run
from worker.again import twice_if_killed
from worker.app import HOST, app, settings, store, warm_server
from worker.attempt import Progress, run_attempt
from worker.errors import InfrastructureError
from worker.live import LiveJudge
from worker.telling import Teller
from worker.warm import WarmServer

REPORT_SECONDS = 0.25
# What students read; the reason itself is for instructors.
PARKED = "the grading service failed several times; your instructor can see why"
# Faults of ours that are known; they end in the store, any other exception goes on to the log as well.
OURS = (InfrastructureError, BlobMissingError, ReferenceFailedError)

# A disk that is full, over its quota, read-only or broken.
STORAGE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})

log = structlog.get_logger()


@app.task(name="worker.tasks.grade")  # type: ignore[untyped-decorator]
def grade(attempt_id: str) -> None:
    """Grade one attempt, unless somebody else has it or has done it."""
    with bound_contextvars(attempt=attempt_id):
        work = take(store(), attempt_id, settings)
        if work is None:
            log.info("nothing to do")
            return
        with bound_contextvars(submission=work.job.submission), work:
            work.run(warm_server)


def take(held: Store, attempt_id: str, configured: Settings) -> Work | None:
    """The right to work on an attempt; None where it is finished or in other hands."""
    with held.write() as session:
        lease = attempts.claim(session, attempt_id, seconds=configured.lease_seconds, host=HOST)
        if lease is None:
            return None
        return Work(held, lease, attempts.job(session, attempt_id), configured)


class Work:
    """One claimed attempt: a context that keeps the lease alive and gives the attempt back on a failure."""

    def __init__(self, held: Store, lease: Lease, job: Job, configured: Settings) -> None:
        self.store = held
        self.lease = lease
        self.job = job
        self.settings = configured
        self._heart = Heartbeat(self._renew, every=configured.heartbeat_seconds)
        self._teller = Teller(self._report, every=REPORT_SECONDS)

    def __enter__(self) -> Self:
        with (
            ExitStack() as opening
        ):  # what has begun ends where the next cannot: or the lease were kept for ever
            opening.enter_context(self._heart)
            opening.enter_context(self._teller)
            self._threads = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Our fault, whatever it was: try again later, or park. None that is known goes further."""
        self._threads.close()
        if error is None:
            return False
        self._give_back(error)
        return isinstance(error, OURS) or is_of_storage(error)

    def run(self, server_of: Callable[[str], WarmServer]) -> None:
        """Run the notebook, judge what it left, and store the verdict; raises InfrastructureError."""
        if self.lease.claims > self.settings.max_claims:
            # The last one died without a word: a notebook that kills workers must not go round for ever.
            self._park(f"given up after {self.settings.max_claims} tries; the last worker died")
            return
        files, assignment = load_assignment(self.store, self.job.version)
        server = server_of(assignment.environment)
        reference = self._reference(files, assignment, server)
        earlier = earlier_run(self.store, self.job, assignment, server.environment.digest)
        if earlier is not None:
            self._keep(judge(assignment, earlier.evidence, reference, self._info()), earlier.remains)
            return
        notebook = self.store.blobs.get(self.job.notebook)
        with LiveJudge(assignment, reference, self._report_part) as live:

            def watch(progress: Progress) -> None:
                if progress.so_far is not None:
                    live.captured(progress.part, progress.so_far)
                if progress.phase != "captured":
                    self._teller.give(progress)

            done = twice_if_killed(lambda: run_attempt(notebook, assignment, files, server, progress=watch))
        verdict = judge(assignment, done.evidence, reference, self._info())
        self._finish(verdict, done.evidence, done.executed)

    def _reference(
        self, files: dict[str, bytes], assignment: Assignment, server: WarmServer
    ) -> Evidence | None:
        if not assignment.needs_reference:
            return None

        def make() -> Evidence:
            self._teller.give(Progress("reference"))
            return run_attempt(files[bundle.REFERENCE], assignment, files, server, reference=True).evidence

        return obtain(
            self.store,
            (assignment.version, server.environment.digest),
            make,
            lease_seconds=self.settings.lease_seconds,
            patience=assignment.limits.seconds + self.settings.lease_seconds,
        )

    def _finish(self, verdict: Feedback, evidence: Evidence, executed: bytes) -> None:
        self._keep(
            verdict, Remains(self.store.blobs.put(evidence.to_bytes()), self.store.blobs.put(executed))
        )

    def _keep(self, verdict: Feedback, remains: Remains) -> None:
        with self.store.write() as session:
            kept = attempts.finish(session, self.lease, verdict, remains)
        log.info("graded" if kept else "lease lost", attempt=self.lease.attempt, status=verdict.run.status)

    def _give_back(self, error: BaseException) -> None:
        """Release or park; where not even that can be written down, the lease runs out by itself."""
        reason, counted = f"{type(error).__name__}: {error}", not is_of_storage(error)
        log.warning(
            "attempt failed by our fault", attempt=self.lease.attempt, reason=reason, claims=self.lease.claims
        )
        try:
            if counted and self.lease.claims >= self.settings.max_claims:
                self._park(reason)
                return
            pause = self._pause() if counted else self.settings.lease_seconds
            with self.store.write() as session:
                attempts.release(session, self.lease, reason=reason, pause=pause, counted=counted)
        except SQLAlchemyError as failure:
            log.error("attempt could not be given back", attempt=self.lease.attempt, reason=str(failure))

    def _pause(self) -> float:
        return self.settings.retry_seconds * float(2 ** (self.lease.claims - 1))

    def _park(self, reason: str) -> None:
        verdict = self._system_error()
        with self.store.write() as session:
            attempts.park(session, self.lease, verdict, reason=reason)
        log.error("attempt parked", attempt=self.lease.attempt, reason=reason)

    def _system_error(self) -> Feedback | None:
        try:
            _, assignment = load_assignment(self.store, self.job.version)
        except (BlobMissingError, LookupError):
            return None
        return system_error_feedback(assignment, self._info(), PARKED)

    def _info(self) -> SubmissionInfo:
        job = self.job
        return SubmissionInfo(
            id=job.submission, student=job.student, notebook=job.notebook, attempt=job.number
        )

    def _renew(self) -> None:
        with self.store.write() as session:
            attempts.renew(session, self.lease, seconds=self.settings.lease_seconds)

    def _report_part(self, part: PartFeedback) -> None:
        """Tell those who watch how a part stands now."""
        try:
            with self.store.write() as session:
                attempts.report_part(session, self.lease, part)
        except SQLAlchemyError as error:
            log.warning("a part was not told", attempt=self.lease.attempt, error=str(error))

    def _report(self, progress: Progress) -> None:
        """Tell those who watch where the run is."""
        try:
            with self.store.write() as session:
                attempts.report(
                    session, self.lease, phase=progress.phase, cell=progress.cell, cells=progress.cells
                )
        except SQLAlchemyError as error:
            # Nobody sees this cell, and that is all: the run goes on.
            log.warning("progress was not stored", attempt=self.lease.attempt, error=str(error))


def is_of_storage(error: BaseException | None) -> bool:
    """Whether disk, blobs or database failed, be it behind another error: then no attempt is to blame."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in STORAGE_ERRORS:
        return True
    away = OperationalError | NoConnectionError | BlobsAwayError
    return isinstance(error, away) or is_of_storage(error.__cause__)


def load_assignment(held: Store, version: str) -> tuple[dict[str, bytes], Assignment]:
    """A version's files and spec; raises BlobMissingError."""
    with held.read() as session:
        archive = assignments.archive_of(session, version)
    return _unpacked(held, archive)


@lru_cache(maxsize=4)
def _unpacked(held: Store, archive: str) -> tuple[dict[str, bytes], Assignment]:
    files = bundle.unpack(held.blobs.get(archive))
    return files, Assignment.from_files(files)
