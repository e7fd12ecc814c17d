"""An assignment's rehearsal: everything whose verdict the author knows is run in the real sandbox.

What came out is looked through for verdicts that are not as they must be, for messages that tell the answer,
and for what nothing tried.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from checks.answers import judge_answer
from checks.assignment import Assignment
from checks.bundle import STARTER
from checks.evidence import BadFrameError, Evidence
from checks.judge import case_of
from grader.authoring.coverage import Finding, passed_untouched, telling, untried, without_hints
from grader.authoring.plays import Material, Play, key, plays
from grader.local import Graded

UNRUN = ("system_error",)


class Grader(Protocol):
    """What runs and judges; ``grader.local.LocalGrader`` is one."""

    assignment: Assignment

    @property
    def reference(self) -> Evidence | None:
        """The author's evidence; None where the assignment needs none."""

    def grade(self, notebook: bytes, student: str) -> Graded:
        """Run and judge one notebook."""


class Played(msgspec.Struct, frozen=True):
    """How one notebook came out: statuses by part, seconds of wall time, the most memory in MiB."""

    sort: str
    name: str
    ok: bool
    run: str
    seconds: float
    peak_mib: float | None
    statuses: dict[str, str]


class PartCost(msgspec.Struct, frozen=True):
    """A part in figures; judging in milliseconds of wall time over all runs: the median and the most."""

    id: str
    title: str
    points: float
    checks: int
    misconceptions: int
    hints: int
    judging_ms: float
    judging_most_ms: float


class Rehearsal(msgspec.Struct, frozen=True):
    """Everything that a rehearsal found; ``schema`` is never broken without a new number."""

    assignment: str
    version: str
    points: float
    played: tuple[Played, ...]
    parts: tuple[PartCost, ...]
    findings: tuple[Finding, ...]
    schema: str = "rehearsal/1"

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.level == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        """How many are warnings."""
        return len(self.findings) - self.errors


def rehearse(
    found: Material,
    grader: Grader,
    *,
    samples_only: bool = False,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> Rehearsal:
    """Run and judge everything; ``done`` is called after each notebook. Equal notebooks run once."""
    assignment = grader.assignment
    chosen = plays(found, assignment, samples_only=samples_only)
    graded = _graded(chosen, grader, jobs, done)
    results = [graded[key(play.notebook)] for play in chosen]
    findings = [
        *_verdicts(chosen, results),
        *_leaks(chosen, results, grader),
        *([] if samples_only else _starter(graded.get(key(found.files[STARTER])), grader)),
        *untried(assignment, [each.feedback for each in results]),
        *without_hints(assignment),
        *_unclaimed(found, samples_only=samples_only),
    ]
    return Rehearsal(
        assignment=assignment.id,
        version=assignment.version,
        points=sum(part.points for part in assignment.parts if part.graded and not part.bonus),
        played=tuple(_played(play, result) for play, result in zip(chosen, results, strict=True)),
        parts=_costs(assignment, results, grader.reference),
        findings=tuple(sorted(findings, key=lambda finding: finding.level)),
    )


def _graded(chosen: list[Play], grader: Grader, jobs: int, done: Callable[[], None]) -> dict[str, Graded]:
    first = {key(play.notebook): play for play in reversed(chosen)}
    order = list(dict.fromkeys(key(play.notebook) for play in chosen))

    def run(name: str) -> Graded:
        result = grader.grade(first[name].notebook, first[name].name)
        done()
        return result

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(order, pool.map(run, order), strict=True))


def _verdicts(chosen: list[Play], results: list[Graded]) -> Iterator[Finding]:
    for play, result in zip(chosen, results, strict=True):
        code = "claim" if play.sort == "cell" else play.sort
        if result.feedback.run.status in UNRUN:
            why = result.feedback.parts[0].message if result.feedback.parts else ""
            yield Finding(
                "error", "not_run", play.title, f"could not be run, by a fault of the grader: {why}"
            )
            continue
        for what in play.misses(result.feedback):
            yield Finding("error", code, play.title, what)


def _leaks(chosen: list[Play], results: list[Graded], grader: Grader) -> Iterator[Finding]:
    """One finding a part and value, however many messages tell it."""
    told: set[tuple[str, str]] = set()
    for play, result in zip(chosen, results, strict=True):
        if result.evidence is None:
            continue
        for finding in telling(
            grader.assignment, play.title, result.feedback, result.evidence, grader.reference
        ):
            value = (finding.where.rpartition(", ")[2], finding.what.partition(": ")[0])
            if value not in told:
                told.add(value)
                yield finding


def _starter(starter: Graded | None, grader: Grader) -> Iterator[Finding]:
    if starter is not None and starter.evidence is not None:
        yield from passed_untouched(grader.assignment, starter.evidence, grader.reference)


def _unclaimed(found: Material, *, samples_only: bool) -> Iterator[Finding]:
    if not found.samples:
        yield Finding("warning", "no_samples", "submissions", "there are no sample submissions")
    for claim in () if samples_only else found.claims:
        if not claim.parts:
            what = f"says {claim.word!r}, but calls the check of no graded part"
            yield Finding("warning", "empty_claim", f"cell {claim.cell}", what)


def _played(play: Play, result: Graded) -> Played:
    feedback = result.feedback
    return Played(
        sort=play.sort,
        name=play.name,
        ok=not any(play.misses(feedback)) and feedback.run.status not in UNRUN,
        run=feedback.run.status,
        seconds=feedback.run.seconds,
        peak_mib=None if result.peak_bytes is None else round(result.peak_bytes / (1 << 20), 1),
        statuses={part.id: part.status for part in feedback.parts},
    )


def _costs(assignment: Assignment, results: list[Graded], reference: Evidence | None) -> tuple[PartCost, ...]:
    costs = []
    for part in assignment.parts:
        clocked = [0.0]
        for result in results if part.graded else ():
            if result.evidence is None or result.feedback.run.status == "rejected":
                continue
            began = time.perf_counter()
            try:
                judge_answer(case_of(assignment, part, result.evidence, reference))
            except BadFrameError:
                continue
            clocked.append(1000 * (time.perf_counter() - began))
        times = clocked[1:] or clocked
        costs.append(
            PartCost(
                id=part.id,
                title=part.title,
                points=part.points if part.graded else 0.0,
                checks=len(part.checks),
                misconceptions=len(part.misconceptions) + len(part.crashes),
                hints=len(part.hints),
                judging_ms=round(statistics.median(times), 3),
                judging_most_ms=round(max(times), 3),
            )
        )
    return tuple(costs)
