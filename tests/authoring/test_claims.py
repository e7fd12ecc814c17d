"""The author's test cells are found, and each ends a notebook of its own."""

from __future__ import annotations

import json

import pytest

from grader.authoring.claims import WORDS, claims
from tests.authoring.weather import MASTER, cell, notebook

ONLY_MINE = "#%%RM_IF(PROD)%%\n"


def test_a_test_cell_claims_its_verdict_and_ends_its_notebook() -> None:
    found = claims(notebook(*MASTER), ["part1"])
    assert [(each.cell, each.word, each.note, each.parts) for each in found] == [
        ("median", "incorrect", "the median", ("part1",)),
        ("right", "correct", "", ("part1",)),
    ]
    for each in found:
        cells = json.loads(each.notebook)["cells"]
        assert cells[-1]["id"] == each.cell
        assert cells[0]["id"] == "setup"


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("# Correct", "correct"),
        ("#incorrect, for a reason", "incorrect"),
        ("# Partly correct: half", "partly correct"),
        ("# NOT ATTEMPTED", "not attempted"),
        ("\n# Correct: after a blank line", "correct"),
        ("# Correctness is another word", None),
        ("x = 1\n# Correct", None),
        ("# The right one", None),
    ],
)
def test_only_the_first_line_of_a_cell_claims(source: str, word: str | None) -> None:
    found = claims(notebook(cell("one", f"{ONLY_MINE}{source}\npart1.check()")), ["part1"])
    assert [each.word for each in found] == ([] if word is None else [word])
    assert all(each.statuses == WORDS[each.word] for each in found)


def test_a_cell_that_students_get_too_claims_nothing() -> None:
    assert claims(notebook(cell("one", "# Correct\npart1.check()")), ["part1"]) == []


def test_a_claim_is_of_the_parts_whose_check_the_cell_calls() -> None:
    source = ONLY_MINE + "# Correct\nlearn.part3.a.check(); part1.check()\n# part2.check()"
    (found,) = claims(notebook(cell("one", source)), ["part1", "part2", "part3.a"])
    assert found.parts == ("part1", "part3.a")
