"""Parts beyond their checks: gates, what one slip costs, bonus, marking by hand, steps, who sees what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.evidence.frame import MAGIC, PREFIX
from checks.feedback import LATER, Feedback, student_view
from checks.judge import judge
from tests.checks.making import SUBMISSION, bundle_files, cell, evidence, snapshot

HEAD = "id: a/b\ntitle: T\nenvironment: python\n"
TWO = """
parts:
  - id: p1
    title: Lengths
    points: 2
    variables: {a: {starter: null}}
    checks: [{equal: {of: a, to: {value: [1, 2]}}}]
  - id: p2
    title: Sum
    points: 3
    variables: {b: {starter: null}, a: {role: earlier part}}
    checks: [{id: sum, equal: {of: b, to: {value: 3}}}, {id: kind, type: {of: b, is: [number]}}]
"""
CARRY = """    carry_forward:
      after: [p1]
      checks: [{id: sum, equal: {of: b, to: {formula: sum(a)}}}]
"""


def made(text: str) -> Assignment:
    return Assignment.from_files(bundle_files((HEAD + text).encode()))


def attempt(assignment: Assignment, values: dict[str, Any]) -> Evidence:
    cells = [cell(n, f"{part.id}.check()") for n, part in enumerate(assignment.parts)]
    taken = [
        snapshot(part.id, "check", n, {name: values[name] for name in part.variables if name in values})
        for n, part in enumerate(assignment.parts)
    ]
    return evidence(cells, taken)


def judged(text: str, **values: Any) -> Feedback:
    assignment = made(text)
    return judge(assignment, attempt(assignment, values), None, SUBMISSION)


CARRIED = [
    ("both right", [1, 2], 3, "correct", "correct", 5.0),
    ("a slip, and what follows from it", [1, 3], 4, "incorrect", "correct", 3.0),
    ("a slip, and nothing that follows", [1, 3], 9, "incorrect", "incorrect", 0.0),
    ("a slip, and the right value even so", [1, 3], 3, "incorrect", "correct", 3.0),
    ("the first right, the second wrong", [1, 2], 4, "correct", "incorrect", 2.0),
    ("the other checks hold on", [1, 3], [4], "incorrect", "incorrect", 0.0),
    ("the first not attempted", None, 4, "not_attempted", "incorrect", 0.0),
]


@pytest.mark.parametrize(
    ("a", "b", "first", "second", "score"), [row[1:] for row in CARRIED], ids=[row[0] for row in CARRIED]
)
def test_one_slip_costs_once(a: Any, b: Any, first: str, second: str, score: float) -> None:
    found = judged(TWO + CARRY, a=a, b=b)
    assert ([part.status for part in found.parts], found.score) == ([first, second], score)


def test_without_carry_forward_the_slip_costs_twice() -> None:
    assert judged(TWO, a=[1, 3], b=4).score == 0.0


def test_what_is_carried_is_worth_its_credit_at_most() -> None:
    found = judged(TWO + CARRY + "      credit: 0.5\n      message: It follows.\n", a=[1, 3], b=4).parts[1]
    assert (found.status, found.score, found.message) == ("partial", 1.5, "It follows.")


GATES = [
    ([1, 2], 3, ["correct", "correct"], 5.0),
    ([9], 3, ["incorrect", "incorrect"], 0.0),
    ([9], 4, ["incorrect", "incorrect"], 0.0),
    (None, 3, ["not_attempted", "incorrect"], 0.0),
    ([9], None, ["incorrect", "not_attempted"], 0.0),
]


@pytest.mark.parametrize(("a", "b", "statuses", "score"), GATES)
def test_gated_part_counts_only_behind_the_part_that_it_needs(
    a: Any, b: Any, statuses: list[str], score: float
) -> None:
    found = judged(TWO + "    needs: [p1]\n", a=a, b=b)
    assert ([part.status for part in found.parts], found.score) == (statuses, score)
    assert ("p1 is right" in found.parts[1].message) == (b == 3 and a != [1, 2])


def test_part_behind_an_unjudged_one_is_nobodys_zero() -> None:
    text = TWO.replace("to: {value: [1, 2]}", "to: reference") + "    needs: [p1]\n"
    assert [part.status for part in judged(text, a=[1, 2], b=3).parts] == ["unjudged", "unjudged"]


def test_bonus_comes_on_top_or_up_to_the_most() -> None:
    bonus = TWO + "    bonus: true\n"
    found = judged(bonus, a=[1, 2], b=3)
    assert (found.score, found.max_score, found.parts[1].bonus) == (5.0, 2.0, True)
    capped = judged("bonus: capped\n" + bonus, a=[1, 2], b=3)
    assert (capped.score, capped.max_score) == (2.0, 2.0)
    assert Feedback.from_json(capped.to_json()) == capped
    assert judged("bonus: capped\n" + bonus, a=[9], b=3).score == 2.0


@pytest.mark.parametrize(
    ("values", "status"),
    [({"a": [1]}, "needs_review"), ({"a": None}, "not_attempted"), ({"a": [1, 2]}, "needs_review")],
)
def test_hand_marked_part_waits_for_a_person(values: dict[str, Any], status: str) -> None:
    text = TWO.replace("    points: 2\n", "    points: 2\n    marked_by: hand\n")
    found = judged(text, **values, b=3).parts[0]
    assert (found.status, found.score, found.max_score) == (status, 0.0, 2.0)
    assert found.checks[0].outcome == (
        "skipped" if status == "not_attempted" else "passed" if values["a"] == [1, 2] else "failed"
    )


def test_hand_marked_part_needs_neither_variables_nor_checks() -> None:
    found = judged(TWO + "  - {id: essay, title: Why, marked_by: hand}\n", a=[1, 2], b=3)
    assert (found.parts[2].status, found.max_score) == ("needs_review", 6.0)


STEPS = """
parts:
  - id: p1
    title: T
    variables: {a: {}}
    credit: {steps: [0.2, 0.6, 1]}
    checks:
      - {id: list, type: {of: a, is: [list]}}
      - {id: long, size: {of: a, length: 2}}
      - {id: right, equal: {of: a, to: {value: [1, 2]}}}
