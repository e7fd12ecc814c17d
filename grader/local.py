"""Grading without a server: the sandbox is held open in this process, notebooks go through it one by one.

The same run, judge and reference store as the service's, without queue and submissions.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import msgspec

from checks.assignment import Assignment
from checks.bundle import REFERENCE
from checks.evidence import Evidence, digest
from checks.feedback import Feedback, SubmissionInfo, system_error_feedback
from checks.judge import judge
from grader.doctor import Finding
from grader.notebooks import NotANotebookError, normal_form
from grader.offer import offered
from grader.settings import Settings
from grader.store import Store, open_store, references
from grader.store.database import migrate
from worker.again import twice_if_killed
from worker.attempt import Attempt, Progress, ignore, rejected, run_attempt
from worker.environment import load_environment
from worker.errors import InfrastructureError
from worker.inventory import inventory, prove
from worker.jail import Upkeep
from worker.warm import WarmServer, require_sandbox

TRIES = 2

__all__ = [
    "Graded",
    "InfrastructureError",
    "LocalGrader",
    "Phases",
    "judge_evidence",
    "run_reference",
    "sandbox_findings",
]


class Phases(msgspec.Struct, frozen=True):
    """Where the time of one notebook went, in seconds of wall time.

    ``waiting``: until its kernel took the first cell. ``cells``: what the cells took, the values that were
    taken when a part's check ran included. ``values``: what was taken after the last cell, until nothing of
    the kernel was left. ``judging``: from the evidence to the feedback.
    """

    waiting: float = 0.0
    cells: float = 0.0
    values: float = 0.0
    judging: float = 0.0


class Graded(msgspec.Struct, frozen=True):
    """One notebook's feedback, with what it was judged by (None where the fault was ours).

    ``peak_bytes`` is the most memory that the run held at once; None where nobody counted.
    """

    feedback: Feedback
    evidence: Evidence | None = None
    executed: bytes | None = None
    phases: Phases = Phases()
    peak_bytes: int | None = None


class _Clock:
    """Passes progress on and notes when the first cell began; ``began`` and ``ended`` frame one run."""

    def __init__(self, progress: Callable[[Progress], None]) -> None:
        self._progress = progress
        self.began = self.first = self.ended = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if self.first == self.began and progress.phase == "running":
            self.first = time.monotonic()
        self._progress(progress)

    def phases(self, evidence: Evidence) -> Phases:
        """The run's phases; a notebook that did not run a cell has waited all the time."""
        cells = sum(cell.seconds for cell in evidence.cells)
        if self.first == self.began:
            return Phases(waiting=self.ended - self.began)
        return Phases(self.first - self.began, cells, max(self.ended - self.first - cells, 0.0))


class _Ran(msgspec.Struct, frozen=True):
    attempt: Attempt
    phases: Phases = Phases()


