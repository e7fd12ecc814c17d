"""Comparison: tolerance, what counts as the same content, and graphs that are large or forged."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare import structure
from checks.compare.closeness import Tolerance
from checks.compare.graph import Graph, Step, find_trails
from checks.compare.words import describe, listed, quoted, quoted_if_odd
from checks.evidence import values as v
from tests.checks.making import Network, node, outcome_of, series, table

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(FLOATS, min_size=1, max_size=20), st.floats(1e-12, 1e-3))
def test_every_array_is_close_to_itself_and_within_half_a_tolerance(
    numbers: list[float], relative: float
) -> None:
    tolerance, exact = Tolerance(relative, 0.0), np.array(numbers)
    assert tolerance.all_close(exact, exact)
    assert tolerance.all_close(exact * (1 + relative / 2), exact)


@given(st.floats(1e-3, 1e6), st.floats(1e-9, 1e-3))
def test_twice_a_tolerance_is_too_far(number: float, relative: float) -> None:
    assert not Tolerance(relative, 0.0).all_close(np.array(number * (1 + 2 * relative)), np.array(number))


NAN, INF = float("nan"), float("inf")
CLOSE: list[tuple[Any, Any, Tolerance, bool]] = [
    (NAN, NAN, Tolerance(), True),
    (NAN, NAN, Tolerance(nan_equal=False), False),
    (NAN, 1.0, Tolerance(0.5, 1e9), False),
    (INF, INF, Tolerance(), True),
    (INF, -INF, Tolerance(), False),
    (1e300, INF, Tolerance(0.5, 1e9), False),
    (1e-9, 0.0, Tolerance(0.5, 0.0), False),
    (1e-9, 0.0, Tolerance(0.0, 1e-8), True),
    (2**62, 2**62 + 1, Tolerance(0.0), False),
    (3, 3.0, Tolerance(0.0), True),
    (1 + 1e-12j, 1 + 0j, Tolerance(), True),
    (True, 1, Tolerance(), True),
]


@pytest.mark.parametrize(("seen", "expected", "tolerance", "close"), CLOSE)
def test_closeness(seen: Any, expected: Any, tolerance: Tolerance, close: bool) -> None:
    assert tolerance.all_close(np.array(seen), np.array(expected)) is close


UP_TO: list[tuple[list[float], str, bool]] = [
    ([2, 3, 4], "shift", True),
    ([2, 4, 6], "factor", True),
    ([3, 1, 2], "order", True),
    ([1, 2, 3], "shift", False),
    ([1, 2, 3], "factor", False),
    ([1, 2, 3], "order", False),
    ([2, 3, 5], "shift", False),
    ([2, 4, 7], "factor", False),
    ([3, 1, 1], "order", False),
    ([NAN, 3, 4], "shift", False),
    ([0, 0, 0], "factor", False),
]


@pytest.mark.parametrize(("seen", "up_to", "holds"), UP_TO)
def test_difference_that_is_only_a_shift_a_factor_or_the_order(
    seen: list[float], up_to: Any, holds: bool
) -> None:
    assert Tolerance(1e-6, 1e-9).equal_up_to(np.array(seen), np.array([1.0, 2.0, 3.0]), up_to) is holds


SAME: list[tuple[Any, Any, bool]] = [
    ("a", "a", True),
    ("a", "b", False),
    (["a", 1], ["a", 1.0], True),
    (["a", 1], ("a", 1), False),
    ({"a"}, frozenset({"a"}), True),
    ({"a": [1, None]}, {"a": [1, None]}, True),
    ({"a": 1}, {"b": 1}, False),
    (None, None, True),
    (None, 0, False),
    (10**30, 10**30, True),
    ({10**30: 1}, {"int 1000000000000000000000000000000": 1}, False),
    ({"int 1000000000000000000000000000000"}, {10**30}, False),
    ({10**30: 1}, {10**30: 1}, True),
    ({2.0**70: 1}, {2**70: 1}, True),
    (table({"x": [1, 2]}), table({"x": [1.0, 2.0]}), True),
    (table({"x": ["a", "b"]}), table({"x": ["b", "a"]}), False),
    (table({"x": [1]}), table({"y": [1]}), False),
    (v.Seen(id=1), v.Seen(id=1), False),
]


@pytest.mark.parametrize(("seen", "expected", "same"), SAME)
def test_same_content(seen: Any, expected: Any, same: bool) -> None:
    assert structure.same(node(seen), node(expected), Tolerance()) is same


@pytest.mark.parametrize(
    "made",
    [
        lambda cut: v.Sequence(items=(node("a"), node(1)), cut=cut),
        lambda cut: v.Sequence(items=(node(2), node(1)), cut=cut),
        lambda cut: v.SetOf(items=(node("a"), node(1)), cut=cut),
        lambda cut: v.Mapping(items=((node("a"), node(1)),), cut=cut),
    ],
)
def test_containers_that_are_too_long_are_equal_at_most_where_they_are_of_one_length(made: Any) -> None:
    for one, other, equal in ((5, 5, True), (5, 9, False), (None, 9, False), (9, None, False)):
        assert structure.same(made(one), made(other), Tolerance()) is equal
        for more in ("", ", rows: any", ", container: any"):
            check = f"{{equal: {{of: x, to: reference{more}}}}}"
            assert outcome_of(check, {"x": made(one)}, {"x": made(other)}).passed is equal


WORDS: list[tuple[Any, str]] = [
    (None, "None"),
    (3, "the number 3"),
    (0.5, "the number 0.5"),
    ("x", "the text 'x'"),
    ([], "a list of 0 items"),
    ({"a"}, "a set of 1 item"),
    (np.zeros((3, 1)), "an array of shape (3, 1)"),
    (np.zeros(3), "an array of shape (3,)"),
    (np.array(2.5), "the number 2.5"),
    (series([1.0]), "a Series of 1 value"),
    (table({"x": [1, 2]}), "a DataFrame of 2 rows and 1 column"),
    (v.Opaque(id=1, cls="a.b.Thing"), "an object of class Thing"),
    (v.Layer(id=1, cls="k.Dense", name="d"), "a Dense named 'd'"),
]


@pytest.mark.parametrize(("value", "words"), WORDS)
def test_description(value: Any, words: str) -> None:
    assert describe(node(value)) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "'a b'"),
        (" a", "'␣a'"),
        ("a  b\n", "'a␣␣b␣'"),
        ("a\tb", "'a␣b'"),
        ("\\", "'\\'"),
        ("x" * 1000, "'" + "x" * 100 + "…'"),
    ],
)
def test_quotation_keeps_blanks_visible(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_names_are_quoted_only_where_blanks_would_be_lost() -> None:
    assert [quoted_if_odd(name) for name in ("norm", "norm ", "")] == ["norm", "'norm␣'", "''"]


def test_long_lists_are_counted() -> None:
    assert [listed(list("abcdefg"[:n])) for n in (0, 1, 2, 3, 7)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
        "a, b, c, d, e and 2 more",
    ]


def chain(length: int) -> tuple[Network, v.GraphTensor]:
    """Additions of a tensor to itself, one after the other: 2 to the power of ``length`` paths."""
    net = Network()
    tensor = net.input("x")
    for _ in range(length):
        tensor = net.call("k.Add", [tensor, tensor], (None, 1))
    return net, tensor


def test_graph_with_very_many_paths_takes_no_time() -> None:
    net, out = chain(1_000)
    started = time.process_time()
    assert find_trails(Graph(net.model(out)), "x", [Step(lambda layer: True)], "any")
    assert time.process_time() - started < 5


def test_forged_graph_with_a_loop_has_no_paths() -> None:
    net, out = chain(2)
    first = net.nodes[1]
    net.nodes[1] = v.GraphNode(layer=first.layer, node=0, inputs=(out,), shapes=first.shapes)
    assert find_trails(Graph(net.model(out)), "x", [Step(lambda layer: True)], "any") == []


def test_forged_graph_that_points_nowhere_has_no_paths() -> None:
    model = v.Model(
        id=1, cls="m", name="m", layers=(), nodes=(), inputs=(), outputs=(v.GraphTensor(9, 9, 9),)
    )
    graph = Graph(model)
    assert find_trails(graph, "x", [Step(lambda layer: True)], "any") == []
    assert graph.output_shapes() == [None]
