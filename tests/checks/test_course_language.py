"""What writing the example courses asked of the language: times, iterators, pairs, dicts, scenarios with exceptions."""

# ruff: noqa: E501, DTZ001 - a case of a table is one line, however long; times without a zone are the subject

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare.spelling import spelled
from checks.evidence import values as v
from checks.scene import Scene
from checks.spec import load_spec  # noqa: F401 - the language is loaded as a whole, its kinds within
from checks.spec.argument import argument_data, expected_node
from checks.spec.kind import kinds
from checks.spec.literal import literal_node
from tests.checks.doc_examples import Example
from worker.inside.arguments import build

ACCOUNT = """
calls:
  of: Account
  cases:
    - steps:
        - {construct: Account, as: account}
        - {call: account.pay, arguments: [5], raises: ValueError}
        - {look: account.balance, returns: 0}
"""
IN_PLACE = "calls: {of: change, cases: [{arguments: [[1, 2]], returns: null, arguments_after: [[2]]}]}"


def alike(seen: Any, expected: Any, **settings: Any) -> tuple[float, str]:
    kind = kinds()["equal"].model_validate(
        {"of": {"variable": "x", **settings.pop("target", {})}, "to": {"value": expected}, **settings}
    )
    found = kind.judge(Scene({"x": literal_node(seen)}))
    return found.credit, found.reason


def part(spec: str, values: str) -> tuple[str, str]:
    found = Example(spec, values, "", "", 0).feedback().parts[-1]
    return found.status, found.message


TIMES: list[tuple[Any, Any]] = [
    ({"date": "2024-02-29"}, dt.date(2024, 2, 29)),
    ({"datetime": "2024-02-29T12:30"}, dt.datetime(2024, 2, 29, 12, 30)),
    ({"timedelta": {"days": 1, "hours": 2}}, dt.timedelta(days=1, hours=2)),
    ({"timedelta": {"seconds": 0.5}}, dt.timedelta(milliseconds=500)),
]


@pytest.mark.parametrize(("written", "made"), TIMES, ids=str)
def test_a_written_time_is_that_object_in_the_sandbox_and_outside(written: Any, made: object) -> None:
    built = build(argument_data(written), {})
    assert (type(built), built) == (type(made), made)
    assert expected_node(written) == literal_node(written)


@given(st.timedeltas())
def test_every_span_keeps_its_microseconds(span: dt.timedelta) -> None:
    written = {"timedelta": {"days": span.days, "seconds": span.seconds, "microseconds": span.microseconds}}
    assert build(argument_data(written), {}) == span


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": "2023-02-29"},
        {"date": 7},
        {"datetime": "noon"},
        {"datetime": "2024-01-01T00:00+02:00"},
        {"timedelta": {"months": 1}},
        {"timedelta": {"days": True}},
        {"timedelta": 3},
        {"timedelta": {"days": 10**12}},
    ],
    ids=str,
)
def test_a_time_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"written|consists"):
        literal_node(wrong)


def test_times_are_spelled_in_messages() -> None:
    assert [spelled(literal_node(written)) for written, _ in TIMES[:3]] == [
        "2024-02-29",
        "2024-02-29T12:30:00",
        "1 day, 2:00:00",
    ]


def test_an_iterator_is_walked_once_and_equals_nothing() -> None:
    built: Any = build(argument_data({"iterator": [1, 2]}), {})
    assert (list(built), list(built)) == ([1, 2], [])
    with pytest.raises(ValueError, match="consume"):
        expected_node({"iterator": [1]})


PAIRS = [[1, {"tuple": ["a", 2]}], {"tuple": [1, ["a", 2]]}]


def test_tuples_and_lists_are_one_kind_where_the_spec_says_so() -> None:
    assert alike(PAIRS[0], PAIRS[1])[0] == 0
    assert alike(PAIRS[0], PAIRS[1], target={"normalise": "lists"}) == (1, "")
    assert alike([1, ["a", 3]], PAIRS[1], target={"normalise": "lists"})[0] == 0


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"dict": [["a", 1], ["b", 3]]}, "values"),
        ({"dict": [["a", 1]]}, "values"),
        ({"dict": [["b", 2], ["a", 1]]}, ""),
        (["a", "b"], "kind"),
    ],
    ids=str,
)
@pytest.mark.parametrize("settings", [{}, {"rows": "any"}, {"container": "any"}], ids=str)
def test_a_dict_with_the_right_keys_alone_is_worth_nothing(
    seen: Any, reason: str, settings: dict[str, Any]
) -> None:
    assert alike(seen, {"dict": [["a", 1], ["b", 2]]}, **settings) == (0.0 if reason else 1.0, reason)


def test_of_a_dict_the_entries_that_differ_are_counted() -> None:
    kind = kinds()["equal"].model_validate({"of": "x", "to": {"value": {"dict": [["a", 1], ["b", 2]]}}})
    facts = kind.judge(Scene({"x": literal_node({"dict": [["a", 1], ["c", 2]]})})).facts
    assert (facts["differing"], facts["total"]) == (2, 3)


def test_a_scenario_goes_on_after_the_exception_that_it_asks_for() -> None:
    head = "class Account:\n    balance = 0\n    def pay(self, amount):\n"
    assert part(ACCOUNT, f"{head}        raise ValueError\n")[0] == "correct"
    status, message = part(ACCOUNT, f"{head}        self.balance -= amount\n        raise ValueError\n")
    assert (status, "account.balance" in message, "-5" in message) == ("incorrect", True, True)


def test_an_exception_that_nobody_asked_for_is_what_is_told() -> None:
    status, message = part(
        ACCOUNT.replace(", raises: ValueError", ""),
        "class Account:\n    balance = 0\n    def pay(self, amount):\n        raise KeyError\n",
    )
    assert (status, "raised KeyError" in message) == ("incorrect", True)


def test_a_student_reads_what_became_of_the_arguments() -> None:
    status, message = part(IN_PLACE, "def change(numbers):\n    numbers.pop()\n")
    assert (status, message) == (
        "incorrect",
        r"After change(\[1, 2\]) the arguments are \[1\], which is not right.",
    )


def test_a_single_class_needs_no_list() -> None:
    kind = kinds()["type"].model_validate({"of": "x", "is": "list", "items": "number"})
    assert kind.judge(Scene({"x": v.Sequence(items=(v.Int(v="1"),))})).passed
