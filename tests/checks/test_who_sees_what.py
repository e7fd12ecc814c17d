"""The student's view: nothing of what is hidden speaks through the messages of what is seen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest

from checks.feedback import Feedback, student_view, system_error_feedback
from checks.judge import judge
from tests.checks.making import SUBMISSION
from tests.checks.test_parts import attempt, made

DUE = datetime(2030, 1, 1, tzinfo=UTC)


def whole(text: str, **values: Any) -> Feedback:
    assignment = made(text)
    return judge(assignment, attempt(assignment, values), None, SUBMISSION)


def seen(text: str, *, now: datetime | None = None, **values: Any) -> Feedback:
    return student_view(whole(text, **values), made(text), now=now, due=DUE)


def one_part(checks: str, more: str = "") -> str:
    return f"parts:\n  - id: p1\n    title: T\n    variables: {{a: {{}}}}\n    checks:\n{checks}{more}"


REMARKS = one_part("""
      - {id: open, type: {of: a, is: [list]}, remark: A list it is.}
      - {id: later, visible: after_due, relation: len(a) > 1, remark: Later.}
      - {id: mute, message_visible: instructors, relation: len(a) > 1, remark: Mute.}
      - {id: secret, hidden: true, relation: 'a[0] == 1', remark: Begins with one.}
""")


def test_the_remark_of_a_hidden_check_stays_with_it() -> None:
    found = seen(REMARKS, a=[1, 2])
    assert found.parts[0].message == "Right. A list it is."
    assert not [text for text in (b"Later", b"Mute", b"one") if text in found.to_json()]
    assert [check.message for check in whole(REMARKS, a=[1, 2]).parts[0].checks] == [
        "A list it is.", "Later.", "Mute.", "Begins with one.",
    ]  # fmt: skip


def test_a_remark_that_waited_for_the_due_date_is_read_from_then_on() -> None:
    assert seen(REMARKS, now=DUE, a=[1, 2]).parts[0].message == "Right. A list it is. Later."


def test_a_person_s_word_gets_no_remark_of_a_check() -> None:
    full = whole(REMARKS, a=[1, 2])
    marked = msgspec.structs.replace(full.parts[0], message="Marked by a person: well done.")
    found = student_view(msgspec.structs.replace(full, parts=(marked,)), made(REMARKS), now=DUE, due=DUE)
    assert found.parts[0].message == "Marked by a person: well done."


INNER = {
    "all": "- all: [{type: {of: a, is: [list]}}, {WHO, relation: len(a) > 5, message: five}]",
    "any": "- any: [{WHO, relation: len(a) > 5, message: five}, {relation: len(a) > 7, message: seven}]",
    "when": "- when: {if: {type: {of: a, is: [list]}}, then: {WHO, relation: len(a) > 5, message: five}}",
    "each": "- {each: {of: a, check: {WHO, relation: item > 5, message: five}}, message: 'Look: {first}'}",
    "attributes": "- attributes: {of: a, that: {shape: {WHO, relation: len(value) > 5, message: five}}}",
}


@pytest.mark.parametrize("who", ["hidden: true", "visible: after_due", "message_visible: instructors"])
@pytest.mark.parametrize("kind", INNER)
def test_a_hidden_check_inside_another_does_not_speak_through_it(kind: str, who: str) -> None:
    value = np.arange(2) if kind == "attributes" else [1, 2]
    assert b"five" in whole(one_part(f"      {INNER[kind].replace('WHO, ', '')}\n"), a=value).to_json()
    text = one_part(f"      {INNER[kind].replace('WHO', who)}\n")
    assert b"five" not in seen(text, a=value).to_json()
    assert "A check that is not shown did not pass." in seen(text, a=value).parts[0].message


def test_a_remark_of_a_hidden_check_inside_another_is_not_passed_on() -> None:
    text = one_part("      - all: [{hidden: true, relation: len(a) > 1, remark: More than one.}]\n")
    assert seen(text, a=[1, 2]).parts[0].message == "Right."


BUILT_ON = """
parts:
  - id: secret_one
    title: S
    visible: after_due
    variables: {a: {}}
    checks: [{size: {of: a, length: 5}}]
  - id: open_one
    title: O
    variables: {a: {}}
    checks: [{size: {of: a, length: 6}}]
  - id: last
    title: L
    variables: {a: {}}
    checks: [{id: two, size: {of: a, length: LENGTH}}]
"""
NEEDS = BUILT_ON.replace("LENGTH", "2") + "    needs: NEEDED\n"
CARRIES = BUILT_ON.replace("LENGTH", "3") + (
    "    carry_forward: {after: NEEDED, checks: [{id: two, size: {of: a, length: 2}}]}\n"
)


@pytest.mark.parametrize(
    ("needed", "before", "after"),
    [
        (
            "[secret_one]",
            "This part counts once a part that is not shown is right.",
            "This part counts once secret_one is right; start there.",
        ),
        (
            "[secret_one, open_one]",
            "This part counts once open_one is right; start there.",
            "This part counts once secret_one and open_one is right; start there.",
        ),
        (
            "[open_one]",
            "This part counts once open_one is right; start there.",
            "This part counts once open_one is right; start there.",
        ),
    ],
)
def test_a_gate_names_no_part_that_is_not_seen(needed: str, before: str, after: str) -> None:
    text = NEEDS.replace("NEEDED", needed)
    assert seen(text, a=[1, 2]).parts[-1].message == before
    assert seen(text, now=DUE, a=[1, 2]).parts[-1].message == after
    assert whole(text, a=[1, 2]).parts[-1].message == after


def test_what_is_carried_forward_does_not_tell_that_a_part_not_seen_is_wrong() -> None:
    text = CARRIES.replace("NEEDED", "[secret_one]")
    assert seen(text, a=[1, 2]).parts[-1].message == "Your value is accepted."
    assert "your own earlier value" in seen(text, now=DUE, a=[1, 2]).parts[-1].message
    assert (
        "your own earlier value" in seen(CARRIES.replace("NEEDED", "[open_one]"), a=[1, 2]).parts[-1].message
    )


@pytest.mark.parametrize("visible", ["always", "instructors"])
def test_why_a_part_could_not_be_judged_is_for_instructors(visible: str) -> None:
    text = one_part(f"      - {{visible: {visible}, equal: {{of: a, to: {{formula: 41 / 0}}}}}}\n")
    assert "41 / 0" in whole(text, a=[1]).parts[0].message
    part = seen(text, a=[1]).parts[0]
    assert (part.status, part.message) == (
        "unjudged", "This part could not be judged, and it is not your fault.",
    )  # fmt: skip


def test_what_a_fault_of_ours_says_to_people_is_read_by_students_too() -> None:
    assignment = made(NEEDS.replace("NEEDED", "[open_one]"))
    found = student_view(system_error_feedback(assignment, SUBMISSION, "we look at it"), assignment)
    assert {part.message for part in found.parts} == {
        "This could not be judged, and it is not your fault: we look at it."
    }


def test_a_part_that_the_assignment_does_not_know_is_not_shown() -> None:
    """Feedback of another version of it may hold parts that were hidden there."""
    full = whole(one_part("      - {type: {of: a, is: [list]}}\n"), a=[1])
    older = msgspec.structs.replace(full.parts[0], id="p0", message="what was hidden")
    found = student_view(
        msgspec.structs.replace(full, parts=(older, *full.parts)),
        made(one_part("      - {type: {of: a, is: [list]}}\n")),
    )
    assert [part.id for part in found.parts] == ["p1"]
