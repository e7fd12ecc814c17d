"""Rows and elements in any order: every right answer is found, and no choice of values makes it slow."""

from __future__ import annotations

import time
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare import structure
from checks.compare.closeness import Tolerance
from checks.compare.frames import Layout, difference
from checks.compare.results import Near, same_rows
from checks.errors import UndecidedError
from checks.evidence import values as v
from checks.judge import judge
from tests.checks.making import (
    SUBMISSION,
    cell,
    evidence,
    index,
    node,
    small_assignment,
    snapshot,
    table,
)

ANY = Layout(rows="any")
NAN = float("nan")
EXACT, NEAR = Tolerance(), Tolerance(0.0, 0.1)


def objects(columns: dict[str, list[Any]]) -> v.Table:
    """A data frame whose columns hold objects of any kind."""
    made = tuple(
        v.Column(
            name=node(name),
            dtype="object",
            values=v.Array(dtype="object", shape=(len(cells),), items=tuple(map(node, cells))),
        )
        for name, cells in columns.items()
    )
    return v.Table(columns=made, index=index(made[0].values.shape[0]))


def same(seen: v.Table, expected: v.Table, tolerance: Tolerance = EXACT, layout: Layout = ANY) -> bool:
    return difference(seen, expected, layout, tolerance, "any") is None


def mixed(count: int, noise: float = 0.0) -> dict[str, list[Any]]:
    """Texts, numbers, gaps and lists among each other."""
    cells: list[Any] = []
    for at in range(count):
        cells.append((f"t{at}", at / 7 + noise, None, at, [at / 3 + noise, "x"], {f"k{at}"}, True)[at % 7])
    return {"id": [f"id{at % 50}" for at in range(count)], "mixed": cells}


def turned(columns: dict[str, list[Any]], order: Any) -> dict[str, list[Any]]:
    return {name: [cells[at] for at in order] for name, cells in columns.items()}


def test_tables_of_objects_are_matched_in_about_the_time_of_sorting() -> None:
    order = np.random.default_rng(1).permutation(6_000)
    ours, theirs = objects(mixed(6_000)), objects(turned(mixed(6_000, 1e-12), order))
    wrong = mixed(6_000)
    wrong["mixed"][1] = 99.5
    whole = objects({"id": list(range(6_000)), "n": [at + 0.5 for at in range(6_000)]})
    back = objects({"id": list(range(6_000))[::-1], "n": [at + 0.5 for at in range(6_000)][::-1]})
    started = time.process_time()
    assert same(theirs, ours)
    assert not same(objects(turned(wrong, order)), ours)
    assert same(back, whole)
    assert time.process_time() - started < 8


def test_numbers_that_noise_puts_in_another_order_are_matched_however_many_rows_there_are() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 5, 3_000).astype(float), rng.permutation(3_000).astype(float)
    order = rng.permutation(3_000)
    seen = table({"a": first[order] + rng.normal(0, 1e-12, 3_000), "b": second[order]})
    assert same(seen, table({"a": first, "b": second}), Tolerance(1e-9, 1e-9))
    moved = second[order].copy()
    moved[7] += 1
    assert not same(table({"a": first[order], "b": moved}), table({"a": first, "b": second}))


def test_tied_rows_of_a_sorted_table_are_matched_in_about_the_time_of_sorting() -> None:
    by = [f"g{at // 3:05}" for at in range(6_000)]
    ours = objects({"by": by, "x": [("a", 1.5, 2)[at % 3] for at in range(6_000)]})
    theirs = objects({"by": by, "x": [(2.0, "a", 1.5)[at % 3] for at in range(6_000)]})
    started = time.process_time()
    assert same(theirs, ours, layout=Layout(by=("by",)))
    assert time.process_time() - started < 8


def test_rows_that_are_tied_and_right_are_not_counted_with_a_wrong_one() -> None:
    ours = table({"by": ["a", "a", "b", "b"], "x": [1.5, 2.5, 3.5, 4.5]})
    theirs = table({"by": ["a", "a", "b", "b"], "x": [2.5, 1.5, 3.5, 9.5]})
    found = difference(theirs, ours, Layout(by=("by",)), Tolerance(), "any")
    assert found is not None
    assert found.facts["differing"] == 1


