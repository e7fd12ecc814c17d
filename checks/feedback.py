"""Feedback as it leaves the judge: the schema ``feedback/1``, which is never broken without a new number.

``feedback.schema.json`` beside this file is its published JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from checks import part_message
from checks.assignment import Assignment
from checks.spec.audience import HIDDEN, Visible, narrower, shown
from checks.spec.check import Check
from checks.spec.models import Part
from checks.spec.template import escape

PartStatus = Literal[
    "correct", "partial", "incorrect", "not_attempted", "error", "ungraded", "needs_review", "unjudged"
]
LATER = "What was found is shown after the due date."
NEVER = "What was found is not shown."
CheckOutcome = Literal["passed", "failed", "skipped", "unjudged"]


class AssignmentInfo(msgspec.Struct, frozen=True):
    """Which assignment judged; ``version`` is the digest of its files."""

    id: str
    version: str
    title: str


class SubmissionInfo(msgspec.Struct, frozen=True):
    """What was judged; ``notebook`` is the digest of the notebook's bytes."""

    id: str
    student: str
    notebook: str
    attempt: int = 1


class RunInfo(msgspec.Struct, frozen=True):
    """How the run went: ``seconds`` of wall time, the ``seed`` of its random generators."""

    status: str
    seconds: float
    environment: str
    memory_limit: str
    seed: int | None = None


class CheckFeedback(msgspec.Struct, frozen=True):
    """One check of a part, with its ``credit`` from 0 to 1; ``message`` is what it says where it failed, or
    its remark."""

    id: str
    outcome: CheckOutcome
    message: str
    weight: float
    credit: float = 0.0


class PartFeedback(msgspec.Struct, frozen=True):
    """One part; ``message`` and ``hints`` are Markdown,
    ``cell`` is the notebook index of the cell that decided. The points of a ``bonus`` part count on top.
    """

    id: str
    title: str
    status: PartStatus
    score: float
    max_score: float
    message: str
    misconception: str | None = None
    hints: tuple[str, ...] = ()
    cell: int | None = None
    checks: tuple[CheckFeedback, ...] = ()
    bonus: bool = False


class Feedback(msgspec.Struct, frozen=True):
    """The whole judgement of one attempt, as the instructor sees it.

    ``score`` is the sum of the parts' scores. A part that is ``unjudged`` counts 0 in it: while there is one,
    ``score`` is no grade and must not be passed on as one; a part that ``needs_review`` waits for its points.
    ``max_score`` is without the bonus parts; where the score is ``capped``, they lift it only up to there.
    """

    assignment: AssignmentInfo
    submission: SubmissionInfo
    run: RunInfo
    score: float
    max_score: float
    parts: tuple[PartFeedback, ...]
    capped: bool = False
    schema: Literal["feedback/1"] = "feedback/1"

    def to_json(self) -> bytes:
        """The feedback on one line: equal feedback has equal bytes."""
        fields = msgspec.to_builtins(self)
        if not self.capped:  # told only where the assignment asks for it
            del fields["capped"]
        return msgspec.json.encode({"schema": fields.pop("schema"), **fields})

    @classmethod
    def from_json(cls, raw: bytes) -> Feedback:
        """Feedback again; raises msgspec.DecodeError on anything else."""
        return msgspec.json.decode(raw, type=cls)


@dataclass(frozen=True)
class Viewer:
    """A student before or after the due date."""

    due_is_past: bool

    def sees(self, visible: Visible) -> bool:
        """Whether such a thing is shown."""
        return shown(visible, due_is_past=self.due_is_past)


def student_view(
    feedback: Feedback, assignment: Assignment, *, now: datetime | None = None, due: datetime | None = None
) -> Feedback:
    """The feedback without what the spec keeps from students at the moment ``now``.

    Without ``now`` or a ``due`` date (both with a time zone, or both without), what waits for the due date is
    not shown. Where whole parts are hidden, ``score`` and ``max_score`` are those of the parts that are seen.
    A part that the assignment does not know is not shown either: it may be one that another version hides.
    """
    viewer = Viewer(due_is_past=now is not None and due is not None and now >= due)
    specs = {part.id: part for part in assignment.parts}
    unseen = {part.id for part in assignment.parts if not viewer.sees(part.visible)}
    parts = tuple(
        _part_view(part, specs[part.id], viewer, unseen)
        for part in feedback.parts
        if part.id in specs and part.id not in unseen
    )
    if len(parts) == len(feedback.parts):
        return msgspec.structs.replace(feedback, parts=parts)
    score, most = total(parts, capped=feedback.capped), max_total(parts)
    return msgspec.structs.replace(feedback, parts=parts, score=score, max_score=most)


