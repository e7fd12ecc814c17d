"""A person's points laid over a verdict."""

from __future__ import annotations

import pytest

from checks.feedback import AssignmentInfo, Feedback, PartFeedback, RunInfo, SubmissionInfo
from grader.store.marks import Given, overlaid


def judged(*, capped: bool) -> Feedback:
    parts = (
        PartFeedback("p1", "One", "correct", 2.0, 2.0, "Right."),
        PartFeedback("p2", "More", "needs_review", 0.0, 3.0, "A person marks this part.", bonus=True),
    )
    run = RunInfo("completed", 0.1, "python", "cgroup")
    info = AssignmentInfo("a/b", "sha256:0", "T"), SubmissionInfo("s", "ada", "sha256:1")
    return Feedback(*info, run, 2.0, 2.0, parts, capped)


@pytest.mark.parametrize(("capped", "score"), [(False, 4.5), (True, 2.0)])
def test_bonus_points_of_a_person_follow_the_assignments_rule(capped, score):
    given = [Given("p2", 2.5, "Well seen.", "token:t", 0.0)]
    marked = overlaid(judged(capped=capped), given)
    assert (marked.parts[1].score, marked.score) == (2.5, score)