CELLS: list[tuple[Any, Any, Tolerance, bool]] = [
    ([0.1 + 0.2, "a"], ["a", 0.3], Tolerance(), True),
    ([None, "a"], ["a", NAN], Tolerance(), True),
    ([None, "a"], ["a", NAN], Tolerance(nan_equal=False), False),
    ([1, "1"], ["1", 1.0], Tolerance(), True),
    ([1, "1"], ["1", "1"], Tolerance(), False),
    ([True, "x"], ["x", 1], Tolerance(), True),
    ([10**30, "x"], ["x", 10**30], Tolerance(), True),
    ([10**30, "x"], ["x", 10**30 + 1], Tolerance(), False),
    ([1e30, "x"], ["x", 10**30], Tolerance(), True),
    ([float("inf"), "x"], ["x", float("inf")], Tolerance(), True),
    ([float("inf"), "x"], ["x", float("-inf")], Tolerance(), False),
    ([[1, 2.0], (1, 2)], [(1, 2), [1.0, 2]], Tolerance(), True),
    ([[1, 2], "x"], ["x", (1, 2)], Tolerance(), False),
    ([{"a": 0.1 + 0.2}, 1], [1, {"a": 0.3}], Tolerance(), True),
    ([{1.0, 2.0 + 1e-12}, "x"], ["x", {2.0, 1.0}], Tolerance(), True),
    ([v.Complex(re=(1.0).hex(), im=(1e-13).hex()), "x"], ["x", 1.0], Tolerance(), True),
    ([2, "x"], ["x", 3], Tolerance(0.0, 1.0), True),
    (["a\u0301", "x"], ["x", "\u00e1"], Tolerance(), True),
    ([v.Broken(why="?"), "x"], ["x", v.Broken(why="?")], Tolerance(), False),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected", "tolerance", "right"), CELLS)
def test_cells_of_any_kind_in_another_order(
    seen: list[Any], expected: list[Any], tolerance: Tolerance, right: bool
) -> None:
    assert same(objects({"x": seen}), objects({"x": expected}), tolerance) is right


def test_whole_numbers_within_an_absolute_tolerance_are_matched_in_any_order() -> None:
    assert same(table({"n": np.array([3, 1])}), table({"n": np.array([2, 4])}), Tolerance(0.0, 1.0))
    assert not same(table({"n": np.array([3, 1])}), table({"n": np.array([2, 5])}), Tolerance(0.0, 1.0))


def test_dates_beside_texts_are_matched_in_any_order_as_they_are_in_place() -> None:
    days = np.array(["2026-01-02", "2026-01-01"], dtype="datetime64[ns]")
    texts = table({"d": ["2026-01-01", "2026-01-02"]})
    assert same(table({"d": days[::-1]}), texts, layout=Layout())
    assert same(table({"d": days}), texts)


NUMBERS = st.sampled_from([0.0, 0.06, 0.12, 0.18, 0.24, 5.0, NAN, float("inf")])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6)


@given(ROWS, ROWS, st.booleans())
def test_matching_finds_partners_exactly_where_there_are_any(
    one: list[tuple[float, float]], other: list[tuple[float, float]], hold_objects: bool
) -> None:
    count = min(len(one), len(other))
    make = objects if hold_objects else table
    seen, expected = (
        make({"a": [a for a, _ in rows[:count]], "b": [b for _, b in rows[:count]]}) for rows in (one, other)
    )
    ours = np.array(other[:count])
    wanted = any(
        NEAR.close(np.array([one[at] for at in order]), ours).all() for order in permutations(range(count))
    )
    assert same(seen, expected, NEAR) is wanted


def test_too_many_nearly_equal_rows_are_undecided_in_a_short_time_and_never_wrong() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = (
        table({"a": rng.uniform(0, 0.15, 6_000), "b": rng.uniform(0, 0.15, 6_000)}) for _ in range(2)
    )
    started = time.process_time()
    with pytest.raises(UndecidedError):
        same(theirs, ours, NEAR)
    assert time.process_time() - started < 8


def bag(seen: Any, expected: Any, tolerance: Tolerance = EXACT) -> bool:
    return structure.same_bag([*map(node, seen)], [*map(node, expected)], tolerance)


def test_sets_of_thousands_of_numbers_are_equal_up_to_noise() -> None:
    ours = {at / 7 for at in range(5_000)}
    theirs = {number * (1 + 1e-13) for number in ours}
    whole = {*range(4_000), *(at + 0.1 for at in range(1_000))}
    started = time.process_time()
    for seen, expected, right in (
        (theirs, ours, True),
        ({*list(theirs)[:-1], -5.5}, ours, False),
        ({number + (1e-13 if isinstance(number, float) else 0) for number in whole}, whole, True),
        ({*whole, 5_000} - {7}, whole, False),
    ):
        assert structure.same(node(seen), node(expected), Tolerance()) is right
    assert time.process_time() - started < 8


def test_dense_numbers_are_matched_by_sorting_alone() -> None:
    rng = np.random.default_rng(4)
    ours = rng.uniform(0, 2, 5_000)
    assert bag(
        rng.permutation(ours + rng.uniform(-0.5, 0.5, 5_000)).tolist(), ours.tolist(), Tolerance(0, 0.5)
    )
    assert not bag([*ours[1:].tolist(), 99.0], ours.tolist(), Tolerance(0, 0.5))


