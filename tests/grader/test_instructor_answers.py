"""Equal answers are one answer: what counts as equal, what is told apart, and how it is put in words."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from checks.evidence import array_node
from checks.evidence import values as v
from grader.answers import Tally, describe, merged, similar
from grader.wording import kind, short
from tests.checks.making import node

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False, width=32)


def same(one, other) -> bool:
    first, second = describe({"x": node(one)}), describe({"x": node(other)})
    return first.outline == second.outline and similar(first.sketch, second.sketch)


def layer(number: int, name: str) -> v.Layer:
    return v.Layer(id=number, cls="keras.layers.Dense", name=name)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, st.integers(1, 400), elements=NUMBERS), st.integers(0, 2**32 - 1))
def test_noise_of_single_precision_makes_no_other_answer(found, seed):
    noise = 1 + np.random.default_rng(seed).uniform(-1e-7, 1e-7, found.shape)
    assert same(found, found * noise)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, st.integers(2, 400), elements=st.floats(0.5, 2.0)), st.data())
def test_one_other_number_makes_another_answer(found, data):
    place = data.draw(st.integers(0, len(found) - 1))
    other = found.copy()
    other[place] *= 1.05
    assert not same(found, other)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (42, 42, True),
        (42, 43, False),
        (42, 42.0, False),
        (0.1 + 0.2, 0.3, True),
        (0.3, 0.301, False),
        ("a", "b", False),
        ([1, 2], (1, 2), False),
        ([1, 2], [2, 1], False),
        ({1, 2}, {2, 1}, True),
        ({"a": 1.0}, {"a": 1.0 + 1e-12}, True),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
        (float("inf"), float("-inf"), False),
        ([float("nan"), 1.0], [1.0, float("nan")], False),
        (np.zeros(40), np.zeros(40), True),
        (np.zeros(40), np.zeros((40, 1)), False),
        (np.zeros(40), np.zeros(40, np.float32), False),
        (np.full(40, 1e300), np.full(40, 1e300), True),
        (np.arange(40), np.arange(40), True),
        (np.arange(40), np.arange(1, 41), False),
        (np.array(["a", "b"]), np.array(["ab", ""]), False),
        (layer(7, "dense_3"), layer(9, "dense"), True),
        (layer(7, "dense"), layer(7, "hidden"), False),
        ([layer(1, "a"), layer(1, "a")], [layer(1, "a"), layer(2, "a")], False),
    ],
)
def test_what_is_one_answer(one, other, equal):
    assert same(one, other) is equal


def test_functions_are_told_apart_by_what_their_calls_came_to():
    made = [
        v.Callable("f", "builtins.function", source=text) for text in ("def f(): return 1", "f = lambda: 1")
    ]
    done = [
        v.Called("one", (v.Step("returned", result=node(result), seconds=result),)) for result in (1, 1, 2)
    ]
    by_call = [
        describe({"f": function}, {"sha256:0": each}).outline
        for function, each in ((made[0], done[0]), (made[0], done[1]), (made[0], done[2]))
    ]
    assert (by_call[0] == by_call[1], by_call[0] == by_call[2]) == (True, False)
    assert describe({"f": made[0]}).outline != describe({"f": made[1]}).outline


def test_the_time_that_a_call_took_is_no_answer():
    one, other = (v.Called("c", (v.Step("returned", result=node(1), seconds=time),)) for time in (0.1, 0.2))
    assert describe({"f": node(1)}, {"k": one}).outline == describe({"f": node(1)}, {"k": other}).outline


def test_groups_do_not_fall_apart_at_the_edge_of_a_rounding():
    edges = [Tally("o", (value,), 1) for value in (0.123455, 0.1234550001, 0.1234549999, 0.2)]
    assert sorted(map(sorted, merged(edges))) == [[0, 1, 2], [3]]


def nested(inner):
    return st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=5), inner, max_size=9)


PLAIN = NUMBERS | st.integers() | st.text(max_size=400) | st.none() | st.booleans()


@settings(deadline=None, max_examples=60)
@given(st.recursive(PLAIN, nested))
def test_any_value_is_put_in_few_words(value):
    assert len(describe({"x": node(value)}).text) <= 240
    assert kind(node(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (4.0, "4.0"),
        (4, "4"),
        ("a\nb", "'a\\nb'"),
        ([1, [2, [3]]], "[1, [2, […]]]"),
        (list(range(9)), "[0, 1, 2, 3, 4, … 4 more]"),
        (np.linspace(0, 1, 100), "100 float64 [0, 0.010101, 0.020202, 0.030303, 0.040404, … 95 more]"),
        (v.Broken("too large"), "could not be read: too large"),
    ],
)
def test_a_value_in_words(value, text):
    assert short(node(value)) == text


def test_numbers_are_sketched_in_few_whatever_there_are():
    answer = describe({"x": array_node(np.arange(100_000, dtype=np.float64))})
    assert len(msgspec.json.encode(answer.sketch)) < 300
