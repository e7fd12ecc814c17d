"""Plots as evidence holds them: a figure's axes, what is drawn in them, and whether data are the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.matching import (
    Band,
    Budget,
    Flags,
    Places,
    Sides,
    band,
    both,
    codes,
    finite_codes,
    matched,
)
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


def column(node: v.AnyNode | None, *, flat: bool = True) -> np.ndarray[Any, Any] | None:
    """A datum as an array (where it is not ``flat``, numbers in their shape): of numbers, of moments (in
    microseconds), or of texts; None for anything else."""
    if node is None:
        return None
    if isinstance(node, v.Series):
        node = node.values
    if isinstance(node, v.Array) and node.values is not None and node.values.dtype.kind in "mM":
        return node.values.astype(f"{node.values.dtype.kind}8[us]").ravel()
    numbers = content.numbers(node)
    if numbers is not None and numbers.dtype.kind in "biuf":
        plain = numbers.astype(np.float64)
        return plain.ravel() if flat else plain
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


Column = np.ndarray[Any, Any]
Columns = Mapping[str, Column]
Pair = tuple[Column, Column]
MINUS = "\N{MINUS SIGN}"


def differing(seen: Columns, wanted: Columns, tolerance: Tolerance, *, ordered: bool) -> Iterator[str]:
    """The names of the data that are not the same; without order, rows may stand in any. Raises
    UndecidedError where very many are nearly alike.
    """
    pairs = {name: _side_by_side(*_of_one_shape(seen[name], expected)) for name, expected in wanted.items()}
    if not ordered and len({len(each) for pair in pairs.values() for each in pair}) == 1:
        if _matched(pairs, tolerance):
            return
        pairs = _in_order(pairs)
    for name, pair in pairs.items():
        if not _same(*pair, tolerance):
            yield name


def flipped(columns: Columns) -> Columns:
    """A line from its other end: it looks the same."""
    return {name: each[::-1] for name, each in columns.items()}


def _of_one_shape(seen: Column, expected: Column) -> Pair:
    """Both with their axes, or, where one has none to tell, both flat."""
    return (seen, expected) if min(seen.ndim, expected.ndim) > 1 else (seen.ravel(), expected.ravel())


def visible(sort: str, columns: Columns) -> Columns:
    """Rows that can be seen: points without a place are not drawn, and a line neither begins nor ends with
    them."""
    places = [columns[name] for name in ("x", "y") if name in columns]
    known = [each for each in places if each.dtype != object]
    if sort not in ("points", "line") or len({each.shape for each in columns.values()}) != 1:
        return columns
    if not known:
        return columns
    gone = np.any([np.isnan(each) for each in known], axis=0)
    if not gone.any() or gone.all():
        return columns
    if sort == "line":
        first, last = np.flatnonzero(~gone)[[0, -1]]
        return {name: each[first : last + 1] for name, each in columns.items()}
    return {name: each[~gone] for name, each in columns.items()}


def _side_by_side(seen: Column, expected: Column) -> Pair:
    """Two columns of one kind: names that are numbers beside numbers, moments as seconds from the first."""
    if seen.dtype.kind == expected.dtype.kind and seen.dtype.kind in "Mm":
        known = expected[~np.isnat(expected)].astype(np.int64)
        start = int(known.min()) if len(known) and seen.dtype.kind == "M" else 0
        one, other = (_as_numbers(each, start) / 1e6 for each in (seen, expected))
        return one, other
    seen, expected = (_as_numbers(each) if each.dtype.kind in "Mm" else each for each in (seen, expected))
    if (seen.dtype == object) != (expected.dtype == object):
        return _from_names(seen), _from_names(expected)
    return _spelled(seen), _spelled(expected)


def _as_numbers(moments: Column, start: int = 0) -> Column:
    """Microseconds from ``start``."""
    since = np.where(np.isnat(moments), start, moments.astype(np.int64)) - start
    return np.where(np.isnat(moments), np.nan, since.astype(np.float64))


def _from_names(column: Column) -> Column:
    """Names as the numbers that they spell; as they are where they spell none."""
    if column.dtype != object or None in column.tolist():
        return column
    try:
        return np.array([float(name.replace(MINUS, "-")) for name in column.tolist()])
    except ValueError:
        return column


def _spelled(column: Column) -> Column:
    """Names with the minus sign of a keyboard: matplotlib writes a longer one along an axis."""
    if column.dtype != object:
        return column
    plain = [each if each is None else content.composed(each.replace(MINUS, "-")) for each in column.tolist()]
    return np.array(plain, dtype=object)


def _matched(pairs: Mapping[str, Pair], tolerance: Tolerance) -> bool:
    """Whether each expected row has one of its own that is like it."""
    count: int
    (count, *_) = {len(seen) for seen, _ in pairs.values()}
    nothing = np.zeros(count, dtype=np.intp)
    sides, bands = Sides(nothing, nothing), list[Band]()
    for seen, expected in pairs.values():
        if (seen.dtype == object) != (expected.dtype == object):
            return False
        if seen.dtype == object:
            if None in seen.tolist():
                return False
            sides = both(sides, codes(seen.tolist(), expected.tolist()))
            continue
        if seen.shape != expected.shape:
            return False
        for one, other in zip(_flat(seen).T, _flat(expected).T, strict=True):
            sides = both(sides, finite_codes(one, other))
            bands.append(band(one, other, tolerance))

    def alike(at: Places, beside: Places) -> Flags:
        flags = np.ones(len(at), dtype=bool)
        for seen, expected in pairs.values():
            one, other = seen[at], expected[beside]
            same = one == other if seen.dtype == object else tolerance.close(one, other)
            flags &= _flat(same).all(axis=1)
        return flags

    return matched(sides, bands, alike, Budget(len(pairs))) is not None


def _flat(rows: Column) -> Column:
    """Each row's numbers beside one another; also where there is no row."""
    return rows.reshape(len(rows), math.prod(rows.shape[1:]))


def _in_order(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    """The rows of both sides sorted by texts, then by numbers: to tell which of the data differ."""
    names = sorted(pairs, key=lambda name: pairs[name][1].dtype != object)
    sides = [_sorted_rows([pairs[name][side] for name in names]) for side in (0, 1)]
    return {name: (seen[sides[0]], expected[sides[1]]) for name, (seen, expected) in pairs.items()}


def _sorted_rows(columns: list[Column]) -> list[int]:
    def key(at: int) -> list[tuple[int, float, str]]:
        return [_key(item) for each in columns for item in np.ravel(each[at])]

    return sorted(range(len(columns[0])), key=key)


def _key(item: Any) -> tuple[int, float, str]:
    if item is None or isinstance(item, str):
        return 1, 0.0, item or ""
    return (2, 0.0, "") if np.isnan(item) else (0, float(f"{item:.8e}"), "")


def _same(seen: Column, expected: Column, tolerance: Tolerance) -> bool:
    if seen.shape != expected.shape:
        return False
    if object in (seen.dtype, expected.dtype):
        texts = seen.tolist()
        return seen.dtype == expected.dtype and None not in texts and bool(texts == expected.tolist())
    return tolerance.all_close(seen, expected)