class LocalGrader:
    """A context that holds an assignment's sandbox open; ``grade`` may be called from several threads.

    ``start_seconds`` is what starting the sandbox took, ``reference_seconds`` what the author's run took,
    where it was not stored.
    Entering raises SpecError (the assignment), InfrastructureError or ReferenceFailedError (this machine).
    """

    def __init__(self, settings: Settings, files: dict[str, bytes]) -> None:
        self.assignment = Assignment.from_files(files, offered())
        self._files = files
        self._settings = settings
        self._store = _opened(settings)
        self._runtime = settings.runtime_dir / f"grade-{os.getpid()}"
        self._server = WarmServer(
            load_environment(self.assignment.environment),
            self._runtime,
            Upkeep(standby=settings.standby),
            settings.sandbox_records,
        )
        self._reference: Evidence | None = None
        self.start_seconds = self.reference_seconds = 0.0

    def __enter__(self) -> Self:
        require_sandbox(require_cgroup=self._settings.require_cgroup)
        try:
            began = time.monotonic()
            self._server.start()
            prove(self._server)
            started = time.monotonic()
            self._reference = self._obtain_reference()
            self.start_seconds, self.reference_seconds = started - began, time.monotonic() - started
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def reference(self) -> Evidence | None:
        """The author's evidence; None where the assignment needs none."""
        return self._reference

    def close(self) -> None:
        """End the sandbox and everything that runs in it; safe to call twice."""
        self._server.stop()
        self._store.close()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def grade(
        self, notebook: bytes, student: str, *, progress: Callable[[Progress], None] = ignore
    ) -> Graded:
        """Run and judge one notebook; nothing that is wrong with it, or with us, is raised.

        What is no notebook is ``rejected``, our own fault leaves all ``unjudged``.
        """
        try:
            return self._judged(self._run(normal_form(notebook), progress), student)
        except NotANotebookError as error:
            return self.reject(notebook, student, str(error))
        except InfrastructureError as error:
            return self._unjudged(notebook, student, str(error))
        # A bug of ours, shown in full; it must neither become a verdict nor stop the class.
        except Exception as error:  # noqa: BLE001
            print(f"{student}: not graded, by a fault of the grader:", file=sys.stderr)
            traceback.print_exception(error)
            return self._unjudged(notebook, student, f"the grader failed ({type(error).__name__})")

    def reject(self, notebook: bytes, student: str, why: str) -> Graded:
        """The feedback of what is not run; ``why`` is for the one who sent it."""
        attempt = Attempt(rejected(notebook, self.assignment, self._server, why), notebook)
        return self._judged(_Ran(attempt), student)

    def _unjudged(self, notebook: bytes, student: str, why: str) -> Graded:
        return Graded(system_error_feedback(self.assignment, _info(student, digest(notebook)), why))

    def _run(self, notebook: bytes, progress: Callable[[Progress], None]) -> _Ran:
        for _ in range(TRIES - 1):
            try:
                return self._attempt(notebook, progress)
            except InfrastructureError:
                continue
        return self._attempt(notebook, progress)

    def _attempt(self, notebook: bytes, progress: Callable[[Progress], None]) -> _Ran:
        clock = _Clock(progress)
        done = twice_if_killed(
            lambda: run_attempt(notebook, self.assignment, self._files, self._server, progress=clock)
        )
        clock.ended = time.monotonic()
        return _Ran(done, clock.phases(done.evidence))

    def _judged(self, ran: _Ran, student: str) -> Graded:
        done = ran.attempt
        info = _info(student, done.evidence.notebook)
        began = time.monotonic()
        feedback = judge(self.assignment, done.evidence, self._reference, info)
        phases = msgspec.structs.replace(ran.phases, judging=time.monotonic() - began)
        return Graded(feedback, done.evidence, done.executed, phases, done.peak_bytes)

    def _obtain_reference(self) -> Evidence | None:
        if not self.assignment.needs_reference:
            return None
        notebook = self._files[REFERENCE]
        return references.obtain(
            self._store,
            (self.assignment.version, self._server.environment.digest),
            lambda: (
                run_attempt(notebook, self.assignment, self._files, self._server, reference=True).evidence
            ),
            lease_seconds=self._settings.lease_seconds,
            patience=self.assignment.limits.seconds,
        )


def run_reference(settings: Settings, files: dict[str, bytes]) -> Evidence | None:
    """The author's run of an assignment, made here and now unless it is stored; None where it needs none.

    Raises as entering a LocalGrader does.
    """
    with LocalGrader(settings, files) as grader:
        return grader.reference


def judge_evidence(settings: Settings, files: dict[str, bytes], evidence: Evidence, student: str) -> Feedback:
    """Judge stored evidence by the assignment as it is now; runs nothing.

    Raises SpecError, and ReferenceFailedError where the assignment needs a reference run that was never made.
    """
    assignment = Assignment.from_files(files, offered())
    reference = _stored_reference(settings, assignment) if assignment.needs_reference else None
    return judge(assignment, evidence, reference, _info(student, evidence.notebook))


def sandbox_findings(settings: Settings, *, start: bool) -> Iterator[Finding]:
    """What this host has to run notebooks with; ``start`` also starts each environment's sandbox once."""
    return (Finding(*layer) for layer in inventory(settings, start=start))


def _stored_reference(settings: Settings, assignment: Assignment) -> Evidence:
    store = _opened(settings)
    key = (assignment.version, load_environment(assignment.environment).digest)
    with store.read() as session:
        found = references.find(session, key)
    if found is None:
        raise references.ReferenceFailedError(
            "there is no reference run of this version: grade a notebook once"
        )
    return Evidence.from_bytes(store.blobs.get(found))


def _opened(settings: Settings) -> Store:
    store = open_store(settings)
    migrate(store.engine)
    return store


def _info(student: str, notebook: str) -> SubmissionInfo:
    return SubmissionInfo(id=student, student=student, notebook=notebook, attempt=1)
