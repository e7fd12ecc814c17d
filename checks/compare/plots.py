"""Plots as evidence holds them: a figure's axes, what is drawn in them, and whether data are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.words import listed
from checks.evidence import values as v

MAX_DEPTH = 4


@dataclass(frozen=True)
class Sort:
    """A word for what may be drawn: the evidence's ``sort``, what it is called, and which data it has.

    ``main`` are the data that make two of them the same drawing; ``ordered``: the order belongs to it.
    """

    sort: str
    one: str
    many: str
    data: tuple[str, ...]
    main: tuple[str, ...]
    ordered: bool = False


SORTS: dict[str, Sort] = {
    "line": Sort("line", "a line", "lines", ("x", "y"), ("x", "y"), ordered=True),
    "bars": Sort(
        "bars", "a set of bars", "sets of bars",
        ("names", "length", "position", "base", "thickness"), ("names", "length"),
    ),
    "histogram": Sort("bars", "a histogram", "histograms", ("length", "edges", "names"), ("length", "edges")),
    "points": Sort("points", "a scatter plot", "scatter plots", ("x", "y", "sizes", "values"), ("x", "y")),
    "image": Sort(
        "image", "an image or heat map", "images or heat maps", ("values",), ("values",), ordered=True
    ),
    "pie": Sort("pie", "a pie", "pies", ("shares", "names"), ("shares", "names")),
    "boxes": Sort(
        "boxes", "a box plot", "box plots",
        ("median", "quarter", "three_quarters", "low", "high", "position"),
        ("quarter", "median", "three_quarters"),
    ),
    "area": Sort("area", "a filled area", "filled areas", ("corners",), ("corners",), ordered=True),
    "segments": Sort(
        "segments", "a set of straight lines", "sets of straight lines", ("points",), ("points",)
    ),
    "text": Sort("text", "a text", "texts", ("text", "x", "y"), ("text",)),
    "patch": Sort("patch", "a shape", "shapes", (), ()),
}  # fmt: skip


def axes_of(node: v.AnyNode, depth: int = 0) -> list[v.Opaque]:
    """The plots that a value is or holds: a figure's axes, axes alone or in an array; artists as one."""
    if isinstance(node, v.Opaque):
        if node.sort == "axes":
            return [node]
        if node.sort == "figure":
            return _of_figure(node)
        known = any(node.sort == each.sort for each in SORTS.values())
        return [_around([node])] if known else []
    if depth >= MAX_DEPTH or not isinstance(node, (v.Sequence, v.Array, v.Mapping)):
        return []
    inner = [value for _, value in node.items] if isinstance(node, v.Mapping) else list(node.items or ())
    found = [axes for item in inner for axes in axes_of(item, depth + 1)]
    loose = [axes for axes in found if axes.cls == ""]
    return [
        *(axes for axes in found if axes.cls),
        *([_around([artist for each in loose for artist in artists(each)])] if loose else []),
    ]


def _of_figure(figure: v.Opaque) -> list[v.Opaque]:
    """The figure's axes; of one alone, the figure's own title and labels are its, too."""
    held = figure.attributes.get("axes")
    found = (
        [each for each in held.items if isinstance(each, v.Opaque)] if isinstance(held, v.Sequence) else []
    )
    if len(found) != 1:
        return found
    words = ("title", "xlabel", "ylabel", "legend")
    own = {name: figure.attributes[name] for name in words if name in figure.attributes}
    (axes,) = found
    return [v.Opaque(axes.id, axes.cls, axes.bases, axes.sort, {**own, **axes.attributes})]


def _around(found: list[v.Opaque]) -> v.Opaque:
    return v.Opaque(id=0, cls="", sort="axes", attributes={"artists": v.Sequence(items=tuple(found))})


def artists(axes: v.Opaque, word: str | None = None) -> list[v.Opaque]:
    """What is drawn, in drawing order; only what ``word`` means, where one is given."""
    held = axes.attributes.get("artists")
    found = (
        [each for each in held.items if isinstance(each, v.Opaque)] if isinstance(held, v.Sequence) else []
    )
    if word is None:
        return found
    fitting = [each for each in found if each.sort == SORTS[word].sort]
    if word == "points":
        return [points for each in found if (points := as_points(each)) is not None]
    return [each for each in fitting if _is_histogram(each)] if word == "histogram" else fitting


def as_points(artist: v.Opaque) -> v.Opaque | None:
    """A scatter plot, and what looks like one: markers without a line between them."""
    if artist.sort == "points":
        return artist
    known = artist.attributes
    style = known.get("style")
    bare = isinstance(style, v.Text) and style.v.strip().lower() in ("", "none")
    if artist.sort != "line" or not bare or "marker" not in known:
        return None
    colors = {"colors": v.Sequence(items=(known["color"],))} if "color" in known else {}
    return replace(artist, sort="points", attributes={**known, **colors})


