"""Runs cells in the real sandbox and judges what came out, as the service does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import SubmissionInfo
from checks.judge import judge
from tests.grader.arithmetic import BUNDLE as SLOW_BUNDLE
from tests.grader.arithmetic import SETUP, notebook
from worker.attempt import run_attempt
from worker.warm import WarmServer

BUNDLE = {
    **SLOW_BUNDLE,
    "assignment.yaml": SLOW_BUNDLE["assignment.yaml"].replace(
        b"cell_seconds: 20", b"cell_seconds: 6, memory_mib: 600"
    ),
}
RIGHT_ANSWERS = ("squares = [0, 1, 4]\npart1.check()", "total = sum(numbers)\npart2.check()")
WRONG_ANSWERS = ("squares = [0, 1, 2]\npart1.check()", "total = -1\npart2.check()")


@dataclass(frozen=True)
class Graded:
    """A run's evidence and each part's status and message."""

    evidence: Evidence
    statuses: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def status(self) -> str:
        return self.evidence.run.status


@cache
def _assignment() -> Assignment:
    return Assignment.from_files(BUNDLE)


@cache
def _reference(server: WarmServer) -> Evidence:
    """The author's run, once a server: it computes what part2 is compared with."""
    done = run_attempt(BUNDLE["reference.ipynb"], _assignment(), BUNDLE, server, reference=True)
    return done.evidence


def grade(server: WarmServer, *cells: str) -> Graded:
    """Set the tiny assignment up, run ``cells`` and judge: part1 wants ``squares``, part2 ``total``."""
    done = run_attempt(notebook(SETUP, *cells), _assignment(), BUNDLE, server)
    info = SubmissionInfo(id="1", student="ada", notebook=done.evidence.notebook, attempt=1)
    parts = judge(_assignment(), done.evidence, _reference(server), info).parts
    statuses, messages = zip(*((part.status, part.message) for part in parts), strict=True)
    return Graded(done.evidence, statuses, messages)