def _part_view(found: PartFeedback, part: Part, viewer: Viewer, unseen: Set[str]) -> PartFeedback:
    named = part.named_checks()
    checks = tuple(
        _check_view(each, viewer.sees(named[each.id].message_audience))
        for each in found.checks
        if each.id in named and viewer.sees(named[each.id].audience)
    )
    if not viewer.sees(part.message_visible):
        silent = tuple(_check_view(each, False) for each in checks)
        later = narrower(part.message_visible, "after_due") == "after_due"
        return msgspec.structs.replace(
            found, checks=silent, message=LATER if later else NEVER, misconception=None
        )
    audiences: Mapping[str, Visible] = {each.id: each.visible for each in part.misconceptions}
    known = audiences.get(found.misconception or "", "always")
    if not viewer.sees(known):
        return msgspec.structs.replace(found, checks=checks, message=_from_checks(checks), misconception=None)
    message = _from_checks(checks) if found.message == HIDDEN else found.message
    message = part_message.for_students(message, part, unseen)
    if found.status == "correct" and message.startswith(part.correct):
        message = " ".join([message, *_later_remarks(checks, named)])
    return msgspec.structs.replace(found, checks=checks, message=message)


def _later_remarks(checks: tuple[CheckFeedback, ...], named: Mapping[str, Check]) -> list[str]:
    """The remarks that are seen now and were not in the judge's own message, where everybody reads them."""
    told = {each.message for each in checks if named[each.id].message_audience == "always"}
    later = [each.message for each in checks if each.outcome == "passed" and each.message not in {*told, ""}]
    return list(dict.fromkeys(later))


def _check_view(check: CheckFeedback, with_message: bool) -> CheckFeedback:
    return check if with_message else msgspec.structs.replace(check, message="")


def _from_checks(checks: tuple[CheckFeedback, ...]) -> str:
    """What the seen checks say, the one with the least credit first."""
    failed = [each for each in checks if each.outcome == "failed" and each.message]
    return min(failed, key=lambda each: each.credit).message if failed else HIDDEN


def assignment_info(assignment: Assignment) -> AssignmentInfo:
    """The assignment as feedback names it."""
    return AssignmentInfo(assignment.id, assignment.version, assignment.title)


def total(parts: tuple[PartFeedback, ...], *, capped: bool) -> float:
    """The sum of the parts' scores, without the dust of binary fractions; ``capped`` at the most."""
    found = round(sum(part.score for part in parts), 6)
    return min(found, max_total(parts)) if capped else found


def max_total(parts: tuple[PartFeedback, ...]) -> float:
    """The sum of the parts' points; what bonus parts give comes on top of it."""
    return round(sum(part.max_score for part in parts if not part.bonus), 6)


def system_error_feedback(assignment: Assignment, submission: SubmissionInfo, reason: str) -> Feedback:
    """Every graded part ``unjudged``: the fault is ours, and nobody loses a point for good.

    ``reason`` is for people.
    """
    message = f"This could not be judged, and it is not your fault: {escape(reason.rstrip('.'))}."
    parts = tuple(
        PartFeedback(part.id, part.title, "unjudged", 0.0, part.points, message, bonus=part.bonus)
        if part.graded
        else PartFeedback(part.id, part.title, "ungraded", 0.0, 0.0, "")
        for part in assignment.parts
    )
    run = RunInfo("system_error", 0.0, assignment.environment, "none")
    capped = assignment.spec.bonus == "capped"
    return Feedback(assignment_info(assignment), submission, run, 0.0, max_total(parts), parts, capped)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``feedback/1``."""
    schema = msgspec.json.schema(Feedback)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "feedback/1"}


def schema_text() -> str:
    """The schema as the published file spells it."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
