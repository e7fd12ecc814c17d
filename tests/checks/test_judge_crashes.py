"""Crashes that the author knows: a message of their own before the exception's, and a name."""

from __future__ import annotations

import pytest

from checks.errors import SpecError
from checks.feedback import PartFeedback
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, small_assignment

SPEC = """
    variables: {{x: {{starter: null}}}}
    checks:
      - equal: {{of: x, to: {{value: 3}}}}
    crashes:
      - id: not_called
        exception: TypeError
        contains: is not callable
        message: {message}
"""
CALLED = small_assignment(SPEC.format(message="Something was used without calling it first."))


def stopped(exception: str, text: str) -> PartFeedback:
    cells = [cell(3, "x = f\nq1.check()", error=(exception, text), status="error")]
    return judge(CALLED, evidence(cells, (), "cell_error"), None, SUBMISSION).parts[0]


def test_a_known_crash_is_explained_and_named() -> None:
    found = stopped("TypeError", "'int' object is not callable")
    assert (found.status, found.score, found.misconception) == ("error", 0.0, "not_called")
    assert found.message.startswith("Something was used without calling it first. Your code stopped")
    assert "TypeError in code cell 1" in found.message


@pytest.mark.parametrize(
    ("exception", "text"), [("TypeError", "bad operand"), ("ValueError", "is not callable")]
)
def test_another_crash_tells_the_exception_alone(exception: str, text: str) -> None:
    found = stopped(exception, text)
    assert (found.status, found.misconception) == ("error", None)
    assert found.message.startswith("Your code stopped")


def test_a_field_in_a_crashs_message_is_the_authors_mistake() -> None:
    with pytest.raises(SpecError, match="crashes"):
        small_assignment(SPEC.format(message="'The text was {seen}.'"))


def test_the_first_of_a_chain_of_crashes_is_named() -> None:
    cells = [
        cell(0, "data = read()", error=("FileNotFoundError", "no file"), status="error"),
        cell(1, "model = fit(data)", error=("NameError", "name 'data' is not defined"), status="error"),
        cell(
            2, "x = model.y\nq1.check()", error=("NameError", "name 'model' is not defined"), status="error"
        ),
    ]
    found = judge(CALLED, evidence(cells, (), "cell_error"), None, SUBMISSION).parts[0]
    assert "NameError in code cell 3" in found.message
    assert "It began earlier: FileNotFoundError in code cell 1" in found.message
