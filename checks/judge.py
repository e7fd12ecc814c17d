"""The judge: evidence in, feedback out. A pure function; equal arguments give equal bytes.

A part's way: which snapshot decides; was the part attempted, or did the student's own code stop it; how its
checks come out; and, where they do not pass, whether a known misconception explains why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from checks.answers import judge_answer
from checks.assignment import Assignment
from checks.attempted import LIMITS, Stop, earlier_cause, is_placeholder, is_untouched, stopping_cell
from checks.evidence import BadFrameError, Evidence, Frame, Snapshot
from checks.evidence import values as v
from checks.feedback import Feedback, PartFeedback, RunInfo, SubmissionInfo, assignment_info, max_total, total
from checks.part_message import gated
from checks.spec.models import Part
from checks.spec.template import end_once, escape, fill
from checks.verdict import Case, Values, Verdict, not_judged, unjudged

BY_HAND = "A person marks this part."
NONE = (
    "{name} is None, though the notebook assigns something to it: what stands there gives no value, "
    "as a call that only prints does."
)


def judge(
    assignment: Assignment, evidence: Evidence, reference: Evidence | None, submission: SubmissionInfo
) -> Feedback:
    """Judge one attempt. ``reference`` is the evidence of the author's run,
    needed where the spec compares with it.
    """
    verdicts: dict[str, Verdict] = {}
    for part in assignment.parts:
        verdict = _judge_part(assignment, part, evidence, reference, verdicts)
        verdicts[part.id] = _gated(part, verdict, verdicts)
    parts = tuple(_part_feedback(part, verdicts[part.id]) for part in assignment.parts)
    run, seed, capped = evidence.run, _seed(assignment, evidence), assignment.spec.bonus == "capped"
    return Feedback(
        assignment=assignment_info(assignment),
        submission=submission,
        run=RunInfo(run.status, run.seconds, run.environment, run.memory_limit, seed),
        score=total(parts, capped=capped),
        max_score=max_total(parts),
        parts=parts,
        capped=capped,
    )


def judge_part(
    assignment: Assignment, part_id: str, evidence: Evidence, reference: Evidence | None
) -> PartFeedback:
    """Judge one part from the evidence so far, while the notebook runs: the final verdict may differ.

    What hangs on other parts (gates, what follows from an earlier mistake) is left to the final verdict.
    Raises KeyError where the assignment has no such part.
    """
    part = {part.id: part for part in assignment.parts}[part_id]
    return _part_feedback(part, _judge_part(assignment, part, evidence, reference, {}))


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
        bonus=part.bonus,
    )


def _gated(part: Part, verdict: Verdict, earlier: Mapping[str, Verdict]) -> Verdict:
    """A part with some credit counts only where the parts that it needs are right.

    Where one of these could not be judged, neither can this one.
    """
    if verdict.credit <= 0:
        return verdict
    wrong = [name for name in part.needs if earlier[name].status != "correct"]
    if any(earlier[name].status == "unjudged" for name in wrong):
        return unjudged(part, "a part that it builds on could not be judged")
    if not wrong:
        return verdict
    return replace(verdict, status="incorrect", credit=0.0, message=gated(wrong), misconception=None)


def _seed(assignment: Assignment, evidence: Evidence) -> int | None:
    """What the run's random generators began with: as the frames tell it, else as the spec asks for it."""
    for snapshot in evidence.snapshots:
        try:
            found = snapshot.decode().seed
        except BadFrameError:
            continue
        if found is not None:
            return found
    return assignment.spec.seed


def _judge_part(
    assignment: Assignment,
    part: Part,
    evidence: Evidence,
    reference: Evidence | None,
    earlier: Mapping[str, Verdict],
) -> Verdict:
    if not part.graded:
        return Verdict("ungraded", "A question to think about: it is not graded.")
    if evidence.run.status == "system_error":
        return unjudged(part, evidence.run.detail or "the run failed")
    if evidence.run.status == "rejected":
        return not_judged(
            part,
            "error",
            f"The notebook could not be run: {escape(evidence.run.detail or 'no reason given')}",
        )
    try:
        case = case_of(assignment, part, evidence, reference, earlier)
    except BadFrameError:
        text = "What your notebook sent as the values of this part was not written by the grader's own code."
        return not_judged(part, "error", text)
    return _judge_by_hand(case) if part.marked_by == "hand" else _judge_values(case)


