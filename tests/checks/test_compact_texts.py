"""Texts that came in one piece are judged as texts that came one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks.evidence import values as v
from tests.checks.making import index, node, outcome_of
from tests.checks.test_evidence_texts import texts

NAMES = ["b", "a", "c"]


def table(names: list[str], **more: v.Array) -> v.Table:
    """A table as the extraction sends it: its texts in one piece."""
    columns = {"name": texts(names, dtype="str"), **more}
    made = tuple(v.Column(name=node(name), dtype="?", values=array) for name, array in columns.items())
    return v.Table(columns=made, index=index(len(names)))


def instants(*hours: int, zone: str | None = None) -> v.Array:
    found = node(np.array([f"2026-01-01T{hour:02}" for hour in hours], dtype="datetime64[us]"))
    assert isinstance(found, v.Array)
    return v.Array(dtype=found.dtype, shape=found.shape, data=found.data, zone=zone)


def column(names: list[str], **fields: Any) -> v.Series:
    values = texts(names, **{"dtype": "str", **fields})
    return v.Series(name=node("name"), dtype="str", values=values, index=index(len(names)))


@pytest.mark.parametrize(
    ("check", "seen", "expected"),
    [
        ("equal: {of: x, to: reference, rows: any}", table(NAMES), table(["c", "b", "a"])),
        (
            "equal: {of: {variable: x, normalise: case}, to: reference}",
            column(NAMES),
            column(["B", "A", "C"]),
        ),
        (
            "equal: {of: {variable: x, normalise: sort}, to: reference}",
            column(NAMES),
            column(["c", "b", "a"]),
        ),
        ("relation: {holds: \"len(x) == 3 and 'c' in x\"}", column(NAMES), None),
        (
            "equal: {of: {variable: x, select: [{slice: [1, 3]}]}, to: {value: [a, c]}, container: any}",
            column(NAMES),
            None,
        ),
        ("type: {of: x, dtype: [text]}", texts(NAMES), None),
    ],
)
def test_texts_in_one_piece_are_judged_as_any(check: str, seen: v.AnyNode, expected: v.AnyNode) -> None:
    assert outcome_of(check, {"x": seen}, {"x": expected}).passed


def test_an_element_of_a_matrix_of_texts_is_found() -> None:
    grid = texts(["a", "b", "c", "d"], dtype="str", shape=(2, 2))
    check = "equal: {of: {variable: x, select: [{item: 1}, {item: 0}]}, to: {value: c}}"
    assert outcome_of(check, {"x": grid}).passed


@pytest.mark.parametrize(("zone", "reason"), [("UTC", ""), ("Europe/Oslo", ""), (None, "dtype")])
def test_rows_that_are_put_in_order_keep_the_zone_of_their_moments(zone: str | None, reason: str) -> None:
    seen = table(NAMES, at=instants(1, 2, 3, zone=zone))
    expected = table(["c", "b", "a"], at=instants(3, 1, 2, zone="Europe/Oslo"))
    found = outcome_of("equal: {of: x, to: reference, rows: any}", {"x": seen}, {"x": expected})
    assert found.reason == reason


def test_a_column_of_categories_knows_its_categories() -> None:
    groups = v.Groups(names=texts(["calm", "rough"], dtype="str"), ordered=True)
    sea = v.Column(name=node("sea"), dtype="category", values=texts(["rough"], dtype="str"), groups=groups)
    seen = v.Table(columns=(sea,), index=index(1))
    target = "{variable: x, select: [{column: sea}]}"
    check = f"attributes: {{of: {target}, that: {{ordered: true, categories: [calm, rough]}}}}"
    assert outcome_of(check, {"x": seen}).passed
