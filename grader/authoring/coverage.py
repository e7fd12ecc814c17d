"""What a rehearsal's runs never showed: checks and misconceptions that nothing tried, parts without hints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from checks.answers import judge_answer
from checks.assignment import Assignment
from checks.evidence import BadFrameError, Evidence
from checks.feedback import CheckFeedback, Feedback, student_view
from checks.judge import case_of
from checks.spec.models import Part
from grader.authoring.leaks import leaked

Level = Literal["error", "warning"]
WRONG = ("partial", "incorrect", "needs_review")


class Finding(msgspec.Struct, frozen=True):
    """One thing that a rehearsal found. ``code`` names its sort, ``where`` the run or the part.

    Errors: ``reference``, ``starter``, ``claim``, ``sample``, ``leak``, ``not_run``. Warnings:
    ``never_failed``, ``starter_passes``, ``untriggered``, ``no_hints``, ``empty_claim``, ``no_samples``.
    """

    level: Level
    code: str
    where: str
    what: str


def untried(assignment: Assignment, seen: Iterable[Feedback]) -> Iterator[Finding]:
    """Checks that none of the runs failed, misconceptions and crashes that none met."""
    failed: set[tuple[str, str]] = set()
    met: set[tuple[str, str | None]] = set()
    for feedback in seen:
        for part in feedback.parts:
            failed |= {(part.id, check.id) for check in part.checks if check.outcome == "failed"}
            met.add((part.id, part.misconception))
    for spec in _graded(assignment):
        for name in spec.named_checks():
            if (spec.id, name) not in failed:
                what = f"no sample and no test cell fails the check {name}, so nothing shows that it can"
                yield Finding("warning", "never_failed", spec.id, what)
        for name in [*(each.id for each in spec.misconceptions), *(each.id for each in spec.crashes)]:
            if (spec.id, name) not in met:
                what = f"no sample and no test cell comes to {name}"
                yield Finding("warning", "untriggered", spec.id, what)


def without_hints(assignment: Assignment) -> Iterator[Finding]:
    """Parts that leave a student who is stuck alone."""
    for spec in _graded(assignment):
        if not spec.hints:
            yield Finding("warning", "no_hints", spec.id, "the part has no hints")


def passed_untouched(
    assignment: Assignment, evidence: Evidence, reference: Evidence | None
) -> Iterator[Finding]:
    """Checks that the starter's values pass. One that others need is a gate, and may."""
    for spec in _graded(assignment):
        gates = {need for check in spec.checks for need in check.needs}
        for check in _as_if_attempted(assignment, spec, evidence, reference):
            if check.outcome == "passed" and check.id not in gates:
                what = f"the starter passes the check {check.id}, so it tells nothing about an answer"
                yield Finding("warning", "starter_passes", spec.id, what)


def telling(
    assignment: Assignment, where: str, feedback: Feedback, evidence: Evidence, reference: Evidence | None
) -> Iterator[Finding]:
    """Messages to a wrong answer that hold an expected value which the student does not have."""
    specs = {part.id: part for part in assignment.parts}
    for part in student_view(feedback, assignment).parts:
        if part.status not in WRONG or not specs[part.id].graded:
            continue
        try:
            case = case_of(assignment, specs[part.id], evidence, reference)
        except BadFrameError:
            continue
        for value in sorted(leaked(case, part), key=str):
            what = f"the message tells the expected {value!r}: {part.message}"
            yield Finding("error", "leak", f"{where}, {part.id}", what)


def _as_if_attempted(
    assignment: Assignment, part: Part, evidence: Evidence, reference: Evidence | None
) -> tuple[CheckFeedback, ...]:
    try:
        return judge_answer(case_of(assignment, part, evidence, reference)).checks
    except BadFrameError:
        return ()


def _graded(assignment: Assignment) -> list[Part]:
    return [part for part in assignment.parts if part.graded]
