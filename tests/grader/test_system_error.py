from __future__ import annotations

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo, system_error_feedback
from tests.grader.arithmetic import BUNDLE, SPEC


def test_a_part_to_think_about_has_nothing_to_be_judged():
    spec = f"{SPEC}  - {{id: part3, title: Think, graded: false}}\n"
    assignment = Assignment.from_files(BUNDLE | {"assignment.yaml": spec.encode()})
    found = system_error_feedback(assignment, SubmissionInfo("s", "ada", "n"), "a test")
    assert [(part.status, part.max_score) for part in found.parts] == [
        ("unjudged", 1.0), ("unjudged", 2.0), ("ungraded", 0.0),
    ]  # fmt: skip
    assert found.max_score == 3.0
