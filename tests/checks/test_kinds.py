"""The kinds of checks that look at one value or several: what passes, what falls short and why."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks.evidence import values as v
from checks.scene import Scene
from checks.spec.kind import kinds
from tests.checks.making import outcome_of, series, table

T = table({"id": [1, 2, 3], "k": ["a", "b", "b"], "x": [1.0, 2.0, float("nan")]})
NAN = float("nan")
HUGE = v.SetOf(items=(v.Int(v="1"), v.Int(v=hex(10**5000))))
CASES: list[tuple[str, Any, str, float]] = [
    # one_of
    ("one_of: {of: x, accept: [1, 2]}", 2, "", 1.0),
    ("one_of: {of: x, accept: [1, 2]}", 3, "none", 0.0),
    ("one_of: {of: x, accept: [[1, 2], {set: [1, 2]}]}", {1, 2}, "", 1.0),
    ("one_of: {of: x, accept: [{value: 1, worth: 0.4}, 2]}", 1, "", 0.4),
    ("one_of: {of: x, accept: [{value: [1, 2]}]}", np.array([1, 2]), "container", 0.5),
    ("one_of: {of: x, accept: [{formula: 2 + 3}]}", 5, "", 1.0),
    ("one_of: {of: {variable: x, normalise: case}, accept: [YES, 'no']}", "Yes", "", 1.0),
    # range
    ("range: {of: x, min: 0, max: 1}", [0, 0.5, 1], "", 1.0),
    ("range: {of: x, above: 0}", [0, 1], "small", 0.0),
    ("range: {of: x, below: 1}", np.array([[0.5, 1.0]]), "large", 0.0),
    ("range: {of: x, min: 0}", [1.0, NAN], "nan", 0.0),
    ("range: {of: x, min: 0, nan: true}", [1.0, NAN], "", 1.0),
    ("range: {of: x, min: 0}", "5", "not_numbers", 0.0),
    ("range: {of: x, min: 0}", [], "empty", 0.0),
    ("range: {of: {variable: x, select: len}, max: 2}", "abc", "large", 0.0),
    ("range: {of: {variable: x, column: id}, min: 1, max: 3}", T, "", 1.0),
    # relation
    ("relation: all(x > 0)", [1, 2], "", 1.0),
    ("relation: 'x > 1'", np.array([1, 2]), "elements", 0.0),
    ("relation: x == sorted(x)", [2, 1], "false", 0.0),
    ("relation: \"x['a'] > 0\"", {"b": 1}, "undefined", 0.0),
    ("relation: {holds: x == top, let: {top: {variable: x, select: max}}}", [5], "false", 0.0),
    ("relation: {holds: 'x[0] == top', let: {top: {variable: x, select: max}}}", [5], "", 1.0),
    # each
    ("each: {of: x, check: {range: {of: item, min: 0}}}", [1, 2], "", 1.0),
    ("each: {of: x, check: {range: {of: item, min: 0}}}", [1, -2], "failed", 0.0),
    ("each: {of: x, check: {range: {of: item, min: 0}}, credit: share}", [1, -2, 3, 4], "failed", 0.75),
    ("each: {of: x, check: {type: {of: item, dtype: [float]}}}", table({"a": [1.0], "b": [2.0]}), "", 1.0),
    ("each: {of: x, over: rows, check: {relation: \"item['id'] > 0\"}}", T, "", 1.0),
    ("each: {of: x, check: {relation: 'len(key) == 1'}}", {"a": 1, "bb": 2}, "failed", 0.0),
    ("each: {of: x, check: {each: {of: item, check: {range: {of: item, max: 3}}}}}", [[1], [2, 4]], "failed", 0.0),
    ("each: {of: x, check: {size: {of: item, length: 2}}}", np.zeros((3, 2)), "", 1.0),
    ("each: {of: x, check: {range: {of: item, min: 0}}}", [], "empty", 0.0),
    ("each: {of: x, empty: true, check: {range: {of: item, min: 0}}}", [], "", 1.0),
    ("each: {of: x, check: {range: {of: item, min: 0}}}", 3, "no_elements", 0.0),
    ("each: {of: x, check: {range: {of: item, min: 0}}}", series([1.0, -1.0], ["p", "q"]), "failed", 0.0),
    # size
    ("size: {of: x, distinct: 2}", [1, 2, 1], "", 1.0),
    ("size: {of: x, distinct: 2}", np.array([1.0, 2.0, 1.0]), "", 1.0),
    ("size: {of: x, distinct: 2}", np.array([1, 2, 3]), "distinct", 0.0),
    ("size: {of: x, distinct: 2}", np.array([True, False, True]), "", 1.0),
    ("size: {of: x, distinct: 1}", np.array([0.0, -0.0]), "", 1.0),
    ("size: {of: x, distinct: 2}", np.array([2**63, 2**63 + 1], dtype=np.uint64), "", 1.0),
    ("size: {of: x, distinct: 2}", np.array([np.nan, np.nan]), "distinct", 0.0),  # gaps are one value
    ("size: {of: x, distinct: 2}", series([1.0, 2.0, 1.0], ["p", "q", "r"]), "", 1.0),
    ("size: {of: x, distinct: 2}", series(["\u00e9", "e\u0301", "e"], ["p", "q", "r"]), "", 1.0),  # one é
    ("size: {of: x, distinct: 4}", np.zeros((2, 2)), "distinct", 0.0),
    # members
    ("members: {of: x, required: [1, 2]}", {1, 2}, "", 1.0),
    ("members: {of: x, required: [1, 2]}", {1}, "missing", 0.0),
    ("members: {of: x, required: [a], others: allowed}", {"a", "b"}, "", 1.0),
    ("members: {of: x, required: [a], container: any}", ["a"], "", 1.0),
    ("members: {of: x, forbidden: [b], others: allowed}", {"a", "b"}, "forbidden", 0.0),
    ("members: {of: x, required: [1]}", [1, [2]], "not_plain", 0.0),
    ("members: {of: x, required: [100000000000000000000]}", {10**20}, "", 1.0),
    ("members: {of: x, required: [18446744073709551616, 1]}", {1.0, 2.0**64}, "", 1.0),
    ("members: {of: x, required: [100000000000000000000]}", {"int 100000000000000000000"}, "unknown", 0.0),
    ("members: {of: x, required: ['int 100000000000000000000']}", {10**20}, "not_text", 0.0),
    ("members: {of: x, required: ['1', 2]}", {1, 2}, "unknown", 0.0),
    ("members: {of: x, required: [1]}", HUGE, "unknown", 0.0),
    ("members: {of: x, required: [1], others: allowed}", HUGE, "", 1.0),
    ('members: {of: x, required: ["a\u0301"]}', {"\u00e1"}, "", 1.0),
    ("members: {of: {variable: x, select: keys}, required: [a, b], container: any}", {"a": 1, "b": 2}, "", 1.0),
    # table
    ("table: {of: x, columns: [id, k], others: forbidden}", T, "column_extra", 0.0),
    ("table: {of: x, columns: [k, id], ordered: true}", T, "column_order", 0.0),
    ("table: {of: x, columns: {id: integer, k: text}}", T, "", 1.0),
    ("table: {of: x, columns: {id: float}}", T, "dtype", 0.0),
    ("table: {of: x, columns: {x: {missing: 0}}}", T, "gaps", 0.0),
    ("table: {of: x, columns: {k: {unique: true}}}", T, "not_unique", 0.0),
    ("table: {of: x, unique: [k]}", T, "not_unique", 0.0),
    ("table: {of: x, unique: [id, k]}", T, "", 1.0),
    ("table: {of: x, sorted: id}", T, "", 1.0),
    ("table: {of: x, sorted: {by: id, descending: true}}", T, "unsorted", 0.0),
    ("table: {of: x, sorted: {by: [k, id]}}", T, "", 1.0),
    ("table: {of: x, sorted: x}", T, "", 1.0),
    ("table: {of: x, missing: 0}", T, "gaps", 0.0),
    ("table: {of: x, index: {names: [key], unique: true}}", table({"a": [1, 2]}, {"key": ["p", "p"]}), "index", 0.0),
    ("table: {of: x, index: {names: [key], sorted: true}}", table({"a": [1, 2]}, {"key": ["p", "q"]}), "", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "value", "reason", "credit"), CASES, ids=[f"{row[0][:60]} {n}" for n, row in enumerate(CASES)]
)
def test_kind(check: str, value: Any, reason: str, credit: float) -> None:
    found = outcome_of(f"{{{check}}}", {"x": value})
    assert (found.reason, found.credit) == (reason, credit)


def test_absent_variable_of_a_relation_is_told() -> None:
    found = outcome_of("{relation: x > y}", {"x": 1, "y": 2})
    assert not found.passed
    assert outcome_of("{any: [{relation: x > 0}, {relation: x < 0}]}", {"x": 1}).passed


def test_each_item_is_held_against_the_authors_of_the_same_key() -> None:
    text = "{each: {of: x, check: {equal: {of: item, to: reference}}}}"
    author = {"x": {"a": 1, "b": 2}}
    assert outcome_of(text, {"x": {"b": 2, "a": 1}}, author).passed
    assert outcome_of(text, {"x": {"a": 1, "b": 3}}, author).failing == ("'b'",)
    assert outcome_of(text, {"x": {"a": 1, "c": 3}}, author).failing == ("'c'",)


def test_message_of_an_element_names_its_place() -> None:
    text = "{each: {of: x, check: {range: {of: item, min: 0}}}, message: '{failing}: {first}'}"
    assert outcome_of(text, {"x": {"p": 1, "q": -4}}).message == r"'q': x\['q'\] is too small: -4."


def test_remark_comes_through_combinators() -> None:
    inner = "{one_of: {of: x, accept: [{value: 1, remark: fine}]}}"
    for text in (
        f"{{all: [{inner}]}}",
        f"{{any: [{inner}]}}",
        f"{{when: {{if: {inner}, then: {inner}}}}}",
        f"{{any: [{{all: [{inner}]}}]}}",
    ):
        assert outcome_of(text, {"x": 1}).remark == "fine"
    assert outcome_of("{range: {of: x, min: 0}, remark: 'It is {value}.'}", {"x": 4}).remark == "It is 4."


@pytest.mark.parametrize(
    ("cases", "holds"), [(["1", "2"], True), (["1"], False), (["0", "1", "2"], False), ([], True)]
)
def test_pattern_of_failing_elements(cases: list[str], holds: bool) -> None:
    outcome = outcome_of("{each: {of: x, check: {range: {of: item, min: 0}}}}", {"x": [1, -1, -2]})
    found = kinds()["failed"](check="signs", cases=cases).judge(Scene({}, None, {"signs": outcome}))
    assert (found.credit > 0) is holds
