"""The judge: evidence in, feedback out. A pure function; equal arguments give equal bytes.

A part's way: which snapshot decides; was the part attempted, or did the student's own code stop it; how its
checks come out; and, where they do not pass, whether a known misconception explains why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from checks.assignment import Assignment
from checks.attempted import LIMITS, Stop, earlier_cause, is_placeholder, is_untouched, stopping_cell
from checks.errors import MissingReferenceError
from checks.evidence import BadFrameError, Evidence, Frame, Snapshot
from checks.evidence import values as v
from checks.feedback import (
    CheckFeedback,
    CheckOutcome,
    Feedback,
    PartFeedback,
    PartStatus,
    RunInfo,
    SubmissionInfo,
    assignment_info,
    total,
)
from checks.scene import Outcome, Scene
from checks.spec.models import Misconception, Part
from checks.spec.template import end_once, escape, fill

Values = Mapping[str, v.AnyNode]
HIDDEN = "A check that is not shown did not pass."
NONE = (
    "{name} is None, though the notebook assigns something to it: what stands there gives no value, "
    "as a call that only prints does."
)
UNJUDGED = "This part could not be judged, and it is not your fault: {why}."


@dataclass(frozen=True)
class Verdict:
    """How one part came out; ``credit`` from 0 to 1 of its points."""

    status: PartStatus
    message: str
    credit: float = 0.0
    misconception: str | None = None
    cell: int | None = None
    checks: tuple[CheckFeedback, ...] = ()


@dataclass(frozen=True)
class Case:
    """One part with everything that its verdict follows from."""

    part: Part
    evidence: Evidence
    starter: tuple[str, ...]
    reference: Values | None
    reference_fault: str = ""
    snapshot: Snapshot | None = None
    values: Values = field(default_factory=dict)


def judge(
    assignment: Assignment, evidence: Evidence, reference: Evidence | None, submission: SubmissionInfo
) -> Feedback:
    """Judge one attempt. ``reference`` is the evidence of the author's run,
    needed where the spec compares with it.
    """
    parts = tuple(
        _part_feedback(part, _judge_part(assignment, part, evidence, reference)) for part in assignment.parts
    )
    run = evidence.run
    return Feedback(
        assignment=assignment_info(assignment),
        submission=submission,
        run=RunInfo(run.status, run.seconds, run.environment, run.memory_limit),
        score=total(parts),
        max_score=round(sum(part.max_score for part in parts), 6),
        parts=parts,
    )


def judge_part(
    assignment: Assignment, part_id: str, evidence: Evidence, reference: Evidence | None
) -> PartFeedback:
    """Judge one part from the evidence so far, while the notebook runs: the final verdict may differ.

    Raises KeyError where the assignment has no such part.
    """
    part = {part.id: part for part in assignment.parts}[part_id]
    return _part_feedback(part, _judge_part(assignment, part, evidence, reference))


def _part_feedback(part: Part, verdict: Verdict) -> PartFeedback:
    most = part.points if part.graded else 0.0
    wanting = verdict.status in ("partial", "incorrect", "not_attempted", "error")
    return PartFeedback(
        id=part.id,
        title=part.title,
        status=verdict.status,
        score=round(most * verdict.credit, 6),
        max_score=most,
        message=verdict.message,
        misconception=verdict.misconception,
        hints=tuple(part.hints) if wanting else (),
        cell=verdict.cell,
        checks=verdict.checks,
    )


def _judge_part(
    assignment: Assignment, part: Part, evidence: Evidence, reference: Evidence | None
) -> Verdict:
    if not part.graded:
        return Verdict("ungraded", "A question to think about: it is not graded.")
    if evidence.run.status == "system_error":
        return _unjudged(part, evidence.run.detail or "the run failed")
    if evidence.run.status == "rejected":
        return _not_judged(
            part,
            "error",
            f"The notebook could not be run: {escape(evidence.run.detail or 'no reason given')}",
        )
    expected, fault = _reference_values(reference, part)
    try:
        snapshot, values = _deciding(part, evidence)
    except BadFrameError:
        text = "What your notebook sent as the values of this part was not written by the grader's own code."
        return _not_judged(part, "error", text)
    return _judge_values(Case(part, evidence, assignment.starter, expected, fault, snapshot, values))


def _judge_values(case: Case) -> Verdict:
    """Crash, untouched, or an answer: in this order, for a crash may leave the placeholder behind."""
    part, cell = case.part, case.snapshot.cell if case.snapshot else None
    untouched = is_untouched(part, case.values, case.evidence, case.snapshot, case.starter)
    rule = part.not_attempted
    stop = (
        None
        if untouched and rule and rule.unassigned
        else stopping_cell(part, case.evidence, case.snapshot, case.values)
    )
    if stop is not None:
        return _stopped(part, stop, case.evidence)
    if untouched:
        return _not_judged(part, "not_attempted", _untouched_message(case), cell)
    broken = next(
        (node for name in part.answers if isinstance(node := case.values.get(name), v.Broken)), None
    )
    if broken is not None:
        return _not_judged(part, "incorrect", f"The value could not be read: {escape(broken.why)}.", cell)
    empty = [name for name in part.answers if isinstance(case.values.get(name), v.Nothing)]
    if empty and is_placeholder(part, case.values):
        return _not_judged(part, "incorrect", NONE.format(name=escape(empty[0])), cell)
    missing = [name for name in part.answers if name not in case.values]
    if missing:
        return _not_judged(
            part, "incorrect", f"{escape(missing[0])} has no value when the check of this part runs.", cell
        )
    return _judge_answer(case)


def _judge_answer(case: Case) -> Verdict:
    if case.reference_fault:
        return _unjudged(case.part, case.reference_fault)
    outcomes: dict[str, Outcome] = {}
    skipped: set[str] = set()
    named = case.part.named_checks()
    try:
        for name, check in named.items():
            if all(need in outcomes and outcomes[need].passed for need in check.needs):
                outcomes[name] = check.evaluate(Scene(case.values, case.reference, outcomes))
            else:
                skipped.add(name)
    except MissingReferenceError as error:
        return _unjudged(case.part, str(error))
    credit = _credit(case.part, outcomes)
    found = _misconception(case, outcomes) if credit < 1 else None
    if found is not None and found[0].credit is not None:
        credit = found[0].credit
    return Verdict(
        status="correct" if credit >= 1 else "partial" if credit > 0 else "incorrect",
        message=case.part.correct
        if credit >= 1
        else found[1]
        if found
        else _worst_message(case.part, outcomes),
        credit=credit,
        misconception=found[0].id if found else None,
        cell=case.snapshot.cell if case.snapshot else None,
        checks=_check_feedback(case.part, outcomes),
    )


def _credit(part: Part, outcomes: Mapping[str, Outcome]) -> float:
    """The lowest credit, or the mean by weight in which a skipped check counts nothing."""
    if part.credit == "lowest":
        return min((outcome.credit for outcome in outcomes.values()), default=0.0)
    weights = {name: check.weight for name, check in part.named_checks().items()}
    return sum(weights[name] * outcome.credit for name, outcome in outcomes.items()) / sum(weights.values())


def _misconception(case: Case, outcomes: Mapping[str, Outcome]) -> tuple[Misconception, str] | None:
    """The first misconception that explains the answer, with its message."""
    scene = Scene(case.values, case.reference, outcomes)
    for each in case.part.misconceptions:
        try:
            outcome = each.when.evaluate(scene)
        except MissingReferenceError:
            # The grade does not hang on an explanation: an author's slip in one must not keep the part
            # unjudged.
            continue
        if outcome.credit > 0:
            return each, fill(each.message, outcome.facts)
    return None


def _worst_message(part: Part, outcomes: Mapping[str, Outcome]) -> str:
    """The message of the check with the least credit (the first of equals) among those that students may
    see.
    """
    named = part.named_checks()
    failed = [name for name, outcome in outcomes.items() if not outcome.passed]
    shown = [name for name in failed if not named[name].hidden]
    return (
        min((outcomes[name] for name in shown), key=lambda outcome: outcome.credit).message
        if shown
        else HIDDEN
    )


def _check_feedback(part: Part, outcomes: Mapping[str, Outcome]) -> tuple[CheckFeedback, ...]:
    rows = []
    for name, check in part.named_checks().items():
        outcome = outcomes.get(name)
        result: CheckOutcome = "skipped" if outcome is None else "passed" if outcome.passed else "failed"
        rows.append(CheckFeedback(name, result, outcome.message if outcome else "", check.weight))
    return tuple(rows)


def _deciding(
    part: Part, evidence: Evidence, decode: Callable[[Snapshot], Frame] = Snapshot.decode
) -> tuple[Snapshot | None, Values]:
    """The snapshot that decides, with its values: the last check's, else the last binding's, else the end's.

    Without a check, values that are still the placeholder give way to those of the end: the student may have
    changed the object in place. Raises BadFrameError.
    """
    by_trigger = {snapshot.trigger: snapshot for snapshot in evidence.snapshots if snapshot.part == part.id}
    if "check" in by_trigger:
        return by_trigger["check"], decode(by_trigger["check"]).values
    for trigger in ("bound", "end"):
        snapshot = by_trigger.get(trigger)
        if snapshot is None:
            continue
        values = decode(snapshot).values
        if trigger == "end" or "end" not in by_trigger or not is_placeholder(part, values):
            return snapshot, values
    return None, {}


def _reference_values(reference: Evidence | None, part: Part) -> tuple[Values | None, str]:
    """The author's values for a part (its own snapshot, and what was taken at the end),
    or why there are none.
    """
    if reference is None:
        return None, ""
    try:
        values: dict[str, v.AnyNode] = {}
        for snapshot in reference.snapshots:
            if snapshot.trigger == "end":
                values.update(snapshot.decode_shared().values)
        return {**values, **_deciding(part, reference, Snapshot.decode_shared)[1]}, ""
    except BadFrameError as error:
        return None, f"the reference run left no readable values ({error})"


def _stopped(part: Part, stop: Stop, evidence: Evidence) -> Verdict:
    """The verdict on a part whose code stopped: first what the author knows of the exception, then itself."""
    verdict = _not_judged(part, "error", _stop_message(stop, evidence), stop.cell.index)
    error = stop.cell.error
    for crash in part.crashes:
        if error is not None and crash.explains(error.name, error.message):
            return replace(
                verdict, message=f"{fill(crash.message, {})} {verdict.message}", misconception=crash.id
            )
    return verdict


def _stop_message(stop: Stop, evidence: Evidence) -> str:
    """What stopped the part, as the student's own traceback tells it, and where it began."""
    if stop.cell.error is None:
        why = LIMITS.get(evidence.run.status, "the run ended there")
        return (
            f"The run was stopped in code cell {stop.number}: {why}. What comes after it could not be judged."
        )
    text = f"Your code stopped before this part could be judged: {_error_text(stop)}."
    cause = earlier_cause(stop, evidence)
    if cause is not None and cause.cell.error is not None:
        text += f" It began earlier: {_error_text(cause)}."
    return end_once(text)


def _error_text(stop: Stop) -> str:
    error = stop.cell.error
    if error is None:
        return f"code cell {stop.number}"
    line = f", line {error.line}" if error.line else ""
    message = escape(error.message).rstrip(".")
    return f"{escape(error.name)} in code cell {stop.number}{line}" + (f": {message}" if message else "")


def _untouched_message(case: Case) -> str:
    names = ", ".join(map(escape, case.part.answers))
    if not any(name in case.values for name in case.part.answers):
        return f"{names}: there is no answer to this part in the notebook yet."
    return f"{names}: still as the exercise gave it. Fill in your answer and run the cell again."


def _not_judged(part: Part, status: PartStatus, message: str, cell: int | None = None) -> Verdict:
    checks = tuple(
        CheckFeedback(name, "skipped", "", check.weight) for name, check in part.named_checks().items()
    )
    return Verdict(status, message, cell=cell, checks=checks)


def _unjudged(part: Part, why: str) -> Verdict:
    checks = tuple(
        CheckFeedback(name, "unjudged", "", check.weight) for name, check in part.named_checks().items()
    )
    return Verdict("unjudged", UNJUDGED.format(why=escape(why).rstrip(".")), checks=checks)
