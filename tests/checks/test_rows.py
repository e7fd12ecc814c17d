"""Rows matched by a key: the quick way and the plain one agree, and no choice of keys makes it slow."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare import content, rows
from checks.compare.similar import similar_names
from checks.evidence import array_node
from checks.evidence import values as v
from tests.checks.making import column_array, node, table

IDS = st.lists(st.integers(-3, 6), max_size=8)


@given(IDS, st.lists(st.integers(-3, 6), max_size=8, unique=True))
def test_whole_numbers_are_matched_as_any_labels_are(theirs: list[int], ours: list[int]) -> None:
    quick = rows.match_rows(array_node(np.array(theirs, int)), array_node(np.array(ours, int)))
    plain = rows.match_rows(array_node(np.array(theirs, float)), array_node(np.array(ours, int)))
    assert (quick.wrong, quick.rows) == (plain.wrong, plain.rows)
    if quick.places is not None and plain.places is not None:
        assert quick.places.tolist() == plain.places.tolist()
        assert [theirs[at] for at in quick.places] == ours


WRONG: list[tuple[Any, str, int]] = [
    ([1, 2, 3], "", 0),
    ([3.0, 1.0, 2.0], "", 0),
    ([1, 2], "rows_missing", 1),
    ([1, 2, 3, 4], "rows_extra", 1),
    ([1, 1, 2, 3], "rows_repeated", 1),
    (["1", "2", "3"], "key_text", 3),
    (["a", 1, 2], "rows_missing", 1),
]


@pytest.mark.parametrize(("ids", "wrong", "count"), WRONG)
def test_what_is_wrong_with_rows(ids: list[Any], wrong: str, count: int) -> None:
    seen = table({"k": np.array(ids, dtype=object if isinstance(ids[0], str) else None), "n": ids})
    expected = table({"k": [1, 2, 3], "n": [1.0, 2.0, 3.0]})
    [column], [wanted] = content.column(seen, "k"), content.column(expected, "n")
    found = rows.align(seen, column, expected, wanted, "k")
    assert (found.wrong, found.rows) == (wrong, count) if wrong else found.seen is not None


def test_numbers_that_share_a_place_in_every_dict_cost_no_more_than_others() -> None:
    # Python's hash of a whole number is its rest by this prime: these would all fall together.
    same = [node(number * (2**61 - 1)) for number in range(2**70, 2**70 + 20_000)]
    key = v.Array(dtype="object", shape=(len(same),), items=tuple(same))
    started = time.process_time()
    assert rows.match_rows(key, column_array(np.arange(12))).wrong
    assert time.process_time() - started < 5


def test_column_is_found_by_its_label_before_an_index_level() -> None:
    both = table([("k", [1, 2]), ("k", [3, 4])], levels={"k": [5, 6], "i": [7, 8]})
    assert [content.numbers(found).tolist() for found in content.column(both, "k")] == [[1, 2], [3, 4]]
    assert [content.numbers(found).tolist() for found in content.column(both, "i")] == [[7, 8]]
    assert content.column(both, "none") == []


@pytest.mark.parametrize(
    ("names", "similar"),
    [
        (["norms", "title"], ["norms"]),
        (["Norm", " norm"], ["Norm", " norm"]),
        (["norm" * 100], []),
        ([*(f"x{number}" for number in range(5_000)), "nrom"], ["nrom"]),
    ],
)
def test_similar_names(names: list[str], similar: list[str]) -> None:
    assert similar_names("norm", names) == similar