def test_huge_whole_numbers_are_told_apart_in_any_order() -> None:
    ours = [2**70 + at for at in range(3_000)]
    started = time.process_time()
    assert bag(ours[::-1], ours)
    assert not bag([*ours[1:], 2**70 - 1], ours)
    assert time.process_time() - started < 5


BAGS: list[tuple[list[Any], list[Any], Tolerance, bool]] = [
    ([], [], EXACT, True),
    ([1], [1, 1], EXACT, False),
    ([2, 1.5], [1.5, 2.0], EXACT, True),
    ([1.0, 1.0, 2.0], [1.0, 2.0, 2.0], EXACT, False),
    ([NAN, 1.0], [1.0, NAN], EXACT, True),
    ([NAN, 1.0], [1.0, NAN], Tolerance(nan_equal=False), False),
    # The first that is near is not always the one to take.
    ([1, 1.05, 0.9], [0.95, 1, 1.0], NEAR, True),
    (["a", (1, 0.1 + 0.2)], [(1, 0.3), "a"], EXACT, True),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected", "tolerance", "right"), BAGS)
def test_lists_in_any_order(seen: list[Any], expected: list[Any], tolerance: Tolerance, right: bool) -> None:
    assert bag(seen, expected, tolerance) is right


def test_results_of_queries_are_matched_however_many_rows_there_are() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 5, 3_000).astype(float), rng.permutation(3_000)
    ours = [(float(a), int(b), None) for a, b in zip(first, second, strict=True)]
    theirs = [(a + float(rng.normal(0, 1e-10)), b, None) for a, b, _ in reversed(ours)]
    near = Near(1e-6, 1e-6)
    started = time.process_time()
    assert same_rows(theirs, ours, near)
    assert not same_rows([*theirs[1:], (2.0, 1, None)], ours, near)
    assert time.process_time() - started < 5


def test_part_that_cannot_be_decided_in_time_is_unjudged_and_no_zero() -> None:
    rng = np.random.default_rng(6)
    ours, theirs = (
        table({"a": rng.uniform(0, 0.15, 6_000), "b": rng.uniform(0, 0.15, 6_000)}) for _ in range(2)
    )
    found = small_assignment(
        "    variables: {x: {}, y: {role: set-up}}\n"
        "    checks: [{equal: {of: x, to: {variable: y}, rows: any, rel: 0, abs: 0.1}}]\n"
    )
    taken = [snapshot("q1", "check", 0, {"x": theirs, "y": ours})]
    [part] = judge(found, evidence([cell(0, "q1.check()")], taken), None, SUBMISSION).parts
    assert part.status == "unjudged"
    assert "too many that are nearly alike" in part.message


@pytest.mark.parametrize(
    ("seen", "expected", "right"),
    [
        ([{1.0: "a", 2.0: "b"}, {3.0: "c"}], [{3: "c"}, {1: "a", 2: "b"}], True),
        ([{True: "y"}, {0: "n"}], [{0: "n"}, {1: "y"}], True),
        ([{(1.0, 2.0): "z"}, {}], [{}, {(1, 2): "z"}], True),
        ([{frozenset([8, 0]): "z"}, {}], [{}, {frozenset([0, 8]): "z"}], True),
        ([(1, {1.0: 2}), (2,)], [(2,), (1, {1: 2})], True),
        ([{1.5: "a"}, {3: "c"}], [{3: "c"}, {1: "a"}], False),
    ],
)
def test_dicts_in_any_order_are_told_apart_by_keys_and_not_by_how_these_are_spelled(
    seen: list[Any], expected: list[Any], right: bool
) -> None:
    assert structure.same_bag(node(seen).items, node(expected).items, EXACT) is right


def test_what_is_matched_inside_of_elements_draws_on_one_budget() -> None:
    def sets(start: int) -> tuple[v.AnyNode, ...]:
        many = np.random.default_rng(start).random((20, 60, 2)).tolist()
        return tuple(
            v.SetOf(items=tuple(v.Sequence(items=tuple(map(node, pair)), base="tuple") for pair in pairs))
            for pairs in many
        )

    with pytest.raises(UndecidedError):
        structure.same_bag(sets(1), sets(2), Tolerance(0.0, 0.15))


def test_elements_with_much_inside_that_agree_side_by_side_cost_no_budget() -> None:
    def lists() -> tuple[v.AnyNode, ...]:
        return tuple(
            v.SetOf(
                items=tuple(v.Sequence(items=(node(n + k / 7), node("x")), base="tuple") for k in range(60))
            )
            for n in range(2_000)
        )

    assert structure.same_bag(lists(), lists()[::-1], NEAR)
