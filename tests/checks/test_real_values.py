"""Equality of values as notebooks really have them: taken by the extractor, held against the author's."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import collections
import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks.evidence import decode_frame
from checks.evidence import values as v
from checks.scene import Outcome, Scene
from tests.checks.making import check_of
from worker.inside import frame
from worker.inside.frame import Label

LABEL: Label = {"part": "p", "trigger": "check", "run": 1, "seed": 0}
NAN = float("nan")
D, S = pd.DataFrame, pd.Series


def taken(**named: Any) -> dict[str, v.AnyNode]:
    return dict(decode_frame(frame.encode(LABEL, list(named), named).data).values)


def held(seen: Any, expected: Any, settings: str = "") -> Outcome:
    text = "{equal: {of: x, to: reference" + (f", {settings}" if settings else "") + "}}"
    found: Outcome = check_of(text, ["x"]).evaluate(Scene(taken(x=seen), taken(x=expected)))
    return found


def keyed(labels: list[str]) -> D:
    return D({"v": [1, 1]}, index=pd.Index(labels, name="k"))


def levels(last: str) -> D:
    return D([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", last)]))


RIGHT: list[tuple[str, Any, Any, str]] = [
    ("a NumPy number for Python's", np.int64(3), 3, ""),
    ("an array without axes for a number", np.array(3), 3, ""),
    ("minus nought for nought", -0.0, 0.0, ""),
    ("infinity", float("inf"), float("inf"), ""),
    ("a complex number with a gap", complex(1, NAN), complex(1, NAN), ""),
    ("a huge number", 2**100, 2**100, ""),
    ("a number beyond floats", -(10**400), -(10**400), ""),
    ("a huge number, with tolerance", 10**30 + 1, 10**30, "rel: 1e-9"),
    ("whole numbers, with tolerance", 123456789012, 123456789013, "rel: 1e-9"),
    ("whole numbers, with a floor", 5, 7, "abs: 2"),
    ("an accent that is a character of its own", "e\u0301", "\u00e9", ""),
    ("such an accent in a list", ["e\u0301"], ["\u00e9"], ""),
    ("such an accent in a set", {"e\u0301"}, {"\u00e9"}, ""),
    ("such an accent as a key", {"e\u0301": 1}, {"\u00e9": 1}, ""),
    ("such an accent in a column", S(["e\u0301"]), S(["\u00e9"]), ""),
    ("a decimal", Decimal("1.50"), Decimal("1.5"), ""),
    ("a fraction", Fraction(2, 4), Fraction(1, 2), ""),
    ("a fraction for a float, any type", Fraction(1, 2), 0.5, "dtype: any"),
    ("a column of decimals", D({"a": [Decimal("1.5")]}), D({"a": [Decimal("1.5")]}), ""),
    ("tuples as keys", {(0, 1): "a", (1, 0): "b"}, {(1, 0): "b", (0, 1): "a"}, ""),
    ("frozen sets as keys", {frozenset({1, 2}): 3}, {frozenset({2, 1}): 3}, ""),
    ("None as a key", {None: 1}, {None: 1}, ""),
    ("dates as keys", {datetime.date(2024, 1, 1): 1}, {datetime.date(2024, 1, 1): 1}, ""),
    ("a set of tuples", {(1, 2), (3, 4)}, {(3, 4), (1, 2)}, ""),
    ("a set with None", {None, 1}, {1, None}, ""),
    ("a set of near numbers", {0.1 + 0.2}, {0.3}, ""),
    ("a set of dates", {datetime.date(2024, 1, 1)}, {datetime.date(2024, 1, 1)}, ""),
    ("nothing in a list of another type", np.array([]), np.array([], dtype=int), ""),
    ("a column without rows", D({"a": []}), D({"a": [1]}).iloc[:0], ""),
    ("pandas' own integers", D({"a": pd.array([1, 2], dtype="Int64")}), D({"a": [1, 2]}), ""),
    ("pandas' own texts with a gap", D({"a": pd.array(["x", None], dtype="string")}), D({"a": ["x", None]}), ""),
    ("a sparse column", D({"a": pd.arrays.SparseArray([0, 0, 1])}), D({"a": [0, 0, 1]}), ""),
    ("periods", S(pd.period_range("2024-01", periods=2, freq="M")), S(pd.period_range("2024-01", periods=2, freq="M")), ""),
    ("intervals", D({"a": pd.cut([1, 5], [0, 2, 6])}), D({"a": pd.cut([1, 5], [0, 2, 6])}), ""),
    ("a time of day", datetime.time(9, 30), datetime.time(9, 30), ""),
    ("rows with their labels in any order", keyed(["b", "a"]), keyed(["a", "b"]), "rows: any, index: true"),
    ("rows of an array in any order", np.array([[3, 4], [1, 2]]), np.array([[1, 2], [3, 4]]), "rows: any"),
    ("columns of two levels", levels("y"), levels("y"), ""),
    ("days in a column for moments, any type", D({"a": [datetime.date(2024, 1, 1)]}), D({"a": pd.to_datetime(["2024-01-01"])}), "dtype: any"),
    ("a moment from a list for one of a column", pd.Timestamp("2024-01-01"), S(pd.to_datetime(["2024-01-01"]))[0], ""),
    ("another container inside, any", [("a", 1)], [["a", 1]], "container: any"),
    ("complex numbers in any order", np.array([1j, -1j, 0]), np.array([0, 1j, -1j]), "rows: any"),
    ("a list of complex numbers in any order", [1j, 0j, -1j], np.array([0, 1j, -1j]), "rows: any, container: any"),
    ("dates with gaps", [pd.Timestamp("2024-01-05").to_pydatetime(), None], S(pd.to_datetime(["2024-01-05", None])), "container: any"),
    ("an index of dates for a list", pd.date_range("2024-01-05", periods=2), [datetime.date(2024, 1, 5), datetime.date(2024, 1, 6)], "container: any"),
    ("None for NaN in another container", [None, 1.5], S([NAN, 1.5]), "container: any"),
    ("a table for a column, any container", D({"a": [1, 2]}), S([1, 2]), "container: any"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "expected", "settings"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT]
)
def test_right_answer_is_accepted(seen: Any, expected: Any, settings: str) -> None:
    found = held(seen, expected, settings)
    assert found.passed, found.message


WRONG: list[tuple[str, Any, Any, str, str, float]] = [
    ("one more of a large number", 123456789012, 123456789013, "", "values", 0),
    ("one more of a large number in a list", [2**53 + 1], [2**53], "", "values", 0),
    ("one more of a large number in an array", np.array([2**63 + 1], dtype="uint64"), np.array([2**63], dtype="uint64"), "", "values", 0),
    ("one more of a large number in a column", D({"a": [2**60 + 1]}), D({"a": [2**60]}), "rows: any", "values", 0),
    ("one more of a huge number", 2**100 + 1, 2**100, "", "values", 0),
    ("a float's digits of a huge number", int(1.5511210043330986e25), 15511210043330985984000000 + 1, "", "values", 0),
    ("one more of a huge number among others", [1, 2**100 + 1], [1, 2**100], "", "values", 0),
    ("one more of a huge number in a column", D({"a": [2**70 + 1]}), D({"a": [2**70]}), "", "values", 0),
    ("another tuple as key", {(0, 1): "a"}, {(1, 0): "a"}, "", "values", 0),
    ("another tuple in a set", {(1, 2)}, {(1, 3)}, "", "values", 0),
    ("another fraction", Fraction(1, 3), Fraction(1, 2), "", "values", 0),
    ("a float for a decimal", 1.5, Decimal("1.5"), "", "dtype", 0.5),
    ("a number for a truth value in a dict", {"a": 1}, {"a": True}, "", "dtype", 0.5),
    ("a truth value for a number in a list", ["a", True], ["a", 1], "", "dtype", 0.5),
    ("a dict for a list of its keys", {"a": 1}, ["a"], "container: any", "kind", 0),
    ("an empty dict for an empty list", {}, [], "", "kind", 0),
    ("an empty list for an empty array", [], np.array([]), "", "container", 0.5),
    ("other labels in two levels", levels("z"), levels("y"), "", "column_missing", 0),
    ("other row labels in any order", keyed(["c", "d"]), keyed(["a", "b"]), "rows: any, index: true", "index", 0),
    ("other periods", S(pd.period_range("2024-02", periods=2, freq="M")), S(pd.period_range("2024-01", periods=2, freq="M")), "", "values", 0),
    ("other intervals", D({"a": pd.cut([1, 5], [0, 2, 6])}), D({"a": pd.cut([1, 5], [0, 3, 6])}), "", "values", 0),
    ("a column for a table of one", S([1, 2]), D({"a": [1, 2]}), "", "container", 0.5),
    ("a wrong column for a table of one", S([1, 3]), D({"a": [1, 2]}), "", "values", 0),
    ("a table for a column", D({"a": ["x", "y"]}), S(["x", "y"]), "", "container", 0.5),
    ("a labelled column for a dict", S({"a": 1, "b": 2}), {"b": 2, "a": 1}, "", "container", 0.5),
    ("a dict for a labelled column", {"a": 1, "b": 2}, S({"b": 2, "a": 1}), "", "container", 0.5),
    ("a wrong dict for a labelled column", {"a": 1, "b": 3}, S({"b": 2, "a": 1}), "", "values", 0),
    ("a column with a gap for a list", S(["a", None]), ["a", None], "", "container", 0.5),
    ("days for moments", D({"a": [datetime.date(2024, 1, 1)]}), D({"a": pd.to_datetime(["2024-01-01"])}), "", "dtype", 0.5),
    ("texts for moments", D({"a": ["2024-01-01"]}), D({"a": pd.to_datetime(["2024-01-01"])}), "", "dtype", 0.5),
    ("other texts for moments", D({"a": ["2024-01-02"]}), D({"a": pd.to_datetime(["2024-01-01"])}), "dtype: any", "values", 0),
    ("categories without their order", S(pd.Categorical(["x"], categories=["x", "y"])), S(pd.Categorical(["x"], categories=["x", "y"], ordered=True)), "dtype: strict, rows: same", "dtype", 0.5),
    ("another container inside", [("a", 1)], [["a", 1]], "", "container", 0),
    ("a column of categories for categories, strictly", S(pd.Categorical(["x"])), pd.Categorical(["x"]), "dtype: strict", "container", 0.5),
    ("another type, any container", [1, 2], np.array([1.0, 2.0]), "container: any", "dtype", 0.5),
    ("another type in another container, strictly", np.array(["x"], dtype=object), S(pd.Categorical(["x"])), "dtype: strict", "dtype", 0),
    ("another container inside a dict", {"a": [1, 2]}, {"a": (1, 2)}, "", "container", 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "expected", "settings", "reason", "credit"),
    [row[1:] for row in WRONG],
    ids=[row[0] for row in WRONG],
)
def test_wrong_answer_is_told(seen: Any, expected: Any, settings: str, reason: str, credit: float) -> None:
    found = held(seen, expected, settings)
    assert (found.reason, found.credit) == (reason, credit), found.message


MESSAGES: list[tuple[Any, Any, str]] = [
    (14, 13, "x is the number 14, which is not right."),
    ("Heat", "Toy Story", "x is the text 'Heat', which is not right."),
    (["a"], ["a", "b"], "x is a list of 1 item; that is not the size asked for."),
    ([("a", 1)], [["a", 1]], "x holds the right content, but what is inside of it is in other containers than asked for."),
    (D({"a": [1, 2]}), D({"a": [1, 3]}), "x is a DataFrame of 2 rows and 1 column, but 1 of 2 rows are not right in column a."),
    (D({"a": [1, 2]}), D({"a": [1.0, 2.0]}), "x holds the right content, but column a is of another type than asked for."),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected", "message"), MESSAGES)
def test_message_says_what_was_seen_and_where(seen: Any, expected: Any, message: str) -> None:
    assert held(seen, expected).message == message


SMALL = D({"day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "v": [1, 2]})
KINDS: list[tuple[str, Any, str]] = [
    # members
    ("members: {of: x, required: [0.3]}", {0.1 + 0.2}, ""),
    ("members: {of: x, required: [0.3]}", {0.31}, "unknown"),
    # type
    ("type: {of: x, dtype: text}", S(["a", None]), ""),
    ("type: {of: x, dtype: text}", S([None, None], dtype=object), "dtype"),
    ("type: {of: x, dtype: time}", pd.Timestamp("2024-01-01"), ""),
    ("type: {of: x, is: number}", pd.Timestamp("2024-01-01"), "container"),
    ("type: {of: x, is: moment}", datetime.timedelta(days=1), ""),
    ("type: {of: x, class: dict}", collections.Counter("aab"), ""),
    ("type: {of: x, class: Counter}", {"a": 2}, "class"),
    ("type: {of: x, class: Decimal}", Decimal("1.5"), ""),
    ("type: {of: x, dtype: decimal}", [Decimal("1.5")], ""),
    # size
    ("size: {of: x, length: 2}", b"ab", ""),
    ("size: {of: x, length: 3}", bytearray(b"ab"), "length"),
    ("size: {of: x, shape: [2, 2]}", [["a", "b"], ["c", "d"]], ""),
    ("size: {of: x, shape: [2, 2]}", [["a", "b"], ["c"]], "shape"),
    ("size: {of: x, distinct: 2}", [(1, 2), (1, 2), (3, 4)], ""),
    ("size: {of: x, distinct: 2}", S([1, NAN, NAN]), ""),
    # range
    ("range: {of: x, min: 0}", {1, 2}, ""),
    ("range: {of: x, min: 2}", {1, 2}, "small"),
    # table
    ("table: {of: x, columns: {a: {dtype: text}}}", D({"a": ["x", None]}), ""),
    ("table: {of: x, columns: {a: {dtype: text}}}", D({"a": pd.array(["x", None], dtype="string")}), ""),
    ("table: {of: x, columns: ['2020']}", D({2020: [1]}), ""),
    ("table: {of: x, sorted: {by: day}}", SMALL, ""),
    ("table: {of: x, sorted: {by: day}}", SMALL.iloc[::-1], "unsorted"),
    ("table: {of: x, sorted: {by: a}}", D({"a": pd.to_timedelta(["9s", "100s"])}), ""),
    ("table: {of: x, sorted: {by: a}}", D({"a": ["a", "b", None]}), ""),
    ("table: {of: x, sorted: {by: a}}", D({"a": [None, "a", "b"]}), "unsorted"),
    ("table: {of: x, sorted: {by: a, descending: true}}", D({"a": [2, 1, NAN]}), ""),
    ("table: {of: x, sorted: {by: [a, b]}}", D({"a": [1, 1, 2], "b": [2, NAN, 1]}), ""),
    ("table: {of: x, sorted: {by: a}}", D({"a": pd.Categorical(["low", "high"], ["low", "high"], ordered=True)}), ""),
    ("table: {of: x, sorted: {by: a}}", D({"a": pd.Categorical(["low", "high"], ["high", "low"], ordered=True)}), "unsorted"),
    ("table: {of: x, index: {sorted: true}}", SMALL.set_index("day").iloc[::-1], "index"),
    # targets
    ("equal: {of: {variable: x, column: '2020'}, to: {value: [1, 2]}, container: any}", D({2020: [1, 2]}), ""),
    ("equal: {of: {variable: x, select: [{row: {day: {date: 2024-01-02}}}, {item: v}]}, to: {value: 2}}", SMALL, ""),
    ("equal: {of: {variable: x, select: [{row: {day: '2024-01-02'}}, {item: v}]}, to: {value: 2}}", SMALL, ""),
    ("equal: {of: {variable: x, select: [{column: v}, {label: {date: 2024-01-02}}]}, to: {value: 2}}", SMALL.set_index("day", drop=False), ""),
    ("equal: {of: {variable: x, select: [{column: day}, max]}, to: {value: {moment: 2024-01-02T00:00}}}", SMALL, ""),
    ("equal: {of: {variable: x, select: [{column: day}, min]}, to: {value: {moment: 2024-01-02T00:00}}}", SMALL, "values"),
    ("equal: {of: {variable: x, select: {item: {tuple: [1, 2]}}}, to: {value: 3}}", {(1, 2): 3}, ""),
    ("relation: {holds: 'sum(x) == 1.5'}", [Decimal(1), Decimal("0.5")], ""),
    ("relation: {holds: 'all(x == array([[1.0, 2.0, 3.0]]))'}", np.empty((0, 3)), "false"),
    ("relation: {holds: 'close(x, 5.0)'}", np.array([]), "false"),
    ("relation: {holds: 'all(x == transpose(x))'}", np.zeros((20_000, 1)), "false"),
    ("relation: {holds: 'all(x[:, None] == x[None, :])'}", np.zeros(20_000), "undefined"),
    ("table: {of: x, columns: [a]}", D({10**5000: [1]}), "column_missing"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "value", "reason"), KINDS)
def test_kind_knows_the_value(check: str, value: Any, reason: str) -> None:
    found: Outcome = check_of("{" + check + "}", ["x"]).evaluate(Scene(taken(x=value)))
    assert found.reason == reason, found.message