"""


@pytest.mark.parametrize(("a", "score"), [(3, 0.0), ([1], 0.2), ([1, 3], 0.6), ([1, 2], 1.0), ((1, 2), 0.0)])
def test_credit_by_steps(a: Any, score: float) -> None:
    assert judged(STEPS, a=a).score == score


def test_needs_are_met_whatever_their_order_in_the_file() -> None:
    text = STEPS.replace("{id: list, type", "{id: list, needs: [long], type").replace(
        "{steps: [0.2, 0.6, 1]}", "lowest"
    )
    assert [check.outcome for check in judged(text, a=[1, 2]).parts[0].checks] == ["passed"] * 3
    assert [check.outcome for check in judged(text, a=[1]).parts[0].checks] == ["skipped", "failed", "failed"]


HIDING = """
parts:
  - id: p1
    title: T
    points: 2
    variables: {a: {}}
    checks:
      - {id: open, type: {of: a, is: [list]}, message: no list}
      - {id: later, visible: after_due, size: {of: a, length: 2}, message: too short}
      - {id: mute, message_visible: after_due, relation: len(a) > 1, message: say more}
      - {id: secret, visible: instructors, equal: {of: a, to: {value: [1, 2]}}, message: the answer}
    misconceptions:
      - {id: known, visible: after_due, when: {equal: {of: a, to: {value: [7]}}}, message: it is seven}
  - id: p2
    title: U
    visible: after_due
    variables: {a: {}}
    checks: [{size: {of: a, length: 1}}]
  - id: p3
    title: V
    message_visible: after_due
    variables: {a: {}}
    checks: [{size: {of: a, length: 2}, message: three is wrong}]
"""
DUE = datetime(2030, 1, 1, tzinfo=UTC)


def seen(a: Any, now: datetime | None) -> Feedback:
    assignment = made(HIDING)
    full = judge(assignment, attempt(assignment, {"a": a}), None, SUBMISSION)
    return student_view(full, assignment, now=now, due=DUE)


@pytest.mark.parametrize("now", [None, DUE - timedelta(seconds=1)])
def test_before_the_due_date_students_see_what_is_open(now: datetime | None) -> None:
    found = seen([7], now)
    assert [part.id for part in found.parts] == ["p1", "p3"]
    assert (found.score, found.max_score) == (0.0, 3.0)
    assert [check.id for check in found.parts[0].checks] == ["open", "mute"]
    assert (found.parts[0].misconception, found.parts[1].message) == (None, LATER)
    raw = found.to_json()
    assert not [text for text in (b"seven", b"short", b"say more", b"answer", b"three") if text in raw]


def test_from_the_due_date_on_students_see_what_waited_for_it() -> None:
    found = seen([7], DUE)
    assert [part.id for part in found.parts] == ["p1", "p2", "p3"]
    assert [check.id for check in found.parts[0].checks] == ["open", "later", "mute"]
    assert (found.parts[0].misconception, found.parts[0].message) == ("known", "it is seven")
    assert seen([8], DUE).parts[0].message == "too short"
    assert b"the answer" not in found.to_json()


def test_no_due_date_means_that_it_is_not_over() -> None:
    assignment = made(HIDING)
    full = judge(assignment, attempt(assignment, {"a": [7]}), None, SUBMISSION)
    assert student_view(full, assignment, now=DUE) == student_view(full, assignment)


def seeded(frame: bytes, seed: int) -> bytes:
    """A frame without payloads, its header telling a seed as the sandbox's writer does."""
    header = json.dumps({**json.loads(frame[PREFIX.size :]), "seed": seed}).encode()
    return PREFIX.pack(MAGIC, len(header)) + header


def test_feedback_names_version_environment_and_seed() -> None:
    assignment = made(TWO)
    taken = attempt(assignment, {"a": [1, 2], "b": 3})
    first = msgspec.structs.replace(taken.snapshots[0], frame=seeded(taken.snapshots[0].frame, 77))
    taken = msgspec.structs.replace(taken, snapshots=(first, *taken.snapshots[1:]))
    found = json.loads(judge(assignment, taken, None, SUBMISSION).to_json())
    assert found["assignment"]["version"] == assignment.version
    assert found["run"]["environment"] == "tensorflow@sha256:1"
    assert found["run"]["seed"] == 77
    assert (
        json.loads(judge(made("seed: 5" + TWO), evidence(), None, SUBMISSION).to_json())["run"]["seed"] == 5
    )


PROGRAM = """
import hashlib
from tests.checks.test_parts import HIDING, judged
text = HIDING.replace("relation: len(a) > 1",
    "members: {of: a, required: [x], forbidden: [y, z], others: allowed}")
print(hashlib.sha256(judged(text, a={"y", "z", "q", "r"}).to_json()).hexdigest())
"""


def test_equal_evidence_gives_equal_bytes_in_every_process() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
