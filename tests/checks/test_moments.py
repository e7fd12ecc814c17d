"""Days and moments of a spec, held against those of a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks.compare.words import describe
from checks.errors import SpecError
from checks.evidence import values as v
from tests.checks.making import node, outcome_of, series


def moment(text: str, zone: str | None = None, unit: str = "us") -> v.Array:
    """A moment as the extraction sends it: in UTC where it has a zone."""
    found = node(np.array(text, dtype=f"datetime64[{unit}]"))
    assert isinstance(found, v.Array)
    return v.Array(dtype=found.dtype, shape=(), data=found.data, zone=zone, cls="datetime.datetime")


NINE = "{moment: 2026-11-02T09:00+01:00}"
DAYS = "[{date: 2026-11-02}, {date: 2026-11-03}]"


def days(*found: str, unit: str = "ns") -> np.ndarray[Any, Any]:
    return np.array([f"2026-11-{day}" for day in found], dtype=f"datetime64[{unit}]")


@pytest.mark.parametrize(
    ("literal", "seen", "reason", "credit"),
    [
        (NINE, moment("2026-11-02T08:00", "Europe/Berlin"), "", 1.0),
        (NINE, moment("2026-11-02T08:00", "UTC", "ns"), "", 1.0),
        (NINE, moment("2026-11-02T09:00", "UTC"), "values", 0.0),
        (NINE, moment("2026-11-02T08:00"), "dtype", 0.5),
        ('{moment: "2026-11-02T08:00Z"}', moment("2026-11-02T08:00", "UTC"), "", 1.0),
        ("{moment: 2026-11-02T09:00}", moment("2026-11-02T09:00"), "", 1.0),
        ("{moment: 2026-11-02T09:00}", moment("2026-11-02T09:00", "UTC"), "dtype", 0.5),
        ("{date: 2026-11-02}", moment("2026-11-02", unit="D"), "", 1.0),
        ("{date: '2026-11-02'}", moment("2026-11-02"), "", 1.0),
        ("{date: 2026-11-02}", moment("2026-11-03", unit="D"), "values", 0.0),
        ("{date: 2026-11-02}", moment("NaT"), "values", 0.0),
        ("{date: 2026-11-02}", "2026-11-02", "kind", 0.0),
        (DAYS, [moment("2026-11-02"), moment("2026-11-03")], "", 1.0),
        (DAYS, days("02", "03"), "container", 0.5),
        (DAYS, series(days("02", "03", unit="s")), "container", 0.5),
        (DAYS, days("03", "02"), "values", 0.0),
        (DAYS, days("02"), "values", 0.0),
        (DAYS, ["2026-11-02", "2026-11-03"], "values", 0.0),
    ],
)
def test_moments_are_equal_when_they_are_the_same(
    literal: str, seen: Any, reason: str, credit: float
) -> None:
    found = outcome_of(f"equal: {{of: x, to: {{value: {literal}}}}}", {"x": seen})
    assert (found.reason, found.credit) == (reason, credit)


def test_an_array_of_days_stands_for_their_list_where_the_container_does_not_matter() -> None:
    check = f"equal: {{of: x, to: {{value: {DAYS}}}, container: any}}"
    assert outcome_of(check, {"x": days("02", "03")}).passed


def test_several_days_may_be_accepted() -> None:
    check = "one_of: {of: x, accept: [{date: 2026-11-02}, {date: 2026-12-24}]}"
    assert outcome_of(check, {"x": moment("2026-12-24", unit="D")}).passed
    assert not outcome_of(check, {"x": moment("2026-12-25", unit="D")}).passed


@pytest.mark.parametrize("literal", ["{date: 2026-13-01}", "{moment: yesterday}", "{date: 5}"])
def test_a_day_that_is_none_is_the_authors_mistake(literal: str) -> None:
    with pytest.raises(SpecError, match=r"parts\.0\.checks\.0\.equal\.to\.value"):
        outcome_of(f"equal: {{of: x, to: {{value: {literal}}}}}", {"x": 1})


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (moment("2026-11-02", unit="D"), "the day 2026-11-02"),
        (moment("2026-11-02T08:00", "Europe/Berlin", "s"), "the moment 2026-11-02 08:00:00 (UTC)"),
        (moment("NaT"), "no moment (NaT)"),
        (node(np.array(90_000, dtype="timedelta64[ms]")), "a span of 90 seconds"),
    ],
)
def test_a_moment_is_said_in_words(seen: v.AnyNode, said: str) -> None:
    assert describe(seen) == said
