"""What is drawn in a plot: lines, bars, points, images, texts … with the data behind them.

Read from the artists' own attributes as matplotlib keeps them; nothing is drawn and no method is called, so
that a subclass of a student's own cannot speak for its data. Each becomes an ``object`` of a sort with
``attributes``; ``docs/evidence.md`` lists them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import ancestry, class_name
from .instances import described, plain_name, state
from .numpy_arrays import asarray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from . import Node, Take, Taker

_MAX_PIECES = 5_000
_NUMBERS = (int, float)


def numbers(items: Iterable[object]) -> object:
    """An array of the items where all are plain numbers (NumPy's too); else the list as it is."""
    listed = list(items)
    plain = all(type(item) in _NUMBERS or class_name(type(item)).startswith("numpy.") for item in listed)
    return asarray(listed) if plain and listed else listed


def text_of(artist: object) -> str:
    """A text artist's text; empty where it has none."""
    return plain_name(state(artist).get("_text")) or ""


def label_of(artist: object) -> str | None:
    """The label that a legend would show; None for the names that matplotlib gives itself."""
    label = plain_name(state(artist).get("_label"))
    return None if not label or label.startswith("_") else label


def color_of(color: Any) -> str | None:
    """A colour as ``#rrggbb``; None where it is no single colour."""
    try:
        return str(sys.modules["matplotlib.colors"].to_hex(color))
    except (ValueError, TypeError, KeyError):
        return None


def handle_color(handle: object) -> str | None:
    """The colour of an entry of a legend: a piece of line, a box, a dot."""
    own = state(handle)
    faces: Any = own.get("_facecolors")
    first = faces[0] if class_name(type(faces)) == "numpy.ndarray" and len(faces) else None
    plain = own.get("_color") if is_a(handle, LINE) else own.get("_facecolor")
    return color_of(first if first is not None else plain)


def _colors(rows: Any) -> list[str | None]:
    return [color_of(row) for row in list(rows)[:_MAX_PIECES]]


def take_line(line: Any, taker: Taker) -> Node:
    """A line (or markers without one): ``x`` and ``y`` as they were given."""
    own = state(line)
    marker = plain_name(state(own.get("_marker")).get("_marker"))
    attributes = {
        "x": own.get("_xorig"),
        "y": own.get("_yorig"),
        "label": label_of(line),
        "color": color_of(own.get("_color")),
        "style": plain_name(own.get("_linestyle")),
        "marker": marker if marker not in ("None", "none", "", " ") else None,
        "width": own.get("_linewidth"),
    }
    return described(line, "line", attributes, taker)


def take_bars(bars: Any, taker: Taker, names: dict[float, str] | None = None) -> Node:
    """A container of bars: where each stands, how long it is, what it stands on, how thick it is.

    ``names``: the texts at positions of the axis that the bars stand on.
    """
    own = state(bars)
    across = own.get("orientation") == "horizontal"
    places, lengths, thick, bases = [], [], [], []
    for patch in _pieces(own.get("patches")):
        box = state(patch)
        x, y, width, height = (box.get(name, 0.0) for name in ("_x0", "_y0", "_width", "_height"))
        place, size, length, base = (y, height, width, x) if across else (x, width, height, y)
        places.append(place + size / 2 if _are_numbers(place, size) else None)
        lengths.append(length)
        thick.append(size)
        bases.append(base)
    faces = [state(patch).get("_facecolor") for patch in _pieces(own.get("patches"))]
    attributes = {
        "position": numbers(places),
        "length": numbers(lengths),
        "base": numbers(bases),
        "thickness": numbers(thick),
        "names": _named(places, names or {}),
        "orientation": "horizontal" if across else "vertical",
        "label": label_of(bars),
        "colors": _colors(faces),
    }
    return described(bars, "bars", attributes, taker)


def _pieces(found: Any) -> list[Any]:
    return list(found[:_MAX_PIECES]) if type(found) in (list, tuple) else []


def _are_numbers(*items: object) -> bool:
    return all(type(item) in _NUMBERS or class_name(type(item)).startswith("numpy.") for item in items)


def _named(places: list[Any], names: dict[float, str]) -> list[str] | None:
    """Each place's text, the nearest within half a unit (bars of several groups stand beside it)."""
    if not names or any(place is None for place in places):
        return None
    nearest = [_nearest(names, place) for place in places]
    near = all(abs(at - place) <= 0.5 for at, place in zip(nearest, places, strict=True))
    return [names[at] for at in nearest] if near else None


def _nearest(names: dict[float, str], place: float) -> float:
    return min(names, key=lambda at: abs(at - place))


def take_points(points: Any, taker: Taker) -> Node:
    """A scatter: ``x`` and ``y`` of the points, ``sizes``, and ``values`` where colours stand for numbers."""
    own = state(points)
    offsets = own.get("_offsets")
    plain = None if offsets is None else asarray(offsets)
    attributes = {
        "x": None if plain is None else plain[:, 0],
        "y": None if plain is None else plain[:, 1],
        "sizes": own.get("_sizes"),
        "values": own.get("_A"),
        "colors": _colors(asarray(own.get("_facecolors", ()))),
        "label": label_of(points),
        "map": _color_map(own),
    }
    return described(points, "points", attributes, taker)


def take_image(image: Any, taker: Taker) -> Node:
    """An image, or a mesh of coloured cells, as a heat map is: its values, row by row."""
    own = state(image)
    attributes = {"values": own.get("_A"), "origin": plain_name(own.get("origin")), "map": _color_map(own)}
    return described(image, "image", attributes, taker)


def _color_map(own: dict[str, Any]) -> str | None:
    """The colour map's name, where numbers are shown by it."""
    if own.get("_A") is None:
        return None
    holder = state(own.get("_colorizer")) or own
    return plain_name(state(holder.get("_cmap") or holder.get("cmap")).get("name"))


def take_area(area: Any, taker: Taker) -> Node:
    """Filled shapes: the corners of each."""
    own = state(area)
    found = own.get("_paths")
    paths = [own["_path"]] if found is None and own.get("_path") is not None else _pieces(found)
    corners = [state(path).get("_vertices") for path in paths[:200]]
    return described(area, "area", {"corners": corners, "label": label_of(area)}, taker)


def take_segments(lines: Any, taker: Taker) -> Node:
    """Several straight lines of one call (``vlines``, error bars): the points of each."""
    own = state(lines)
    points = [state(path).get("_vertices") for path in _pieces(own.get("_paths"))[:1000]]
    return described(lines, "segments", {"points": points, "label": label_of(lines)}, taker)


def take_text(text: Any, taker: Taker) -> Node:
    """A text somewhere in the plot."""
    own = state(text)
    attributes = {"text": text_of(text), "x": own.get("_x"), "y": own.get("_y")}
    return described(text, "text", attributes, taker)


def take_wedge(wedge: Any, taker: Taker) -> Node:
    """A piece of a pie: ``share`` of the whole circle."""
    attributes = {"share": share_of(wedge), "label": label_of(wedge)}
    return described(wedge, "wedge", attributes, taker)


def take_patch(patch: Any, taker: Taker) -> Node:
    """Any other shape."""
    return described(patch, "patch", {"label": label_of(patch)}, taker)


def share_of(wedge: object) -> float:
    """A wedge's share of the circle, from 0 to 1; NaN where its angles are no numbers."""
    begin, end = (state(wedge).get(name) for name in ("theta1", "theta2"))
    return float(end - begin) / 360.0 if _are_numbers(begin, end) else float("nan")  # type: ignore[operator]


def is_a(artist: object, name: str) -> bool:
    """Whether a class of that full name is among an object's real classes."""
    return any(class_name(kind) == name for kind in ancestry(artist))


LINE = "matplotlib.lines.Line2D"
BARS = "matplotlib.container.BarContainer"
WEDGE = "matplotlib.patches.Wedge"
RECTANGLE = "matplotlib.patches.Rectangle"
TEXT = "matplotlib.text.Text"
TAKES: dict[str, Take] = {
    LINE: take_line,
    BARS: take_bars,
    WEDGE: take_wedge,
    TEXT: take_text,
    "matplotlib.collections.PathCollection": take_points,
    "matplotlib.image.AxesImage": take_image,
    "matplotlib.collections.QuadMesh": take_image,
    "matplotlib.collections.LineCollection": take_segments,
    "matplotlib.collections.PolyCollection": take_area,
    "matplotlib.patches.Polygon": take_area,
    "matplotlib.patches.PathPatch": take_area,
    "matplotlib.patches.Patch": take_patch,
}
