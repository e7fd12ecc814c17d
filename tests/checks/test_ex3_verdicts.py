"""The verdicts of the second exercise: hand-made values against a small author's run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from checks.evidence import Evidence
from checks.evidence import values as v
from checks.feedback import PartFeedback
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, course_assignment, evidence, node, series, snapshot, table

ASSIGNMENT = course_assignment("ex3_gensim")
RNG = np.random.default_rng(7)
W = RNG.normal(size=(12, 4)).astype(np.float32)
W[5] = 0
NORMS = np.linalg.norm(W, axis=1)
IDS = np.arange(12)
TITLES = [f"Film {number}" for number in IDS]
POPULAR = IDS % 3 != 1


def ranking(start: float, order: list[int], step: float = 0.01) -> list[tuple[str, np.float32]]:
    return [(TITLES[number], np.float32(start - step * place)) for place, number in enumerate(order)]


RIGHT = ranking(0.91, [3, 1, 4, 6, 5, 9, 2, 10])
NEGATIVE = ranking(0.5, [9, 5, 1, 2, 6, 4, 3, 10])
SWAPPED = ranking(0.4, [10, 9, 6, 2, 1, 5, 4, 3])
COSMUL = ranking(0.85, [3, 1, 4, 6, 5, 9, 2, 10])
FIRST = ranking(0.7, [1, 3, 6, 4, 5, 9, 2, 10])
SECOND = ranking(0.72, [4, 3, 6, 1, 5, 9, 2, 10])
SUM = [("Legally Blonde", np.float32(0.97)), *ranking(0.905, [3, 1, 4, 6, 5, 9, 2, 10])]
WITH_INPUTS = [("Legally Blonde", np.float32(0.95)), ("Mission: Impossible", np.float32(0.94)), *RIGHT]

EXTRA = {
    "neighbours": RIGHT,
    "negative_neighbours": NEGATIVE,
    "swapped_negative": SWAPPED,
    "cosmul_neighbours": COSMUL,
    "single_first": FIRST,
    "single_second": SECOND,
    "sum_neighbours": SUM,
    "neighbours_with_inputs": WITH_INPUTS,
    "norms_whole_matrix": np.linalg.norm(W),
    "norms_axis0": np.linalg.norm(W, axis=0),
    "norms_squared": (W**2).sum(axis=1),
    "norms_l1": np.abs(W).sum(axis=1),
    "norms_max": np.abs(W).max(axis=1),
    "norms_thresholded": np.linalg.norm(W[POPULAR], axis=1),
}


def frame_of(norm: Any = None, name: str = "norm", rows: Any = slice(None), **more: Any) -> v.Table:
    """all_movies_df with a column of lengths, or without."""
    columns: dict[str, Any] = {"movieId": IDS[rows], "title": np.array(TITLES, dtype=object)[rows].tolist()}
    if norm is not None:
        columns[name] = np.asarray(norm)
    return table(columns | more)


MOVIES = table({"movieId": IDS[POPULAR], "n_ratings": IDS[POPULAR] * 100})
REFERENCE = evidence(
    snapshots=[
        snapshot("part2", "check", 1, {"legally_impossible": RIGHT}),
        snapshot("part3.a", "check", 2, {"norms": NORMS}),
        snapshot("part3.b", "check", 3, {"all_movies_df": frame_of(NORMS), "movies": MOVIES, "norms": NORMS}),
        snapshot("", "end", 4, EXTRA),
    ]
)
CELLS = {
    "part2": "legally_impossible = answer\npart2.check()",
    "part3.a": "norms = answer\npart3.a.check()",
    "part3.b": "all_movies_df['norm'] = answer\npart3.b.check()",
}


def run_of(part: str, values: Mapping[str, Any], source: str | None = None) -> Evidence:
    cells = [cell(1, "all_movies_df = pd.read_csv(path)"), cell(4, source or CELLS[part])]
    return evidence(cells, [snapshot(part, "check", 4, values)])


UNTOUCHED = {
    "part2": "legally_impossible = None\npart2.check()",
    "part3.a": "norms = None\npart3.a.check()",
}


def judged(part: str, values: Mapping[str, Any], source: str | None = None) -> PartFeedback:
    feedback = judge(ASSIGNMENT, run_of(part, values, source), REFERENCE, SUBMISSION)
    return next(each for each in feedback.parts if each.id == part)


def array_of_texts(pairs: list[tuple[str, Any]]) -> np.ndarray:
    return np.array([(key, str(number)) for key, number in pairs])


def nearly(pairs: list[tuple[str, Any]], by: float) -> list[tuple[str, float]]:
    return [(key, float(number) + by) for key, number in pairs]


PART2 = [
    ("the call's own list", RIGHT[:5], "correct", None),
    ("topn=1", RIGHT[:1], "correct", None),
    ("the whole ranking", RIGHT, "correct", None),
    ("computed in float64", nearly(RIGHT[:5], 2e-7), "correct", None),
    ("pairs as lists", [list(pair) for pair in RIGHT[:5]], "correct", None),
    ("a tuple of pairs", tuple(RIGHT[:5]), "partial", None),
    ("an array, which turns numbers into texts", array_of_texts(RIGHT[:5]), "partial", None),
    ("a dict", dict(RIGHT[:5]), "partial", None),
    ("a Series", series([n for _, n in RIGHT[:5]], [k for k, _ in RIGHT[:5]]), "partial", None),
    ("a DataFrame", table({"a": [k for k, _ in RIGHT[:5]], "b": [n for _, n in RIGHT[:5]]}), "partial", None),
    ("the examples left in", WITH_INPUTS[:6], "partial", "inputs_left_in"),
    ("nothing in it", [], "incorrect", None),
    (
        "rounded numbers",
        [(key, round(float(number), 2) + 0.001) for key, number in RIGHT[:5]],
        "incorrect",
        None,
    ),
    ("nearly the numbers", nearly(RIGHT[:5], 2e-5), "incorrect", None),
    ("two exchanged", [RIGHT[1], RIGHT[0], *RIGHT[2:5]], "incorrect", None),
    ("one left out", [RIGHT[0], *RIGHT[2:5]], "incorrect", None),
    ("one twice", [RIGHT[0], RIGHT[0]], "incorrect", None),
    ("an unknown key", [*RIGHT[:4], ("Mission: Impossible II", np.float32(0.87))], "incorrect", None),
    ("titles alone", [key for key, _ in RIGHT[:5]], "incorrect", "titles_only"),
    ("numbers alone", [float(number) for _, number in RIGHT[:5]], "incorrect", None),
    ("a set of pairs", v.SetOf(items=()), "incorrect", None),
    ("no list at all", 3, "incorrect", None),
    ("a text", "Miss Congeniality", "incorrect", None),
    ("a number that is none", [(TITLES[3], float("nan"))], "incorrect", None),
    ("the second as a negative example", NEGATIVE[:5], "incorrect", "negative_example"),
    ("the first as a negative example", SWAPPED[:5], "incorrect", "negative_example"),
    ("the first alone", FIRST[:5], "incorrect", "single_film"),
    ("the second alone", SECOND[:5], "incorrect", "single_film"),
    ("the plain sum", SUM[:5], "incorrect", "raw_sum"),
    ("multiplied similarities", COSMUL[:5], "incorrect", "multiplicative"),
    ("the starter's", None, "not_attempted", None),
]


@pytest.mark.parametrize(
    ("value", "status", "misconception"), [row[1:] for row in PART2], ids=[row[0] for row in PART2]
)
def test_neighbours(value: Any, status: str, misconception: str | None) -> None:
    source = UNTOUCHED["part2"] if status == "not_attempted" else None
    part = judged("part2", {"legally_impossible": value}, source)
    assert (part.status, part.misconception) == (status, misconception), part.message


def test_ties_may_swap() -> None:
    tied = [("a", 0.9), ("b", 0.8000001), ("c", 0.8), ("d", 0.7)]
    reference = evidence(snapshots=[snapshot("", "end", 4, EXTRA | {"neighbours": tied})])
    answer = [tied[0], tied[2], tied[1]]
    feedback = judge(ASSIGNMENT, run_of("part2", {"legally_impossible": answer}), reference, SUBMISSION)
    assert feedback.parts[0].status == "correct"


PART3A = [
    ("the array", NORMS, "correct", None),
    ("in float64", np.linalg.norm(W.astype(float), axis=1), "correct", None),
    ("a list", NORMS.tolist(), "partial", None),
    ("a list of NumPy's numbers", list(NORMS), "partial", None),
    ("a tuple", tuple(NORMS), "partial", None),
    ("a Series", series(NORMS), "partial", None),
    ("a column", NORMS.reshape(-1, 1), "partial", None),
    ("a row", NORMS.reshape(1, -1), "partial", None),
    ("an array of objects", NORMS.astype(object), "partial", None),
    (
        "a tensor",
        v.Tensor(id=1, cls="EagerTensor", dtype="float32", shape=(12,), values=series(NORMS).values),
        "partial",
        None,
    ),
    ("an array of a subclass", replace(node(NORMS), cls="numpy.matrix"), "partial", None),
    ("an array of pandas'", replace(node(NORMS), cls="pandas.arrays.FloatingArray"), "partial", None),
    ("a masked array", replace(node(NORMS), cls="numpy.ma.MaskedArray"), "partial", None),
    ("an object that tells nothing", v.Opaque(id=3, cls="array.array"), "incorrect", None),
    ("None from a call that prints", None, "incorrect", None),
    ("one number", np.linalg.norm(W), "incorrect", "whole_matrix_norm"),
    ("one number in axes", np.linalg.norm(W).reshape(1, 1), "incorrect", "whole_matrix_norm"),
    ("some number", 17.5, "incorrect", "single_number"),
    ("a number for each column", np.linalg.norm(W, axis=0), "incorrect", "wrong_axis"),
    ("squares", (W**2).sum(axis=1), "incorrect", "squared"),
    ("squares in a list", (W**2).sum(axis=1).tolist(), "incorrect", "squared"),
    ("absolute sums", np.abs(W).sum(axis=1), "incorrect", "l1_norm"),
    ("largest entries", np.abs(W).max(axis=1), "incorrect", "max_norm"),
    ("popular films only", np.linalg.norm(W[POPULAR], axis=1), "incorrect", "popular_films_only"),
    ("sixteen bits", NORMS.astype(np.float16), "incorrect", "too_coarse"),
    ("one NaN", np.where(IDS == 4, np.nan, NORMS), "incorrect", "not_a_number"),
    ("rolled", np.roll(NORMS, 1), "incorrect", "reordered"),
    ("sorted", np.sort(NORMS), "incorrect", "reordered"),
    ("one value off", np.where(IDS == 4, NORMS * 1.001, NORMS), "incorrect", None),
    ("a zero vector with some length", np.where(IDS == 5, 1e-4, NORMS), "incorrect", None),
    ("one missing", NORMS[:-1], "incorrect", None),
    ("the matrix itself", W, "incorrect", None),
    ("texts", [str(number) for number in NORMS], "incorrect", None),
    ("a dict", dict(zip(TITLES, NORMS.tolist(), strict=True)), "incorrect", None),
    ("the starter's", None, "not_attempted", None),
]


@pytest.mark.parametrize(
    ("value", "status", "misconception"), [row[1:] for row in PART3A], ids=[row[0] for row in PART3A]
)
def test_norms(value: Any, status: str, misconception: str | None) -> None:
    source = UNTOUCHED["part3.a"] if status == "not_attempted" else None
    part = judged("part3.a", {"norms": value}, source)
    assert (part.status, part.misconception) == (status, misconception), part.message


BY_LENGTH = np.argsort(NORMS)
SHUFFLED = frame_of(NORMS[BY_LENGTH], rows=BY_LENGTH)
AS_INDEX = table({"title": TITLES, "norm": NORMS}, levels={"movieId": IDS})
L1 = np.abs(W).sum(axis=1)
CATEGORIES = replace(
    frame_of(NORMS),
    columns=tuple(replace(column, dtype="category") for column in frame_of(NORMS).columns),
)


def frame_of_objects(values: list[Any]) -> v.Table:
    column = v.Array(dtype="object", shape=(len(values),), items=tuple(map(node, values)))
    made = v.Column(name=node("norm"), dtype="object", values=column)
    return replace(frame_of(), columns=(*frame_of().columns, made))


TEXTS = [f"{number}" for number in NORMS]
PART3B = [
    ("the column", frame_of(NORMS), NORMS, "correct", None),
    ("a sorted table", SHUFFLED, NORMS, "correct", None),
    ("movieId as the index", AS_INDEX, NORMS, "correct", None),
    ("in float64", frame_of(NORMS.astype(float)), NORMS, "correct", None),
    ("right from a list of norms", frame_of(NORMS), NORMS.tolist(), "correct", None),
    ("computed without norms", frame_of(NORMS), None, "correct", None),
    ("objects", frame_of(NORMS.astype(object)), NORMS, "partial", None),
    ("categories", CATEGORIES, NORMS, "partial", None),
    (
        "ids as texts, a set of norms",
        table({"movieId": [str(i) for i in IDS], "norm": NORMS}),
        set(NORMS.tolist()),
        "incorrect",
        None,
    ),
    ("another order, a set of norms", frame_of(NORMS[::-1]), set(NORMS.tolist()), "incorrect", "misaligned"),
    (
        "one text for all",
        frame_of(np.array(["norm"] * 12, dtype=object)),
        NORMS,
        "incorrect",
        "one_value_for_all",
    ),
    ("its own wrong texts", frame_of(np.array(TEXTS, dtype=object)), TEXTS, "incorrect", "own_wrong_norms"),
    ("ids as texts", table({"movieId": [str(i) for i in IDS], "norm": NORMS}), NORMS, "incorrect", None),
    ("nested lists", frame_of_objects([[1.0, 2.0]] * 12), NORMS, "incorrect", None),
    ("all NaN", frame_of(np.full(12, np.nan)), NORMS, "incorrect", None),
    (
        "one value in two columns",
        table([("movieId", IDS), ("norm", np.ones(12)), ("norm", np.ones(12))]),
        NORMS,
        "incorrect",
        None,
    ),
    ("one more", frame_of(NORMS + 1), NORMS, "incorrect", "shifted"),
    ("another name", frame_of(NORMS, "length"), NORMS, "incorrect", "wrong_column_name"),
    ("a similar name, other values", frame_of(NORMS * 3, "Norm"), NORMS, "incorrect", None),
    ("popular films only", frame_of(NORMS[POPULAR], rows=POPULAR), NORMS, "incorrect", "filtered_table"),
    ("another order", frame_of(NORMS[::-1]), NORMS, "incorrect", "misaligned"),
    ("sorted before the assignment", frame_of(NORMS, rows=BY_LENGTH), NORMS, "incorrect", "misaligned"),
    ("one value for all", frame_of(np.full(12, np.linalg.norm(W))), NORMS, "incorrect", "one_value_for_all"),
    ("its own wrong norms", frame_of(L1), L1, "incorrect", "own_wrong_norms"),
    ("NaN for the others", frame_of(np.where(POPULAR, NORMS, np.nan)), NORMS, "incorrect", None),
    ("other values", frame_of(NORMS * 3), NORMS, "incorrect", None),
    ("films twice", frame_of(np.tile(NORMS, 2), rows=np.tile(IDS, 2)), NORMS, "incorrect", None),
    ("no movieId any more", table({"title": TITLES, "norm": NORMS}), NORMS, "incorrect", None),
    ("no table any more", NORMS, NORMS, "incorrect", None),
    (
        "the column twice",
        table([("movieId", IDS), ("norm", NORMS), ("norm", NORMS)]),
        NORMS,
        "incorrect",
        None,
    ),
    ("texts", frame_of(np.array([str(n) for n in NORMS], dtype=object)), NORMS, "incorrect", None),
]


@pytest.mark.parametrize(
    ("value", "norms", "status", "misconception"), [row[1:] for row in PART3B], ids=[row[0] for row in PART3B]
)
def test_column(value: Any, norms: Any, status: str, misconception: str | None) -> None:
    part = judged("part3.b", {"all_movies_df": value, "movies": MOVIES, "norms": norms})
    assert (part.status, part.misconception) == (status, misconception), part.message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (v.Opaque(id=3, cls="array.array"), "an object of class array"),
        (replace(node(NORMS), cls="numpy.matrix"), "you keep them as a matrix of shape (12,)"),
        (v.Int(v=hex(10**5000)), "norms is a whole number of about 5000 digits"),
        (None, "norms is None, though"),
        ("a\\b\n", r"the text 'a\\b␣'."),
    ],
)  # fmt: skip
def test_norms_of_another_sort_are_named(value: Any, says: str) -> None:
    message = judged("part3.a", {"norms": value}).message
    assert says in message
    assert "…." not in message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (frame_of(NORMS, "norm "), "'norm␣'"),
        (table([("movieId", IDS), ("movieId", IDS), ("norm", NORMS)]), "more than one column movieId"),
        (table({"movieId": [str(i) for i in IDS], "norm": NORMS}), "movieId of all_movies_df holds texts"),
        (frame_of(np.full(12, np.nan)), "12 of 12"),
        (
            table([("movieId", IDS), ("norm", np.ones(12)), ("norm", np.ones(12))]),
            "more than one column norm",
        ),
    ],
)
def test_column_of_another_sort_is_named(value: v.Table, says: str) -> None:
    assert says in judged("part3.b", {"all_movies_df": value, "movies": MOVIES, "norms": NORMS}).message


def test_table_of_very_many_columns_is_judged_at_once() -> None:
    wide = table({"movieId": IDS} | {f"nor{number}": NORMS + number for number in range(1, 20_001)})
    started = time.process_time()
    part = judged("part3.b", {"all_movies_df": wide, "movies": MOVIES, "norms": NORMS})
    assert part.status == "incorrect"
    # Quadratic work on as many columns takes minutes, the judge a fraction of a second.
    assert time.process_time() - started < 10


def test_column_in_the_other_table_is_told() -> None:
    movies = table({"movieId": IDS[POPULAR], "norm": NORMS[POPULAR]})
    source = "movies['norm'] = norms\npart3.b.check()"
    part = judged("part3.b", {"all_movies_df": frame_of(), "movies": movies, "norms": NORMS}, source)
    assert (part.status, part.misconception) == ("incorrect", "other_table")


def test_wrong_name_is_quoted_as_plain_text() -> None:
    part = judged("part3.b", {"all_movies_df": frame_of(NORMS, "<b>*x*"), "movies": MOVIES, "norms": NORMS})
    assert r"&lt;b&gt;\*x\*" in part.message


@pytest.mark.parametrize(
    "source",
    [
        "# TODO: something\npart3.b.check()",
        "part3.b.check()",
        "# all_movies_df['norm'] = norms\npart3.b.check()\nall_movies_df",
        "%matplotlib inline\npart3.b.check()",
    ],
)
def test_column_cell_with_the_check_alone_is_untouched(source: str) -> None:
    part = judged("part3.b", {"all_movies_df": frame_of(), "movies": MOVIES, "norms": None}, source)
    assert part.status == "not_attempted"


@pytest.mark.parametrize(
    "source",
    [
        "all_movies_df.assign(norm=norms)\npart3.b.check()",
        "x = 1\npart3.b.check()",
        "all_movies_df['Norms'] = norms\npart3.b.check()",
        "all_movies_df.insert(0, 'norms', norms)\npart3.b.check()",
    ],
)
def test_column_cell_with_other_code_is_an_attempt(source: str) -> None:
    part = judged("part3.b", {"all_movies_df": frame_of(), "movies": MOVIES, "norms": None}, source)
    assert part.status == "incorrect"


def test_messages_never_tell_the_expected_values() -> None:
    rows = [("part2", "legally_impossible", row[1]) for row in PART2] + [
        ("part3.a", "norms", row[1]) for row in PART3A
    ]
    for part, name, value in rows:
        message = judged(part, {name: value}).message
        assert not any(title in message for title in TITLES)
        assert not any(f"{number:.4g}" in message for number in NORMS if number)
