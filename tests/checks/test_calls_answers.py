"""The kind ``calls``: results that are right though made otherwise, and wrong ones that look right."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks.evidence import values as v
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, node, snapshot
from tests.checks.test_calls import F, assignment, judged, step

NAN = float("nan")
OBJECT = v.Opaque(id=1, cls="__main__.Point")


def raised(cls: str, message: str = "", *bases: str) -> v.Step:
    found = v.Raised(cls=cls, bases=(*bases, "builtins.Exception"), message=message)
    return v.Step(ended="raised", raised=found)


def status(case: str, made: v.Step) -> str:
    return judged(
        assignment(f"\n      - calls: {{of: f, cases: [{{arguments: [1], {case}}}]}}\n"), {"case-1": [made]}
    ).status


RESULTS: list[tuple[str, Any, str]] = [
    ("returns: 0.3", 0.1 + 0.2, "correct"),
    ("returns: 0", -0.0, "correct"),
    ("returns: 2", np.float64(2), "correct"),
    ("returns: [1, 2]", [1.0, 2.0], "correct"),
    ("returns: {tuple: [1, a]}", (1, "a"), "correct"),
    ("returns: {set: [1, 2, 3]}", {3, 1, 2}, "correct"),
    ("returns: {set: [1, 2]}", frozenset({1, 2}), "correct"),
    ("returns: {dict: [[a, 1], [b, 2]]}", {"b": 2, "a": 1}, "correct"),
    ("returns: {dict: [[a, 0.3]]}", {"a": 0.1 + 0.2}, "correct"),
    ("returns: {dict: [[1, a]]}", {1.0: "a"}, "correct"),
    ('returns: "Jose\\u0301"', "Jos\u00e9", "correct"),
    ("returns: null", None, "correct"),
    ("returns: .nan", NAN, "correct"),
    ("returns: .inf", float("inf"), "correct"),
    ("returns: []", [], "correct"),
    ("returns: ''", "", "correct"),
    ("returns: true", True, "correct"),
    ("returns: 100000000000000000000", 10**20, "correct"),
    ("returns: [[1, 2], [3, 4]]", [[1, 2], [3, 4]], "correct"),
    ("returns: 1, compare: {abs: 0.5}", 1.4, "correct"),
    ("returns: Yes, compare: {normalise: case}", "YES", "correct"),
    ("returns: [1, 2], compare: {rows: any}", [2, 1], "correct"),
    ("returns: [1, 2], compare: {container: any}", (1, 2), "correct"),
    ("returns: [1, 2], compare: {container: any}", np.array([1, 2]), "correct"),
    ("returns: [1, 2]", (1, 2), "partial"),
    ("returns: [1, 2]", np.array([1, 2]), "partial"),
    ("returns: true", 1, "partial"),
    ("returns: 1", True, "partial"),
    ("returns: [1, 2]", [2, 1], "incorrect"),
    ("returns: [1, 2]", [1, 2, 3], "incorrect"),
    ("returns: [1, 2]", {1, 2}, "incorrect"),
    ("returns: [1, 2]", "[1, 2]", "incorrect"),
    ("returns: 2", "2", "incorrect"),
    ("returns: 2", [2], "partial"),
    ("returns: 0", None, "incorrect"),
    ("returns: 0", False, "partial"),
    ("returns: null", 0, "incorrect"),
    ("returns: null", NAN, "incorrect"),
    ("returns: ''", None, "incorrect"),
    ("returns: []", None, "incorrect"),
    ("returns: a", "A", "incorrect"),
    ("returns: a", " a", "incorrect"),
    ("returns: 0.3", 0.31, "incorrect"),
    ("returns: 100000000000000000000", 10**20 + 1, "incorrect"),
    ("returns: 1000000000000", 10**12 + 1, "incorrect"),
    ("returns: .inf", float("-inf"), "incorrect"),
    ("returns: .inf", 1e308, "incorrect"),
    ("returns: {dict: [[a, 1]]}", {"a": 1, "b": 2}, "incorrect"),
    ("returns: {dict: [[a, 1]]}", {"a": 2}, "incorrect"),
    ("returns: {dict: [[a, 1]]}", [["a", 1]], "incorrect"),
    ("returns: {dict: [[1, a]]}", {"1": "a"}, "incorrect"),
    ("returns: {set: [1, 2]}", {1, 2, 3}, "incorrect"),
    ("returns: [[1, 2], [3, 4]]", [[1, 3], [2, 4]], "incorrect"),
    ("returns: 1", OBJECT, "incorrect"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "result", "wanted"), RESULTS)
def test_results(case: str, result: Any, wanted: str) -> None:
    assert status(case, step(result)) == wanted


RAISING: list[tuple[str, v.Step, str]] = [
    ("raises: ValueError", raised("builtins.ValueError", "no"), "correct"),
    ("raises: ValueError", raised("__main__.TooSmall", "no", "builtins.ValueError"), "correct"),
    ("raises: LookupError", raised("builtins.KeyError", "'a'", "builtins.LookupError"), "correct"),
    ("raises: {exception: ValueError, contains: must be positive}", raised("builtins.ValueError", "x Must  be\npositive!"), "correct"),
    ("raises: TooSmall", raised("__main__.TooSmall", "no"), "correct"),
    ("raises: {exception: ValueError, contains: must be positive}", raised("builtins.ValueError", "no"), "incorrect"),
    ("raises: KeyError", raised("builtins.LookupError"), "incorrect"),
    ("raises: ValueError", raised("__main__.ValueError", "no", "builtins.Exception"), "incorrect"),
    ("raises: ValueError", raised("__main__.ValueError", "no", "builtins.ValueError"), "correct"),
    ("raises: ValueError", raised("__main__.f.<locals>.ValueError", "no", "builtins.Exception"), "incorrect"),
    ("raises: ConnectionError", raised("requests.exceptions.ConnectionError", "no", "builtins.OSError"), "correct"),
    ("raises: TimeoutError", raised("asyncio.exceptions.TimeoutError", "no", "builtins.Exception"), "correct"),
    ("raises: IOError", raised("builtins.OSError", "no"), "correct"),
    ("raises: JSONDecodeError", raised("json.decoder.JSONDecodeError", "no", "builtins.ValueError"), "correct"),
    ("raises: ValueError", raised("builtins.TypeError"), "incorrect"),
    ("raises: ValueError", step("ValueError"), "incorrect"),
    ("raises: ValueError", step(None, printed="ValueError: no"), "incorrect"),
    ("returns: 1", raised("builtins.RecursionError", "maximum recursion depth exceeded"), "incorrect"),
    ("returns: null", raised("builtins.ValueError"), "incorrect"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "made", "wanted"), RAISING)
def test_exceptions(case: str, made: v.Step, wanted: str) -> None:
    assert status(case, made) == wanted


EFFECTS: list[tuple[str, v.Step, str]] = [
    ("stdout: 'a b'", step(None, printed="a b\n"), "correct"),
    ("stdout: 'a b'", step(None, printed="\na b  \n\n"), "correct"),
    ("stdout: 'a b'", step(None, printed="a b\r\n"), "correct"),
    ("stdout: {equal: 'A  b', normalise: [case, blanks]}", step(None, printed="a\nB"), "correct"),
    ("stdout: {contains: [b, a]}", step(None, printed="a b"), "correct"),
    ("stdout: 'a b'", step("a b"), "incorrect"),
    ("stdout: 'a b'", step(None, printed="a  b"), "incorrect"),
    ("stdout: 'a b'", step(None, printed="a b\nmore"), "incorrect"),
    ("stdout: {contains: [ab]}", step(None, printed="a b"), "incorrect"),
    ("mutates: false, returns: 1", step(1), "correct"),
    ("mutates: false, returns: 1", step(1, changed=("0",)), "incorrect"),
    ("mutates: true", step(None), "incorrect"),
    ("arguments_after: [[1, 2]]", step(None, arguments=(node([1.0, 2]),), changed=("0",)), "correct"),
    ("arguments_after: [[1, 2]]", step(None, arguments=(node([2, 1]),), changed=("0",)), "incorrect"),
    ("arguments_after: [[1, 2]]", step([1, 2], arguments=(node([1]),)), "incorrect"),
    ("returns: 1", step(None, printed="1"), "incorrect"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "made", "wanted"), EFFECTS)
def test_effects(case: str, made: v.Step, wanted: str) -> None:
    assert status(case, made) == wanted


def test_a_result_of_which_nothing_is_known_is_not_called_another_one_each_time() -> None:
    found = assignment("\n      - calls: {of: f, repeats: 2, cases: [{arguments: [1], mutates: false}]}\n")
    closure = v.Callable(name="g", cls="builtins.function")
    for one, other, wanted in (
        ([OBJECT], [OBJECT], "correct"),
        (closure, closure, "correct"),
        ({"a": OBJECT}, {"a": OBJECT}, "correct"),
        ([1, NAN], [1, NAN], "correct"),
        ([1.0], [1.0 + 1e-15], "incorrect"),
        ([1, 2], [2, 1], "incorrect"),
    ):
        (plan,) = found.plan().parts[0].calls
        assert plan.cases[0].repeats == 2
        assert twice(found, step(one), step(other)) == wanted


def twice(found: Any, one: v.Step, other: v.Step) -> str:
    """The status where the second call came out as ``other``."""
    (plan,) = found.plan().parts[0].calls
    items = tuple(v.Called(case="case-1", steps=(made,)) for made in (one, other))
    taken = [
        snapshot("q1", "check", 0, {"f": F}),
        snapshot("q1()", "check", 0, {plan.key: v.Sequence(items=items)}),
    ]
    return judge(found, evidence([cell(0, "q1.check()")], taken), None, SUBMISSION).parts[0].status
