"""Feedback: its bytes, its schema, the student's view, and credit."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from checks import feedback as fb
from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.judge import judge
from checks.spec import schema_text
from tests.checks.making import SUBMISSION, cell, evidence, small_assignment, snapshot

CHECKS = Path(__file__).parents[2] / "checks"
ASSIGNMENT = small_assignment("""
    points: 4
    credit: weighted
    variables: {x: {starter: null}}
    hints: [one, two]
    checks:
      - {id: shown, size: {of: x, length: 3}, message: "too short: {length}"}
      - {id: secret, weight: 3, hidden: true, equal: {of: x, to: {value: [1, 2, 3]}}, message: it is wrong}
      - {id: gated, needs: [shown], type: {of: x, is: [list]}}
""")


def attempt(value: object) -> Evidence:
    return evidence([cell(0, "x = y\nq1.check()")], [snapshot("q1", "check", 0, {"x": value})])


def judged(value: object, assignment: Assignment = ASSIGNMENT) -> fb.Feedback:
    return judge(assignment, attempt(value), None, SUBMISSION)


def test_equal_arguments_give_equal_bytes_on_one_line() -> None:
    first, second = judged([1, 2]).to_json(), judged([1, 2]).to_json()
    assert first == second
    assert b"\n" not in first


def test_keys_are_those_of_the_published_form() -> None:
    found = json.loads(judged([1, 2]).to_json())
    assert list(found) == ["schema", "assignment", "submission", "run", "score", "max_score", "parts"]
    assert list(found["assignment"]) == ["id", "version", "title"]
    assert list(found["submission"]) == ["id", "student", "notebook", "attempt"]
    assert list(found["run"]) == ["status", "seconds", "environment", "memory_limit", "seed"]
    assert list(found["parts"][0]) == [
        "id", "title", "status", "score", "max_score", "message", "misconception", "hints", "cell", "checks",
        "bonus",
    ]  # fmt: skip
    assert list(found["parts"][0]["checks"][0]) == ["id", "outcome", "message", "weight", "credit"]
    assert found["schema"] == "feedback/1"


def test_feedback_can_be_read_again() -> None:
    made = judged([1, 2])
    assert fb.Feedback.from_json(made.to_json()) == made


def test_credit_by_weight_counts_a_skipped_check_as_nothing() -> None:
    part = judged([1, 2]).parts[0]
    assert (part.status, part.score, part.message) == ("incorrect", 0.0, "too short: 2")
    assert [check.outcome for check in part.checks] == ["failed", "failed", "skipped"]
    part = judged([1, 2, 9]).parts[0]
    assert (part.status, part.score) == ("partial", 1.6)


def test_students_see_nothing_of_a_hidden_check() -> None:
    full = judged([1, 2, 9])
    seen = fb.student_view(full, ASSIGNMENT)
    assert b"it is wrong" in full.to_json()
    assert b"it is wrong" not in seen.to_json()
    assert [check.id for check in seen.parts[0].checks] == ["shown", "gated"]
    assert seen.parts[0].message == "A check that is not shown did not pass."


@pytest.mark.parametrize(("value", "hints"), [([1, 2, 3], ()), ([1], ("one", "two")), (None, ("one", "two"))])
def test_hints_come_with_what_is_not_right(value: object, hints: tuple[str, ...]) -> None:
    assert judged(value).parts[0].hints == hints


def test_system_error_leaves_every_part_unjudged() -> None:
    found = fb.system_error_feedback(ASSIGNMENT, SUBMISSION, "no *sandbox* on this machine.")
    assert [(part.status, part.score, part.max_score) for part in found.parts] == [("unjudged", 0.0, 4.0)]
    assert r"no \*sandbox\* on this machine." in found.parts[0].message
    assert found.run.status == "system_error"


def test_check_that_lacks_its_reference_is_nobodys_zero() -> None:
    needs = small_assignment("    variables: {x: {}}\n    checks: [{equal: {of: x, to: reference}}]\n")
    for reference in (None, evidence(), evidence(snapshots=[snapshot("q1", "end", 1, {"y": 1})])):
        part = judge(needs, attempt(3), reference, SUBMISSION).parts[0]
        assert part.status == "unjudged"
        assert [check.outcome for check in part.checks] == ["unjudged"]


def test_unreadable_reference_is_nobodys_zero() -> None:
    needs = small_assignment("    variables: {x: {}}\n    checks: [{equal: {of: x, to: reference}}]\n")
    bad = msgspec.structs.replace(snapshot("q1", "check", 1, {"x": 1}), frame=b"no frame")
    assert judge(needs, attempt(3), evidence(snapshots=[bad]), SUBMISSION).parts[0].status == "unjudged"


def test_misconception_that_lacks_its_reference_is_left_out() -> None:
    text = "    variables: {x: {}}\n    checks: [{equal: {of: x, to: {value: 1}}}]\n    misconceptions:\n"
    text += "      - {id: m, when: {equal: {of: x, to: {reference: other}}}, message: m}\n"
    text += "      - {id: n, when: {equal: {of: x, to: {value: 3}}}, message: n, credit: 0.25}\n"
    part = judged(3, small_assignment(text)).parts[0]
    assert (part.status, part.misconception, part.message, part.score) == ("partial", "n", "n", 0.25)


@pytest.mark.parametrize(
    ("path", "text"),
    [("spec/assignment.schema.json", schema_text()), ("feedback.schema.json", fb.schema_text())],
)
def test_published_schemas_are_up_to_date(path: str, text: str) -> None:
    assert (CHECKS / path).read_text() == text
