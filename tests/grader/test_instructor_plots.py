"""Drawings: fit for a page without inline styles, the same bytes for the same numbers, numbers as text."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from grader import plots
from grader.api.instructor.page import WORDS

DRAWN = {
    "scores": lambda: plots.scores([0, 1, 1, 2.0], 3),
    "many scores": lambda: plots.scores([0.5, 12.5, 99], 100),
    "attempts": lambda: plots.attempts({1: 4, 3: 1, 40: 2}, 5),
    "seconds": lambda: plots.seconds([0.2, 3.0, 700.0]),
}


@pytest.mark.parametrize("name", DRAWN)
class TestADrawing:
    def test_it_is_svg_that_an_html_page_may_hold(self, name):
        svg = str(DRAWN[name]().svg)
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert not re.search(r"<style| style=|<script|<\?xml|font-family|xlink:href=\"http", svg)
        assert "currentColor" in svg
        assert len(svg) < 20_000

    def test_equal_numbers_give_equal_bytes(self, name):
        first = DRAWN[name]().svg
        plots._columns.cache_clear()
        assert DRAWN[name]().svg == first

    def test_its_numbers_are_there_as_text(self, name):
        plot = DRAWN[name]()
        assert {len(row) for row in plot.rows} == {len(plot.head)}
        assert plot.description


def test_everybody_is_counted_once():
    spread = plots.scores([0, 0.5, 1, 2, 3, 3.5], 3)
    assert sum(int(count) for _, count in spread.rows) == 6
    assert dict(plots.scores([0, 1, 1, 2.0], 3).rows) == {"0": "1", "1": "2", "2": "1", "3": "0"}
    assert dict(plots.attempts({1: 4, 3: 1, 40: 2}, 5).rows)["> 20"] == "2"
    assert sum(int(count) for _, count in plots.seconds([0.0, 0.5, 299, 300, 1e6]).rows) == 5


def test_nothing_is_drawn_of_nothing():
    assert (plots.scores([], 3), plots.seconds([]), plots.attempts({}, 0), plots.statuses({}, WORDS)) == (
        None,
    ) * 4


def test_a_bar_shares_its_width_out_in_the_order_of_the_words():
    bar = str(plots.statuses({"unjudged": 1, "correct": 7, "error": 2, "partial": 0}, WORDS))
    drawn = ElementTree.fromstring(bar)
    found = [(each.get("class"), float(each.get("x")), float(each.get("width"))) for each in drawn]
    assert found == [("c-correct", 0, 70), ("c-error", 70, 20), ("c-unjudged", 90, 10)]
    assert " style=" not in bar


def test_the_names_of_many_bins_leave_room_for_each_other():
    labels = [f"{4.1 * at:.3g}–{4.1 * at + 4.1:.3g}" for at in range(10)] + ["41"]
    places, shown = plots._labelled(labels)
    assert shown == [labels[at] for at in places]
    assert (places[0], places[-1]) == (0, 10)
    assert len({after - before for before, after in pairwise(places[:-1])}) == 1
    slot = plots.LETTERS / len(labels)
    for left, right in pairwise(places):
        assert (right - left) * slot > (len(labels[left]) + len(labels[right])) / 2


@pytest.mark.parametrize("labels", [["0", "1", "2"], ["7"], [*map(str, range(1, 10)), "not yet"]])
def test_short_names_of_bins_are_all_there_but_what_the_last_one_hides(labels):
    _, shown = plots._labelled(labels)
    assert shown[-1] == labels[-1]
    assert len(shown) >= len(labels) - 2