def drawn(axes: v.Opaque) -> str:
    """What is drawn, in words: ``2 lines and a scatter plot``."""
    found = [as_points(each) or each for each in artists(axes)]
    counts = {
        word: [each for each in found if each.sort == SORTS[word].sort]
        for word in SORTS
        if word != "histogram"
    }
    said = [
        SORTS[word].one if len(those) == 1 else f"{len(those)} {SORTS[word].many}"
        for word, those in counts.items()
        if those
    ]
    return listed(said) or "nothing"


def pieces(artist: v.Opaque) -> int:
    """Of how many bars, points, pieces or boxes it consists."""
    first = next(
        (column(datum(artist, name)) for name in ("length", "y", "shares", "median") if datum(artist, name)),
        None,
    )
    return 1 if first is None else len(first)


def _is_histogram(bars: v.Opaque) -> bool:
    """Whether neighbours touch each other, as the bars of a histogram do (a single bar may be one)."""
    edges = _edges(bars)
    return edges is not None


def _edges(bars: v.Opaque) -> np.ndarray[Any, Any] | None:
    place, thick = (
        content.numbers(bars.attributes.get(name, v.Nothing())) for name in ("position", "thickness")
    )
    if place is None or thick is None or place.shape != thick.shape or place.ndim != 1 or not place.size:
        return None
    if place.dtype.kind not in "iuf" or thick.dtype.kind not in "iuf":
        return None
    order = np.argsort(place)
    left, right = (place - thick / 2)[order], (place + thick / 2)[order]
    if not np.allclose(left[1:], right[:-1], rtol=1e-6, atol=1e-9 + 1e-6 * float(np.abs(thick).max())):
        return None
    return np.append(left, right[-1])


def datum(artist: v.Opaque, name: str) -> v.AnyNode | None:
    """One of an artist's data; bars without names are told apart by their positions."""
    if name == "edges":
        edges = _edges(artist)
        return (
            None if edges is None else v.Sequence(items=tuple(v.Float(v=float(edge).hex()) for edge in edges))
        )
    return artist.attributes.get(name)


def column(node: v.AnyNode | None) -> np.ndarray[Any, Any] | None:
    """A datum as a flat array: of numbers (moments as microseconds), or of texts; None for anything else."""
    if node is None:
        return None
    if isinstance(node, v.Series):
        node = node.values
    if isinstance(node, v.Array) and node.values is not None and node.values.dtype.kind in "mM":
        moments = node.values.astype(f"{node.values.dtype.kind}8[us]")
        return np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64)).ravel()
    numbers = content.numbers(node)
    if numbers is not None and numbers.dtype.kind in "biuf":
        return numbers.astype(np.float64).ravel()
    return _texts_or_moments(node)


def _texts_or_moments(node: v.AnyNode) -> np.ndarray[Any, Any] | None:
    if isinstance(node, v.Text):
        return np.array([node.v], dtype=object)
    found = content.items(node)
    if found is None or not found:
        return None if found is None else np.array([], dtype=object)
    if all(isinstance(item, v.Text) for item in found):
        return np.array([item.v.strip() for item in found if isinstance(item, v.Text)], dtype=object)
    if all(isinstance(item, v.Array) and item.shape == () for item in found):
        parts = [column(item) for item in found]
        plain = [part for part in parts if part is not None]
        return np.concatenate(plain) if len(plain) == len(parts) else None
    mixed = [content.scalar(item) for item in found]
    return None if None in mixed else np.array([str(item) for item in mixed], dtype=object)


Columns = Mapping[str, np.ndarray[Any, Any]]


def differing(seen: Columns, wanted: Columns, tolerance: Tolerance, *, ordered: bool) -> Iterator[str]:
    """The names of the data that are not the same; without order, rows are sorted by all data together."""
    if not ordered and len({len(each) for each in wanted.values()}) == 1:
        seen, wanted = _in_order(seen, list(wanted)), _in_order(wanted, list(wanted))
    for name, expected in wanted.items():
        if not _same(seen[name], expected, tolerance):
            yield name


def _in_order(columns: Columns, names: list[str]) -> Columns:
    """The rows sorted by texts, then by numbers to nine digits: rounding must not change their order."""
    if len({len(columns[name]) for name in names}) != 1:
        return columns
    texts = [name for name in names if columns[name].dtype == object]
    keys = [*texts, *(name for name in names if name not in texts)]
    rows = sorted(
        range(len(columns[keys[0]])), key=lambda at: tuple(_key(columns[name][at]) for name in keys)
    )
    return {name: columns[name][rows] for name in names}


def _key(item: Any) -> tuple[int, float, str]:
    if item is None or isinstance(item, str):
        return 1, 0.0, item or ""
    return (2, 0.0, "") if np.isnan(item) else (0, float(f"{item:.8e}"), "")


def _same(seen: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], tolerance: Tolerance) -> bool:
    if seen.shape != expected.shape:
        return False
    if object in (seen.dtype, expected.dtype):
        texts = seen.tolist()
        return seen.dtype == expected.dtype and None not in texts and bool(texts == expected.tolist())
    return tolerance.all_close(seen, expected)
