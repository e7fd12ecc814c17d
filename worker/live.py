"""Judges parts while their notebook still runs, for those who watch.

The thread that reads the kernel's evidence must not wait for a judge, or the student's code would; so a
thread of its own judges the newest snapshot of each part. What it says is provisional: the verdict that
counts is made from the whole run.
"""

from __future__ import annotations

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
from worker.telling import Teller

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
        self._told: dict[str, PartFeedback] = {}
        self._taken: dict[str, Evidence] = {}
        self._work = {
            part.id: _records(part) for part in assignment.plan().parts if part.calls or part.queries
        }
        self._teller = Teller(self._judge, every=PAUSE_SECONDS, name="live-judge")

    def captured(self, part: str, evidence: Callable[[], Evidence]) -> None:
        """A part's check has run; ``evidence`` makes what to judge it by. Returns at once."""
        self._teller.give((part, evidence), about=part)

    def __enter__(self) -> Self:
        self._teller.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What waits still need not be judged: the run's own verdict comes now."""
        self._teller.__exit__(kind, error, trace)

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

    def _judge(self, captured: tuple[str, Callable[[], Evidence]]) -> None:
        part, evidence = captured
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
