"""Box plots, put together again from the lines that they are drawn with.

matplotlib draws, box after box: the box (a closed line or a patch), two whiskers from it outwards, two
caps (unless turned off), the median, the mean (where wanted) and the outliers. seaborn and
pandas use its function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .artists import LINE, is_a
from .instances import described, state
from .numpy_arrays import asarray

if TYPE_CHECKING:
    from . import Node, Taker

_PATCH = "matplotlib.patches.PathPatch"


def split_boxes(artists: list[Any], taker: Taker) -> tuple[list[Node], list[Any]]:
    """One ``boxes`` node for all box plots among ``artists`` (none: an empty list), and the other artists."""
    rest: list[Any] = []
    found: list[dict[str, Any]] = []
    number = 0
    while number < len(artists):
        box, length = _box_at(artists[number : number + 9])
        if box is None:
            rest.append(artists[number])
        else:
            found.append(box)
        number += length
    if not found:
        return [], rest
    columns = {name: [box[name] for box in found] for name in found[0]}
    outliers = columns.pop("outliers")
    plain = {name: asarray(column, dtype="float64") for name, column in columns.items()}
    return [described(found, "boxes", {**plain, "outliers": outliers}, taker)], rest


def _box_at(artists: list[Any]) -> tuple[dict[str, Any] | None, int]:
    """The box that ``artists`` begin with, and how many of them it has; (None, 1) where there is none."""
    corners = _corners(artists[0])
    lines = [_points(artist) for artist in artists[1:]]
    if corners is None or len(lines) < 3 or not _are_whiskers(lines[0], lines[1]):
        return None, 1
    low, high = lines[0], lines[1]
    along = 1 if low[0][0] == low[1][0] else 0  # the axis of the values, which the whiskers run along
    flat = 0
    while flat < 3 and 2 + flat < len(lines) and _is_flat(lines[2 + flat], along):
        flat += 1
    if flat not in (1, 3):
        return None, 1
    used = 2 + flat
    marks: list[Any] = []
    while len(marks) < 2 and used < len(lines) and _is_marks(artists[1 + used]):
        marks.append(lines[used])
        used += 1
    box = {
        "position": low[0][1 - along],
        "low": low[1][along],
        "quarter": corners[:, along].min(),
        "median": lines[1 + flat][0][along],
        "three_quarters": corners[:, along].max(),
        "high": high[1][along],
        "outliers": marks[-1][:, along] if marks else [],
    }
    return box, 1 + used


def _points(artist: object) -> Any:
    """A line's points as numbers, (n, 2); None for anything else."""
    own = state(artist)
    if not is_a(artist, LINE):
        return None
    try:
        return asarray([own.get("_xorig"), own.get("_yorig")], dtype="float64").T
    except (ValueError, TypeError):
        return None


def _corners(artist: object) -> Any:
    """The corners of what may be a box: a patch's, or those of a closed line."""
    if is_a(artist, _PATCH):
        found = state(state(artist).get("_path")).get("_vertices")
        return None if found is None else asarray(found, dtype="float64")
    points = _points(artist)
    closed = points is not None and len(points) >= 5 and (points[0] == points[-1]).all()
    return points if closed else None


def _are_whiskers(low: Any, high: Any) -> bool:
    """Two straight lines of two points on one line."""
    if low is None or high is None or low.shape != (2, 2) or high.shape != (2, 2):
        return False
    return any(len({*low[:, axis], *high[:, axis]}) == 1 for axis in (0, 1))


def _is_flat(points: Any, along: int) -> bool:
    return points is not None and len(points) >= 2 and len(set(points[:, along])) == 1


def _is_marks(artist: object) -> bool:
    """Whether a line is drawn by its markers alone, as means and outliers are."""
    return is_a(artist, LINE) and state(artist).get("_linestyle") in ("None", "none", " ", "")


TAKES: dict[str, Any] = {}
