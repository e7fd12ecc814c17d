"""Equality done right: tables, order with ties, types, dates, precision, order of elements."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare.closeness import Tolerance
from checks.evidence import values as v
from tests.checks.making import node, outcome_of, series, table

A = table({"k": ["a", "b", "c"], "n": [3, 1, 1], "x": [0.5, 1.5, 2.5]})
MOVED = table({"k": ["c", "a", "b"], "n": [1, 3, 1], "x": [2.5, 0.5, 1.5]})
SWAPPED = table({"k": ["a", "c", "b"], "n": [3, 1, 1], "x": [0.5, 2.5, 1.5]})
TWICE = table([("x", [1, 2]), ("x", [3, 4])])
NAN = float("nan")


def typed(frame: v.Table, **dtypes: str) -> v.Table:
    columns = tuple(
        msgspec.structs.replace(column, dtype=dtypes.get(column.name.v, column.dtype))  # type: ignore[union-attr]
        for column in frame.columns
    )
    return msgspec.structs.replace(frame, columns=columns)


def labelled(frame: v.Table, labels: list[Any]) -> v.Table:
    return msgspec.structs.replace(frame, index=table({"i": labels}, {"key": labels}).index)


TABLES: list[tuple[str, Any, Any, str, str]] = [
    ("itself", A, A, "", ""),
    ("rows in another order", MOVED, A, "", "values"),
    ("rows in any order", MOVED, A, "rows: any", ""),
    (
        "a wrong row among any",
        MOVED,
        table({"k": ["a", "b", "c"], "n": [3, 1, 2], "x": [0.5, 1.5, 2.5]}),
        "rows: any",
        "values",
    ),
    ("tied rows swapped", SWAPPED, A, "order: {by: n}", ""),
    ("tied rows swapped, order strict", SWAPPED, A, "", "values"),
    ("not sorted", MOVED, A, "order: {by: n}", "row_order"),
    (
        "sorted, but a tied row is wrong",
        table({"k": ["a", "c", "z"], "n": [3, 1, 1], "x": [0.5, 2.5, 1.5]}),
        A,
        "order: {by: n}",
        "values",
    ),
    ("one row less", table({"k": ["a"], "n": [3], "x": [0.5]}), A, "rows: any", "rows_missing"),
    (
        "a row twice",
        table({"k": ["a", "a", "c"], "n": [3, 3, 1], "x": [0.5, 0.5, 2.5]}),
        A,
        "rows: any",
        "values",
    ),
    (
        "columns in another order",
        table({"n": [3, 1, 1], "k": ["a", "b", "c"], "x": [0.5, 1.5, 2.5]}),
        A,
        "",
        "column_order",
    ),
    (
        "columns in any order",
        table({"n": [3, 1, 1], "k": ["a", "b", "c"], "x": [0.5, 1.5, 2.5]}),
        A,
        "columns: any",
        "",
    ),
    ("a column too much", A, table({"k": ["a", "b", "c"]}), "", "column_extra"),
    ("a column beside others", A, table({"k": ["a", "b", "c"]}), "columns: extra", ""),
    ("a column missing", table({"k": ["a", "b", "c"]}), A, "columns: extra", "column_missing"),
    ("repeated labels", TWICE, TWICE, "", ""),
    ("repeated labels, exchanged", table([("x", [3, 4]), ("x", [1, 2])]), TWICE, "", "values"),
    ("a label twice instead of once", TWICE, table({"x": [1, 2]}), "", "column_extra"),
    ("integers for floats", table({"n": [1, 2]}), table({"n": [1.0, 2.0]}), "", "dtype"),
    ("integers for floats, ignored", table({"n": [1, 2]}), table({"n": [1.0, 2.0]}), "dtype: ignored", ""),
    ("a category for text", typed(A, k="category"), A, "", "dtype"),
    ("a category for text, ignored", typed(A, k="category"), A, "dtype: ignored", ""),
    ("int32 for int64", typed(A, n="int32"), typed(A, n="int64"), "", ""),
    ("int32 for int64, strict", typed(A, n="int32"), typed(A, n="int64"), "dtype: strict", "dtype"),
    ("NaN in its place", table({"n": [1.0, NAN]}), table({"n": [1.0, NAN]}), "", ""),
    (
        "NaN that equals nothing",
        table({"n": [1.0, NAN]}),
        table({"n": [1.0, NAN]}),
        "nan_equal: false",
        "values",
    ),
    ("NaN among any rows", table({"n": [NAN, 1.0]}), table({"n": [1.0, NAN]}), "rows: any", ""),
    (
        "near numbers among any rows",
        table({"n": [2.0, 1.0 + 1e-12]}),
        table({"n": [1.0, 2.0]}),
        "rows: any",
        "",
    ),
    ("other row labels", labelled(A, [1, 2, 3]), A, "", ""),
    ("other row labels that count", labelled(A, [1, 2, 3]), A, "index: true", "index"),
    ("matched by label", labelled(MOVED, ["c", "a", "b"]), labelled(A, ["a", "b", "c"]), "rows: labels", ""),
    (
        "labels that do not match",
        labelled(MOVED, ["c", "a", "z"]),
        labelled(A, ["a", "b", "c"]),
        "rows: labels",
        "index",
    ),
    ("another name of the index", labelled(A, [0, 1, 2]), A, "names: true", "names"),
    ("a series by label", series([2.0, 1.0], ["b", "a"]), series([1.0, 2.0], ["a", "b"]), "rows: labels", ""),
    ("a series by place", series([2.0, 1.0], ["b", "a"]), series([1.0, 2.0], ["a", "b"]), "", "values"),
    ("a list for a table", [1, 2], A, "", "kind"),
]


@pytest.mark.parametrize(
    ("seen", "expected", "settings", "reason"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES]
)
def test_table(seen: Any, expected: Any, settings: str, reason: str) -> None:
    text = "{equal: {of: x, to: reference" + (f", {settings}" if settings else "") + "}}"
    found = outcome_of(text, {"x": seen}, {"x": expected})
    assert (found.reason, found.passed) == (reason, not reason)


def days(*texts: str, unit: str = "ns", zone: str | None = None) -> v.Array:
    array = node(np.array(texts, dtype=f"datetime64[{unit}]"))
    return msgspec.structs.replace(array, zone=zone) if zone else array


def dated(dates: v.Array) -> v.Table:
    """A table of one column of dates."""
    frame = table({"d": np.zeros(dates.shape)})
    return msgspec.structs.replace(
        frame, columns=(msgspec.structs.replace(frame.columns[0], values=dates, dtype="datetime"),)
    )


NOON = days("2024-07-01T10:00", zone="Europe/Berlin")


VALUES: list[tuple[str, Any, Any, str, str]] = [
    ("float32 for float64", np.array([0.1, 1e8], dtype=np.float32), np.array([0.1, 1e8]), "", ""),
    ("float32 with a tolerance of the author's", np.array([0.1], dtype=np.float32), np.array([0.1]), "rel: 1e-9", "values"),
    ("float32, strict", np.array([0.5], dtype=np.float32), np.array([0.5]), "dtype: strict", "dtype"),
    ("float64 has its digits", np.array([0.1 + 1e-7]), np.array([0.1]), "", "values"),
    ("a NumPy scalar for Python's", np.float64(2.5), 2.5, "", ""),
    ("an array of no axis for a number", np.array(2.5), 2.5, "", ""),
    ("near zero, no floor", 1e-12, 0.0, "", "values"),
    ("near zero, floor", 1e-12, 0.0, "abs: 1e-9", ""),
    ("True for 1", True, 1, "", "dtype"),
    ("a list for an array", [1.0, 2.0], np.array([1.0, 2.0]), "", "container"),
    ("any order of a list", ["b", "a", "b"], ["a", "b", "b"], "rows: any", ""),
    ("as often as expected", ["b", "a", "a"], ["a", "b", "b"], "rows: any", "values"),
    ("nested in any order", [[2], [1]], [[1], [2]], "rows: any", ""),
    ("dates of another unit", days("2024-01-01", unit="D"), days("2024-01-01", unit="s"), "", ""),
    ("another day", days("2024-01-01"), days("2024-01-02"), "", "values"),
    ("no date for no date", days("NaT"), days("NaT"), "", ""),
    ("a text for a date", ["2024-01-01"], days("2024-01-01"), "", "kind"),
    ("a column of dates", table({"d": np.array(["2024-01-01"], dtype="M8[s]")}), table({"d": np.array(["2024-01-01"], dtype="M8[ns]")}), "", ""),
    ("the same moment of the same zone", NOON, days("2024-07-01T10:00", unit="us", zone="Europe/Berlin"), "", ""),
    ("the same moment of another zone", NOON, days("2024-07-01T10:00", zone="UTC"), "", ""),
    ("another moment of the same zone", NOON, days("2024-07-01T12:00", zone="Europe/Berlin"), "", "values"),
    ("a date with a zone for one without", NOON, days("2024-07-01T10:00"), "", "dtype"),
    ("a date with a zone for one without, types ignored", NOON, days("2024-07-01T10:00"), "dtype: ignored", ""),
    ("no date of a zone for a date of one", days("NaT", zone="UTC"), NOON, "", "values"),
    ("a column of dates of another zone", dated(NOON), dated(days("2024-07-01T10:00", zone="UTC")), "", ""),
    ("a column of dates of another zone, strictly", dated(NOON), dated(days("2024-07-01T10:00", zone="UTC")), "dtype: strict", "dtype"),
    ("a column of dates of no zone", dated(NOON), dated(days("2024-07-01T10:00")), "", "dtype"),
    ("whole numbers beyond 2**53", 2**60 + 1, 2**60, "rel: 0", "values"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "expected", "settings", "reason"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES]
)
def test_value(seen: Any, expected: Any, settings: str, reason: str) -> None:
    text = "{equal: {of: x, to: reference" + (f", {settings}" if settings else "") + "}}"
    assert outcome_of(text, {"x": seen}, {"x": expected}).reason == reason


def test_last_row_counts_as_the_first() -> None:
    long = {"n": list(range(5000)), "k": [f"r{n}" for n in range(5000)]}
    wrong = {**long, "n": [*range(4999), 0]}
    found = outcome_of("{equal: {of: x, to: reference}}", {"x": table(wrong)}, {"x": table(long)})
    assert (found.reason, found.facts["differing"], found.facts["where"]) == ("values", 1, "row 4999")


def test_expected_value_is_told_only_where_the_author_says_so() -> None:
    for tell, message in (("true", "It is [1, 2]."), ("false", "It is …")):
        text = f"{{equal: {{of: x, to: {{value: [1, 2]}}, tell: {tell}}}, message: 'It is {{expected}}.'}}"
        assert outcome_of(text, {"x": [1, 3]}).message == message.replace("[", r"\[").replace("]", r"\]")


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(FLOATS, FLOATS, st.floats(0, 1e-3), st.floats(0, 1e3))
def test_closeness_does_not_depend_on_the_sign_and_grows_with_tolerance(
    one: float, other: float, relative: float, absolute: float
) -> None:
    close = Tolerance(relative, absolute).close(np.array(one), np.array(other))
    assert close == Tolerance(relative, absolute).close(np.array(-one), np.array(-other))
    assert not close or Tolerance(relative * 2, absolute + 1).close(np.array(one), np.array(other))
    floor = Tolerance(0.0, absolute)
    assert floor.close(np.array(one), np.array(other)) == floor.close(np.array(other), np.array(one))


ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.floats(-9, 9)), min_size=1, max_size=8
)


@given(ROWS, st.randoms(use_true_random=False))
def test_any_order_of_rows_is_that_table_and_no_other(
    rows: list[tuple[str, int, float]], chance: random.Random
) -> None:
    moved = rows[:]
    chance.shuffle(moved)
    frames = [
        table({"k": [r[0] for r in each], "n": [r[1] for r in each], "x": [r[2] for r in each]})
        for each in (moved, rows)
    ]
    text = "{equal: {of: x, to: reference, rows: any}}"
    assert outcome_of(text, {"x": frames[0]}, {"x": frames[1]}).passed
    moved[0] = (moved[0][0], moved[0][1], moved[0][2] + 20)
    wrong = table({"k": [r[0] for r in moved], "n": [r[1] for r in moved], "x": [r[2] for r in moved]})
    assert not outcome_of(text, {"x": wrong}, {"x": frames[1]}).passed


@given(ROWS, st.randoms(use_true_random=False))
def test_ties_may_swap_and_nothing_else(rows: list[tuple[str, int, float]], chance: random.Random) -> None:
    expected = sorted(rows, key=lambda row: row[1])
    seen = sorted(chance.sample(rows, len(rows)), key=lambda row: row[1])
    frames = [
        table({"k": [r[0] for r in each], "n": [r[1] for r in each], "x": [r[2] for r in each]})
        for each in (seen, expected)
    ]
    assert outcome_of(
        "{equal: {of: x, to: reference, order: {by: n}}}", {"x": frames[0]}, {"x": frames[1]}
    ).passed
