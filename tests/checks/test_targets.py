"""Targets: steps into a value, its normal form, and what is said where a step leads nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare import aggregates
from checks.compare.normal import RULES, Form, normal
from checks.evidence import values as v
from checks.spec.select import Aggregate, Rule
from tests.checks.making import node, outcome_of, series, table

FILMS = table({"id": [1, 2, 3], "title": ["Heat", "Alien", "Up"], "score": [7.5, 8.5, float("nan")]})
GRADES = series([1.0, 2.0, 3.0], ["a", "b", "b"])
LAYER = v.Layer(id=1, cls="k.Dense", name="d", config={"units": v.Int(v="3")})
WHEN = np.array(["2024-01-01", "2024-01-02T12:00"], dtype="datetime64[s]")

REACHED: list[tuple[str, Any, str, Any]] = [
    ("an element", [5, 6, 7], "{item: 1}", 6),
    ("the last element", (5, 6, 7), "{item: -1}", 7),
    ("a dict's entry", {"a": [1, 2]}, "[{item: a}, {item: 0}]", 1),
    ("a dict's numeric key", {2: "x"}, "{item: 2}", "x"),
    ("a row of a matrix", np.eye(2), "[{item: 1}, {item: 1}]", 1.0),
    ("a column", FILMS, "[{column: id}, sum]", 6),
    ("a cell by its row", FILMS, "[{row: {title: Alien}}, {item: score}]", 8.5),
    ("several rows", FILMS, "[{rows: {id: 3}}, len]", 1),
    ("a label", GRADES, "{label: a}", 1.0),
    ("a slice", [1, 2, 3, 4], "{slice: [1, 3]}", [2, 3]),
    ("a slice of a text", "abcdef", "{slice: [0, 2]}", "ab"),
    ("a layer's setting", LAYER, "{attribute: units}", 3),
    ("an array's shape", np.zeros((2, 3)), "shape", (2, 3)),
    ("keys, sorted", {"b": 1, "a": 2}, "[keys, sorted]", ["a", "b"]),
    ("values", {"b": 1, "a": 2}, "values", [1, 2]),
    ("different elements", [3, 1, 3, 1], "unique", [3, 1]),
    ("how often each comes", ["x", "y", "x"], "[counts, {item: x}]", 2),
    ("how many are missing", FILMS, "missing", 1),
    ("the largest text", ["a", "c", "b"], "max", "c"),
    ("the mean", [1, 2, 3, 6], "mean", 3.0),
    ("columns' labels", FILMS, "columns", ["id", "title", "score"]),
    ("a date", WHEN, "[{item: 1}]", "2024-01-02T12:00:00"),
    ("the length of a text", "abc", "len", 3),
]


@pytest.mark.parametrize(
    ("value", "select", "expected"), [row[1:] for row in REACHED], ids=[row[0] for row in REACHED]
)
def test_step_leads_to_the_value(value: Any, select: str, expected: Any) -> None:
    seen, names = {"x": value, "y": expected}, "{variable: x, select: " + select + "}"
    assert outcome_of(f"{{equal: {{of: {names}, to: {{variable: y}}}}}}", seen).passed
    assert not outcome_of(f"{{equal: {{of: {names}, to: {{value: another}}}}}}", seen).passed


NOWHERE: list[tuple[Any, str, str]] = [
    ([1, 2], "{item: 5}", "x: there is no element number 5, only 2 elements."),
    ({"a": 1}, "{item: b}", "x: there is no key b; there is a."),
    (3, "{item: 0}", "x: the number 3 has no element number 0."),
    ([1], "{item: a}", "x: a list of 1 item has no keys, so there is no a."),
    (FILMS, "{column: titel}", "x: there is no column titel; there is id, title and score."),
    (FILMS, "{row: {id: 9}}", "x: there is no row with id = 9."),
    (GRADES, "{label: b}", "x: the label b comes 2 times."),
    (GRADES, "{label: z}", "x: there is no label z."),
    (LAYER, "{attribute: rate}", "x: there is no attribute rate; there is units and name."),
    ({"*": 1}, "{item: '`'}", r"x: there is no key \`; there is \*."),
    ([], "max", "x: a list of 0 items does not hold numbers alone."),
    ({1, 2}, "{item: 0}", "x: a set of 2 items has no element number 0."),
]  # fmt: skip


@pytest.mark.parametrize(("value", "select", "message"), NOWHERE)
def test_step_that_leads_nowhere_says_what_is_there(value: Any, select: str, message: str) -> None:
    text = f"{{size: {{of: {{variable: x, select: {select}}}, length: 1}}, message: no}}"
    found = outcome_of(text, {"x": value})
    assert (found.reason, found.message) == ("absent", message)


def test_reference_is_reached_by_the_same_steps() -> None:
    text = "{equal: {of: {variable: x, select: {item: a}, normalise: [case, sort]}, to: reference}}"
    assert outcome_of(text, {"x": {"a": ["B", "a"]}}, {"x": {"a": ["A", "b"], "c": 1}}).passed


NORMAL: list[tuple[str, Any, Any]] = [
    ("case", "ÄB", "äb"),
    ("accents", "Café", "Cafe"),
    ("[accents, case, punctuation, blanks]", "  Ça,  va? ", "ca va"),
    ("strip", " a  b ", "a  b"),
    ("{round: 2}", [1.234, {"a": 2.718}], [1.23, {"a": 2.72}]),
    ("{round: 0}", [-0.2], [0.0]),
    ("sort", ["b", 2, "a", 1], [1, 2, "a", "b"]),
    ("[case, sort]", ["b", "A"], ["a", "b"]),
    ("sort", np.array([3.0, 1.0]), np.array([1.0, 3.0])),
    ("case", {"A": {"B"}}, {"a": {"b"}}),
    ("case", table({"t": ["A", "b"]}), table({"t": ["a", "b"]})),
    ("{round: 1}", np.array([1.26]), np.array([1.3])),
]


@pytest.mark.parametrize(("rule", "value", "same"), NORMAL)
def test_normal_form(rule: str, value: Any, same: Any) -> None:
    values = {"x": value, "y": same}
    assert outcome_of(
        f"{{equal: {{of: {{variable: x, normalise: {rule}}}, to: {{variable: y}}}}}}", values
    ).passed
    assert not outcome_of("{equal: {of: x, to: {variable: y}}}", values).passed


def test_literal_is_brought_to_the_same_form() -> None:
    assert outcome_of("{equal: {of: {variable: x, normalise: case}, to: {value: YES}}}", {"x": "Yes"}).passed


@given(
    st.recursive(
        st.text() | st.floats(allow_nan=False) | st.integers(), lambda inner: st.lists(inner, max_size=4)
    )
)
def test_normal_form_of_a_normal_form_is_itself(value: Any) -> None:
    form = Form(("case", "blanks"), 3, order=True)
    once = normal(node(value), form)
    assert normal(once, form) == once


def test_published_words_are_those_that_are_known() -> None:
    assert set(Aggregate.__args__) == set(aggregates.WORDS)  # type: ignore[attr-defined]
    assert set(Rule.__args__) == {*RULES, "sort", "lists"}  # type: ignore[attr-defined]
