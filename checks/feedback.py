"""Feedback as it leaves the judge: the schema ``feedback/1``, which is never broken without a new number.

``feedback.schema.json`` beside this file is its published JSON Schema.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from checks.assignment import Assignment
from checks.spec.template import escape

PartStatus = Literal[
    "correct", "partial", "incorrect", "not_attempted", "error", "ungraded", "needs_review", "unjudged"
]
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
    """How the run went; ``seconds`` of wall time."""

    status: str
    seconds: float
    environment: str
    memory_limit: str


class CheckFeedback(msgspec.Struct, frozen=True):
    """One check of a part; ``message`` is empty unless it failed."""

    id: str
    outcome: CheckOutcome
    message: str
    weight: float


class PartFeedback(msgspec.Struct, frozen=True):
    """One part; ``message`` and ``hints`` are Markdown,
    ``cell`` is the notebook index of the cell that decided.
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


class Feedback(msgspec.Struct, frozen=True):
    """The whole judgement of one attempt, as the instructor sees it.

    ``score`` is the sum of the parts' scores. A part that is ``unjudged`` counts 0 in it: while there is one,
    ``score`` is no grade and must not be passed on as one.
    """

    assignment: AssignmentInfo
    submission: SubmissionInfo
    run: RunInfo
    score: float
    max_score: float
    parts: tuple[PartFeedback, ...]
    schema: Literal["feedback/1"] = "feedback/1"

    def to_json(self) -> bytes:
        """The feedback on one line: equal feedback has equal bytes."""
        fields = msgspec.to_builtins(self)
        return msgspec.json.encode({"schema": fields.pop("schema"), **fields})

    @classmethod
    def from_json(cls, raw: bytes) -> Feedback:
        """Feedback again; raises msgspec.DecodeError on anything else."""
        return msgspec.json.decode(raw, type=cls)


def student_view(feedback: Feedback, assignment: Assignment) -> Feedback:
    """The feedback without the checks that the spec hides; parts' messages never speak of these."""
    hidden = {
        (part.id, name)
        for part in assignment.parts
        for name, check in part.named_checks().items()
        if check.hidden
    }
    parts = (
        msgspec.structs.replace(
            part, checks=tuple(each for each in part.checks if (part.id, each.id) not in hidden)
        )
        for part in feedback.parts
    )
    return msgspec.structs.replace(feedback, parts=tuple(parts))


def assignment_info(assignment: Assignment) -> AssignmentInfo:
    """The assignment as feedback names it."""
    return AssignmentInfo(assignment.id, assignment.version, assignment.title)


def total(parts: tuple[PartFeedback, ...]) -> float:
    """The sum of the parts' scores, without the dust of binary fractions."""
    return round(sum(part.score for part in parts), 6)


def system_error_feedback(assignment: Assignment, submission: SubmissionInfo, reason: str) -> Feedback:
    """Every graded part ``unjudged``: the fault is ours, and nobody loses a point for good.

    ``reason`` is for people.
    """
    message = f"This could not be judged, and it is not your fault: {escape(reason.rstrip('.'))}."
    parts = tuple(
        PartFeedback(part.id, part.title, "unjudged", 0.0, part.points, message)
        if part.graded
        else PartFeedback(part.id, part.title, "ungraded", 0.0, 0.0, "")
        for part in assignment.parts
    )
    run = RunInfo("system_error", 0.0, assignment.environment, "none")
    most = round(sum(part.max_score for part in parts), 6)
    return Feedback(assignment_info(assignment), submission, run, 0.0, most, parts)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``feedback/1``."""
    schema = msgspec.json.schema(Feedback)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "feedback/1"}


def schema_text() -> str:
    """The schema as the published file spells it."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