def case_of(
    assignment: Assignment,
    part: Part,
    evidence: Evidence,
    reference: Evidence | None,
    earlier: Mapping[str, Verdict] = MappingProxyType({}),
) -> Case:
    """What the checks of a part look at: the student's values that decide, and the author's.

    Raises BadFrameError where the student's values cannot be read.
    """
    expected, fault = _reference_values(reference, part)
    snapshot, values = _deciding(part, evidence)
    values = {**values, **_work_done(evidence, snapshot)}
    return Case(part, evidence, assignment.starter, expected, fault, snapshot, values, earlier)


def _judge_by_hand(case: Case) -> Verdict:
    """A person gives the points; whether there is anything to mark, and what the checks found, is told."""
    if not case.part.answers and not case.part.not_attempted:
        return Verdict("needs_review", BY_HAND, cell=case.cell)
    found = _judge_values(case)
    if found.status in ("not_attempted", "error"):
        return found
    return replace(found, status="needs_review", message=BY_HAND, credit=0.0)


def _without(part: Part, name: str) -> str:
    """What is said of an answer that is not there; students do not know the names of files and plots."""
    product = part.products.get(name, "")
    if product.startswith("file:"):
        return f"There is no file {escape(product.removeprefix('file:'))} when the check of this part runs."
    if product:
        return "No plot has been drawn when the check of this part runs."
    return f"{escape(name)} has no value when the check of this part runs."


def _judge_values(case: Case) -> Verdict:
    """Crash, untouched, or an answer: in this order, for a crash may leave the placeholder behind."""
    part, cell = case.part, case.cell
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
        return not_judged(part, "not_attempted", _untouched_message(case), cell)
    broken = next(
        (node for name in part.answers if isinstance(node := case.values.get(name), v.Broken)), None
    )
    if broken is not None:
        return not_judged(part, "incorrect", f"The value could not be read: {escape(broken.why)}.", cell)
    empty = [name for name in part.answers if isinstance(case.values.get(name), v.Nothing)]
    if empty and is_placeholder(part, case.values):
        return not_judged(part, "incorrect", NONE.format(name=escape(empty[0])), cell)
    missing = [name for name in part.answers if name not in case.values]
    if missing:
        return not_judged(part, "incorrect", _without(part, missing[0]), cell)
    return judge_answer(case)


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


def _work_done(
    evidence: Evidence, snapshot: Snapshot | None, decode: Callable[[Snapshot], Frame] = Snapshot.decode
) -> Values:
    """What came out of the calls and queries made right after ``snapshot``. Raises BadFrameError."""
    for each in evidence.snapshots if snapshot else ():
        if snapshot and (each.part, each.trigger) == (f"{snapshot.part}()", snapshot.trigger):
            return decode(each).values if each.cell == snapshot.cell else {}
    return {}


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
        deciding, own = _deciding(part, reference, Snapshot.decode_shared)
        return {**values, **own, **_work_done(reference, deciding, Snapshot.decode_shared)}, ""
    except BadFrameError as error:
        return None, f"the reference run left no readable values ({error})"


def _stopped(part: Part, stop: Stop, evidence: Evidence) -> Verdict:
    """The verdict on a part whose code stopped: first what the author knows of the exception, then itself."""
    verdict = not_judged(part, "error", _stop_message(stop, evidence), stop.cell.index)
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


def decided_by(part: Part, evidence: Evidence) -> Values:
    """The values that decide a part, with what its calls and queries came to; raises BadFrameError."""
    snapshot, values = _deciding(part, evidence)
    return {**values, **_work_done(evidence, snapshot)}
