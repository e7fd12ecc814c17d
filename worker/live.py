"""Judges parts while their notebook still runs, for those who watch.

The thread that reads the kernel's evidence must not wait for a judge, or the student's code would; so a
thread of its own judges the newest snapshot of each part. What it says is provisional: the verdict that
counts is made from the whole run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
import structlog

from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.evidence.values import Sequence
from checks.feedback import PartFeedback
from checks.judge import judge_part
from checks.plan import PartPlan

# A check in a loop is judged this often at most.
PAUSE_SECONDS = 0.2
# The frame of a part's calls and queries has the part's id and this.
WORK = "()"

log = structlog.get_logger()


class LiveJudge:
    """A context; ``tell`` gets each part whose verdict is new, in this judge's thread."""

    def __init__(
        self, assignment: Assignment, reference: Evidence | None, tell: Callable[[PartFeedback], None]
    ) -> None:
        self._assignment = assignment
        self._reference = reference
        self._tell = tell
        self._waiting: dict[str, Callable[[], Evidence]] = {}
        self._told: dict[str, PartFeedback] = {}
        self._taken: dict[str, Evidence] = {}
        self._work = {
            part.id: _records(part) for part in assignment.plan().parts if part.calls or part.queries
        }
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-judge", daemon=True)

    def captured(self, part: str, evidence: Callable[[], Evidence]) -> None:
        """A part's check has run; ``evidence`` makes what to judge it by. Returns at once."""
        with self._wake:
            self._waiting[part] = evidence
            self._wake.notify()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What waits still need not be judged: the run's own verdict comes now."""
        with self._wake:
            self._stopping.set()
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._stopping.is_set())
                waiting, self._waiting = self._waiting, {}
            for part, evidence in waiting.items():
                if self._stopping.is_set():
                    return
                self._judge(part, evidence)
            if self._stopping.wait(PAUSE_SECONDS):
                return

    def _so_far(self, part: str) -> Evidence:
        """What was taken of a part last, with the calls made on it."""
        taken = [self._taken[name] for name in (part, part + WORK) if name in self._taken]
        snapshots = tuple(snapshot for each in taken for snapshot in each.snapshots)
        return msgspec.structs.replace(taken[-1], snapshots=snapshots)

    def _has_all(self, name: str, part: str) -> bool:
        """Whether all that a part is judged by has come: its calls are in a frame of their own, which comes
        behind the snapshot, again and again while they are made.
        """
        if name not in self._work:
            return True
        if part == name:
            return False
        values = self._taken[part].snapshots[0].decode().values
        made = {key: value.items for key, value in values.items() if isinstance(value, Sequence)}
        return all(len(made.get(key, ())) >= count for key, count in self._work[name].items())

    def _judge(self, part: str, evidence: Callable[[], Evidence]) -> None:
        name = part.removesuffix(WORK)
        try:
            self._taken[part] = evidence()
            if not self._has_all(name, part):
                return
            verdict = judge_part(self._assignment, name, self._so_far(name), self._reference)
            if verdict.status != "unjudged" and self._told.get(name) != verdict:
                self._tell(verdict)
                self._told[name] = verdict
        # It is told to nobody and no mark hangs on it; a real bug shows again when the run is judged.
        except Exception:
            log.exception("a part could not be judged while its notebook ran", part=part)


def _records(part: PartPlan) -> dict[str, int]:
    """By check: how many records its calls or queries leave when all of them have been made."""
    calls = {plan.key: sum(case.repeats for case in plan.cases) for plan in part.calls}
    return calls | {plan.key: len(plan.databases) for plan in part.queries}
