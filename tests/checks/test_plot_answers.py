"""The kind ``plot``: drawings that are right though made otherwise, and wrong ones that look right."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from checks.evidence import values as v
from tests.checks.making import outcome_of
from tests.checks.making_objects import axes, bars, figure, line, points, thing

NAN = float("nan")
LINE = "{artist: line, data: {x: [1, 2, 3], y: [3, 5, 4]}}"
POINTS = "{artist: points, data: {x: [1, 2, 3], y: [3, 5, 4]}}"
BARS = "{artist: bars, data: {names: [cats, dogs], length: [3, 5]}}"
RIGHT = line([1, 2, 3], [3, 5, 4])


def days(*texts: str) -> Any:
    return np.array(texts, dtype="datetime64[us]")


def stacked(*bases: float) -> v.Opaque:
    """Two sets of bars, the second at these heights."""
    return axes(bars(["a", "b"], [3, 5], base=np.zeros(2)), bars(["a", "b"], [1, 2], base=np.array(bases)))


def segments(*ends: Any) -> v.Opaque:
    return axes(thing("segments", points=[np.array(each, dtype=float) for each in ends]))


def image(values: Any) -> v.Opaque:
    return axes(thing("image", values=np.array(values)))


ANSWERS: list[tuple[str, str, Any, str]] = [
    ("a line", f"draws: [{LINE}]", axes(RIGHT), ""),
    ("in a figure", f"draws: [{LINE}]", figure(axes(RIGHT)), ""),
    ("in the second plot", f"draws: [{LINE}]", figure(axes(line([1], [1])), axes(RIGHT)), ""),
    ("beside another line", f"draws: [{LINE}]", axes(line([1, 2], [1, 1]), RIGHT), ""),
    ("the artist alone", f"draws: [{LINE}]", RIGHT, ""),
    ("a list of artists", f"draws: [{LINE}]", [RIGHT], ""),
    ("drawn from the other end", f"draws: [{LINE}]", axes(line([3, 2, 1], [4, 5, 3])), ""),
    ("float noise", "draws: [{artist: line, data: {x: [1, 2], y: [0.3, 1]}}]", axes(line([1, 2], [0.1 + 0.2, 1])), ""),
    ("a gap at the end", f"draws: [{LINE}]", axes(line([0, 1, 2, 3, 4], [NAN, 3, 5, 4, NAN])), ""),
    ("whole numbers as floats", f"draws: [{LINE}]", axes(line([1.0, 2.0, 3.0], [3, 5, 4])), ""),
    ("points in another order", f"draws: [{POINTS}]", axes(points([3, 1, 2], [4, 3, 5])), ""),
    ("markers without a line", f"draws: [{POINTS}]", axes(line([3, 1, 2], [4, 3, 5], style="None", marker="o")), ""),
    ("points that cannot be seen", f"draws: [{POINTS}]", axes(points([3, 1, 2, 7], [4, 3, 5, NAN])), ""),
    ("points near each other within tolerance", "draws: [{artist: points, rel: 0.05, data: {x: [1, 1.01], y: [5, 2]}}]", axes(points([1.02, 1.0], [5, 2])), ""),
    ("bars in another order", f"draws: [{BARS}]", axes(bars(["dogs", "cats"], [5, 3])), ""),
    ("bars across", f"draws: [{BARS}]", axes(bars(["cats", "dogs"], [3, 5], orientation="horizontal")), ""),
    ("names that are numbers", "draws: [{artist: bars, data: {names: [2019, 2020], length: [3, 5]}}]", axes(bars(["2019", "2020"], [3, 5])), ""),
    ("names that are negative numbers", "draws: [{artist: bars, data: {names: [-1, 0], length: [3, 5]}}]", axes(bars(["\u22121", "0"], [3, 5])), ""),
    ("names with matplotlib's minus", "draws: [{artist: bars, data: {names: ['-1 °C', 'b'], length: [3, 5]}}]", axes(bars(["\u22121 °C", "b"], [3, 5])), ""),
    ("names with blanks around", f"draws: [{BARS}]", axes(bars([" cats", "dogs "], [3, 5])), ""),
    ("ticks with matplotlib's minus", "xticks: ['-1', '0']", axes(xticks=["\u22121", "0"]), ""),
    ("a log scale", "yscale: log", axes(yscale="log"), ""),
    ("a title in other words' case", "title: {contains: pets}", axes(title="All  PETS"), ""),
    ("a title with another accent's spelling", 'title: {contains: "cafe\\u0301"}', axes(title="Caf\u00e9"), ""),
    ("a figure's title", "title: true", figure(axes(), title="T"), ""),
    ("a legend in another order", "legend: [a, b]", axes(legend=["B ", "a"]), ""),
    ("an accented legend entry", 'legend: ["cafe\\u0301"]', axes(legend=["Caf\u00e9"]), ""),
    ("limits", "xlim: [0, 0.00001]", axes(xlim=np.array([0, 1e-5])), ""),
    ("a histogram", "draws: [{artist: histogram, data: {length: [1, 2], edges: [0, 1, 2]}}]", axes(thing("bars", length=np.array([1, 2]), position=np.array([0.5, 1.5]), thickness=np.array([1.0, 1.0]))), ""),
    ("an image", "draws: [{artist: image, data: {values: [[1, 2], [3, 4]]}}]", image([[1, 2], [3, 4]]), ""),
    ("straight lines in another order", "draws: [{artist: segments, data: {points: [[[0, 0], [1, 1]], [[2, 0], [3, 1]]]}}]", segments([[2, 0], [3, 1]], [[0, 0], [1, 1]]), ""),
    ("days", "draws: [{artist: line, data: {x: [{date: 2026-01-01}, {date: 2026-01-02}], y: [1, 2]}}]", axes(line(days("2026-01-01", "2026-01-02"), [1, 2])), ""),
    # Wrong ones.
    ("points in place of a line", f"draws: [{LINE}]", axes(points([1, 2, 3], [3, 5, 4])), "artist"),
    ("a line in place of points", f"draws: [{POINTS}]", axes(RIGHT), "artist"),
    ("x and y exchanged", f"draws: [{LINE}]", axes(line([3, 5, 4], [1, 2, 3])), "data"),
    ("y turned, x not", f"draws: [{LINE}]", axes(line([1, 2, 3], [4, 5, 3])), "data"),
    ("a line to and fro", f"draws: [{LINE}]", axes(line([1, 3, 2], [3, 4, 5])), "data"),
    ("a line from the other end, where order counts", "draws: [{artist: line, order: same, data: {x: [1, 2], y: [3, 5]}}]", axes(line([2, 1], [5, 3])), "order"),
    ("a gap within a line", f"draws: [{LINE}]", axes(line([1, 1.5, 2, 3], [3, NAN, 5, 4])), "data"),
    ("a line of gaps", f"draws: [{LINE}]", axes(line([1, 2, 3], [NAN, NAN, NAN])), "data"),
    ("y alone turned", "draws: [{artist: line, data: {y: [1, 2]}}]", axes(line([0, 1], [2, 1])), "data"),
    ("a point missing", f"draws: [{POINTS}]", axes(points([1, 2], [3, 5])), "data"),
    ("a point twice", f"draws: [{POINTS}]", axes(points([1, 2, 2], [3, 5, 5])), "data"),
    ("points' values exchanged", f"draws: [{POINTS}]", axes(points([1, 2, 3], [5, 3, 4])), "data"),
    ("points beyond tolerance", "draws: [{artist: points, rel: 0.05, data: {x: [1, 1.01], y: [5, 2]}}]", axes(points([1.0, 1.02], [5, 3])), "data"),
    ("bars with exchanged names", f"draws: [{BARS}]", axes(bars(["dogs", "cats"], [3, 5])), "data"),
    ("bars without names", f"draws: [{BARS}]", axes(bars(None, [3, 5])), "data"),
    ("other years", "draws: [{artist: bars, data: {names: [2019, 2020], length: [3, 5]}}]", axes(bars(["2019", "2021"], [3, 5])), "data"),
    ("standing bars", "draws: [{artist: bars, orientation: horizontal}]", axes(bars(["a"], [1], orientation="vertical")), "look"),
    ("a linear scale", "yscale: log", axes(yscale="linear"), "scale"),
    ("a title of blanks", "title: true", axes(title="  "), "wording"),
    ("no labels", "ylabel: true", axes(xlabel="x"), "wording_missing"),
    ("a legend's entry missing", "legend: [a, b]", axes(legend=["a"]), "legend"),
    ("a legend's entry twice", "legend: [a, b]", axes(legend=["a", "a"]), "legend"),
    ("another scale of small limits", "xlim: [0, 0.00001]", axes(xlim=np.array([0, 1.05e-5])), "limits"),
    ("axes turned round", "xlim: [0, 10]", axes(xlim=np.array([10, 0])), "limits"),
    ("ticks in another order", "xticks: [a, b]", axes(xticks=["b", "a"]), "ticks"),
    ("an image of another shape", "draws: [{artist: image, data: {values: [[1, 2, 3], [4, 5, 6]]}}]", image([[1, 2], [3, 4], [5, 6]]), "data"),
    ("an image turned", "draws: [{artist: image, data: {values: [[1, 2], [3, 4]]}}]", image([[1, 3], [2, 4]]), "data"),
    ("straight lines between other points", "draws: [{artist: segments, data: {points: [[[0, 0], [1, 1]], [[2, 0], [3, 1]]]}}]", segments([[0, 0], [3, 1]], [[2, 0], [1, 1]]), "data"),
    ("ten minutes later", "draws: [{artist: line, data: {x: [{moment: 2026-01-01T09:00}, {moment: 2026-01-01T09:01}], y: [1, 2]}}]", axes(line(days("2026-01-01T09:10", "2026-01-01T09:11"), [1, 2])), "data"),
    ("more than is asked for", f"draws: [{LINE}], only: true", axes(RIGHT, bars(["a"], [1])), "extra"),
    ("spread over two plots", f"draws: [{LINE}, {BARS}]", figure(axes(RIGHT), axes(bars(["cats", "dogs"], [3, 5]))), "artist"),
    ("two lines, where one is asked for", "draws: [{artist: line, count: 1}]", axes(RIGHT, RIGHT), "count"),
    ("no plot", f"draws: [{LINE}]", figure(), "no_axes"),
    ("no figure", f"draws: [{LINE}]", [1, 2], "not_plot"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "seen", "wanted"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])  # fmt: skip
def test_answers(check: str, seen: Any, wanted: str) -> None:
    assert outcome_of(f"{{plot: {{of: answer, {check}}}}}", {"answer": seen}).reason == wanted


LIKE: list[tuple[str, Any, Any, str]] = [
    ("the same", axes(RIGHT), axes(RIGHT), ""),
    ("in another order", axes(RIGHT, bars(["a"], [1])), axes(bars(["a"], [1]), RIGHT), ""),
    ("more than that", axes(RIGHT), axes(RIGHT, line([1], [1])), ""),
    ("points by plot and by scatter", axes(line([1, 2], [3, 4], style="None", marker="o")), axes(points([2, 1], [4, 3])), ""),
    ("bars on top of others", stacked(3, 5), stacked(3, 5), ""),
    ("stacked the other way round", stacked(3, 5), axes(bars(["a", "b"], [1, 2], base=np.zeros(2)), bars(["a", "b"], [3, 5], base=np.array([1, 2]))), ""),
    ("bars beside each other for bars on top of others", stacked(3, 5), stacked(0, 0), "data"),
    ("floating bars on the ground", axes(bars(["a", "b"], [3, 5], base=np.array([1, 2]))), axes(bars(["a", "b"], [3, 5], base=np.zeros(2))), "data"),
    ("a line missing", axes(RIGHT, line([1, 2], [1, 2])), axes(RIGHT), "data"),
    ("bars for a line", axes(RIGHT), axes(bars(["a"], [1])), "artist"),
]  # fmt: skip


@pytest.mark.parametrize(("author", "seen", "wanted"), [row[1:] for row in LIKE], ids=[row[0] for row in LIKE])  # fmt: skip
def test_everything_that_the_author_draws(author: Any, seen: Any, wanted: str) -> None:
    found = outcome_of("{plot: {of: answer, like: reference}}", {"answer": seen}, {"answer": author})
    assert found.reason == wanted


EMPTY = points(np.array([]), np.array([]))


@pytest.mark.parametrize(
    ("check", "author", "seen", "wanted"),
    [
        ("like: reference", axes(RIGHT, EMPTY), axes(RIGHT, EMPTY), ""),  # as a legend's entry is made
        ("draws: [{artist: points, data: {x: reference, y: reference}}]", axes(EMPTY), axes(EMPTY), ""),
        (
            "draws: [{artist: points, data: {x: reference, y: reference}}]",
            axes(EMPTY),
            axes(points([1], [2])),
            "data",
        ),
        ("like: reference", axes(bars([], [])), axes(bars([], [])), ""),
    ],
)
def test_drawings_of_nothing(check: str, author: Any, seen: Any, wanted: str) -> None:
    assert outcome_of(f"{{plot: {{of: x, {check}}}}}", {"x": seen}, {"x": author}).reason == wanted
