"""Judging an answer: its checks, the credit, what explains a mistake, what follows from an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.errors import MissingReferenceError
from checks.feedback import CheckFeedback, CheckOutcome, PartStatus
from checks.part_code import part_code
from checks.scene import Outcome, Scene
from checks.spec.audience import HIDDEN
from checks.spec.check import Check
from checks.spec.marking import Misconception, Steps
from checks.spec.models import Part
from checks.spec.template import fill
from checks.spec.unreachable import in_order
from checks.verdict import Case, Verdict, unjudged

WRONG: tuple[PartStatus, ...] = ("partial", "incorrect")


@dataclass(frozen=True)
class Judged:
    """The checks with how they came out (those that were skipped have no outcome), and the credit."""

    checks: Mapping[str, Check]
    outcomes: Mapping[str, Outcome]
    credit: float

    def feedback(self) -> tuple[CheckFeedback, ...]:
        """One entry a check, in the order of the spec."""
        return tuple(_entry(name, check, self.outcomes.get(name)) for name, check in self.checks.items())


def judge_answer(case: Case) -> Verdict:
    """The verdict on a part that was attempted and has values."""
    if case.reference_fault:
        return unjudged(case.part, case.reference_fault)
    try:
        judged = _judged(case, case.part.named_checks())
        carried = _carried(case) if judged.credit < 1 else None
    except MissingReferenceError as error:
        return unjudged(case.part, str(error))
    if carried is not None and carried.credit > judged.credit and case.part.carry_forward:
        message = fill(case.part.carry_forward.message, {})
        return _verdict(case, carried, carried.credit, message)
    return _explained(case, judged)


def _explained(case: Case, judged: Judged) -> Verdict:
    """The verdict with the misconception that explains a mistake, where one does."""
    if judged.credit >= 1:
        return _verdict(case, judged, judged.credit, _correct_message(case, judged))
    found = _misconception(case, judged.outcomes)
    if found is None:
        return _verdict(case, judged, judged.credit, _worst_message(judged))
    misconception, message = found
    credit = judged.credit if misconception.credit is None else misconception.credit
    return _verdict(case, judged, credit, message, misconception.id)


def _verdict(
    case: Case, judged: Judged, credit: float, message: str, misconception: str | None = None
) -> Verdict:
    status: PartStatus = "correct" if credit >= 1 else "partial" if credit > 0 else "incorrect"
    return Verdict(status, message, credit, misconception, case.cell, judged.feedback())


def _judged(case: Case, checks: Mapping[str, Check]) -> Judged:
    """Every check whose needs have passed; raises MissingReferenceError."""
    outcomes: dict[str, Outcome] = {}
    for name in in_order(checks):
        if all(need in outcomes and outcomes[need].passed for need in checks[name].needs):
            outcomes[name] = checks[name].evaluate(_scene(case, outcomes))
    return Judged(checks, outcomes, _credit(case.part, checks, outcomes))


def _carried(case: Case) -> Judged | None:
    """The part by what follows from the student's own earlier values; None where no earlier part is wrong."""
    carry = case.part.carry_forward
    if carry is None or not any(
        case.earlier[name].status in WRONG for name in carry.after if name in case.earlier
    ):
        return None
    instead = {check.id or check.word: check for check in carry.checks}
    checks = {name: instead.get(name, check) for name, check in case.part.named_checks().items()}
    found = _judged(case, checks)
    return Judged(found.checks, found.outcomes, min(found.credit, carry.credit))


def _credit(part: Part, checks: Mapping[str, Check], outcomes: Mapping[str, Outcome]) -> float:
    """The lowest credit, the mean by weight in which a skipped check counts nothing, or that of the step
    before the first check that fell short."""
    if not checks:
        return 0.0
    if isinstance(part.credit, Steps):
        passed = [name in outcomes and outcomes[name].passed for name in checks]
        reached = passed.index(False) if False in passed else len(passed)
        return part.credit.steps[reached - 1] if reached else 0.0
    if part.credit == "lowest":
        return min((outcome.credit for outcome in outcomes.values()), default=0.0)
    weights = {name: check.weight for name, check in checks.items()}
    return sum(weights[name] * outcomes[name].credit for name in checks if name in outcomes) / sum(
        weights.values()
    )


def _misconception(case: Case, outcomes: Mapping[str, Outcome]) -> tuple[Misconception, str] | None:
    """The first misconception that explains the answer, with its message."""
    for each in case.part.misconceptions:
        outcome = _looked_at(each.when, case, outcomes)
        if outcome.credit > 0:
            return each, fill(each.message, outcome.facts)
    return None


def _correct_message(case: Case, judged: Judged) -> str:
    """The part's own sentence, then the remarks on the answer, those of checks that everybody may read among
    them, each once."""
    texts = [
        outcome.remark
        for name, outcome in judged.outcomes.items()
        if judged.checks[name].message_audience == "always"
    ]
    for each in case.part.remarks:
        outcome = _looked_at(each.when, case, judged.outcomes)
        texts += [fill(each.message, outcome.facts)] if outcome.credit > 0 else []
    return " ".join([case.part.correct, *dict.fromkeys(filter(None, texts))])


def _looked_at(when: Check, case: Case, outcomes: Mapping[str, Outcome]) -> Outcome:
    """How a condition comes out; the grade does not hang on it, so that an author's slip in one (a reference
    value that is not there) must not keep the part unjudged."""
    try:
        return when.kind.judge(_scene(case, outcomes))
    except MissingReferenceError:
        return Outcome(0.0)


def _scene(case: Case, outcomes: Mapping[str, Outcome]) -> Scene:
    """What checks see; the notebook's cells only where a check of the part looks at code: most never do."""
    code = part_code(case.part, case.evidence, case.snapshot, case.starter) if case.part.reads_code else ()
    return Scene(case.values, case.reference, outcomes, code=code)


def _worst_message(judged: Judged) -> str:
    """The message of the check with the least credit (the first of equals) among those whose messages
    students may always see."""
    shown = [
        judged.outcomes[name]
        for name, check in judged.checks.items()
        if check.message_audience == "always" and name in judged.outcomes and not judged.outcomes[name].passed
    ]
    return min(shown, key=lambda outcome: outcome.credit).message if shown else HIDDEN


def _entry(name: str, check: Check, outcome: Outcome | None) -> CheckFeedback:
    if outcome is None:
        return CheckFeedback(name, "skipped", "", check.weight)
    result: CheckOutcome = "passed" if outcome.passed else "failed"
    message = outcome.remark if outcome.passed else outcome.message
    return CheckFeedback(name, result, message, check.weight, round(outcome.credit, 6))
