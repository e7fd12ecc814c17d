"""Figures and axes: titles, labels, limits, scales, legends, and the artists in them in drawing order.

A closed figure still has all of it. Grids of seaborn stand for their figure.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from . import ancestry, class_name
from .artists import BARS, LINE, RECTANGLE, WEDGE, handle_color, is_a, label_of, share_of, take_bars, text_of
from .boxes import split_boxes
from .instances import attempted, defining, described, is_from, plain_name, state

if TYPE_CHECKING:
    from . import Node, Take, Taker

_MAX_ARTISTS = 1_000
_MAX_AXES = 50
_MAX_TICKS = 1_000


def take_figure(figure: Any, taker: Taker) -> Node:
    """A figure: its axes (colour bars apart), its own title and legend texts."""
    own = state(figure)
    axes = [each for each in _axes_of(own) if state(each).get("_visible", True)]
    plots = [each for each in axes if "_colorbar" not in state(each)]
    attributes = {
        "title": text_of(own.get("_suptitle")) or None,
        "xlabel": text_of(own.get("_supxlabel")) or None,
        "ylabel": text_of(own.get("_supylabel")) or None,
        "legend": _legend_texts(next(iter(_listed(own.get("legends"))), None)),
        "axes": plots[:_MAX_AXES],
        "colorbars": len(axes) - len(plots),
    }
    return described(figure, "figure", attributes, taker)


def _axes_of(own: dict[str, Any]) -> list[Any]:
    """All axes, those of subfigures too, in the order of their making."""
    stack = state(own.get("_axstack")).get("_axes")
    found = list(dict.__iter__(stack)) if isinstance(stack, dict) else _listed(own.get("_localaxes"))
    return [each for each in found if is_a(each, "matplotlib.axes._base._AxesBase")]


def take_axes(axes: Any, taker: Taker) -> Node:
    """One plot of a figure."""
    own = state(axes)
    titles = [text_of(own.get(name)) for name in ("title", "_left_title", "_right_title")]
    attributes: dict[str, object] = {"title": next(filter(None, titles), None)}
    names: dict[str, dict[float, str]] = {}
    for letter in ("x", "y"):
        axis = state(own.get(f"{letter}axis"))
        names[letter] = tick_names(axis)
        attributes[f"{letter}label"] = text_of(axis.get("label")) or None
        attributes[f"{letter}scale"] = _scale(axis)
        attributes[f"{letter}ticks"] = list(names[letter].values()) or None
    attributes.update(_limits(axes, own))
    attributes["legend"] = _legend_texts(own.get("legend_"))
    attributes["legend_title"] = _legend_title(own.get("legend_"))
    node = described(axes, "axes", attributes, taker)
    node["attributes"]["artists"] = _artists(own, names, taker)
    _name_by_legend(node["attributes"]["artists"]["items"], own.get("legend_"))
    return node


def _name_by_legend(artists: list[Node], legend: object) -> None:
    """What has no label of its own has that of the one legend entry of its colour."""
    if legend is None or not _is_seen(legend):
        return
    own = state(legend)
    handles = _listed(own.get("legend_handles") or own.get("legendHandles"))
    texts = [text_of(each) for each in _listed(own.get("texts"))]
    entries = [(handle_color(handle), text) for handle, text in zip(handles, texts, strict=False)]
    for artist in artists:
        known = artist.get("attributes", {})
        fitting = [text for color, text in entries if color is not None and color == _only_color(known)]
        if len(fitting) == 1 and "label" not in known:
            known["label"] = {"t": "str", "v": fitting[0]}


def _only_color(attributes: dict[str, Node]) -> str | None:
    one, several = attributes.get("color", {}), attributes.get("colors", {})
    found = {one.get("v"), *(each.get("v") for each in several.get("items", ()))} - {None}
    return found.pop() if len(found) == 1 else None


def _listed(found: Any) -> list[Any]:
    return list(found) if type(found) in (list, tuple) else []


def _artists(own: dict[str, Any], names: dict[str, dict[float, str]], taker: Taker) -> Node:
    """What is drawn: bars by their containers, wedges together as a pie, box plots put together again."""
    containers = [each for each in _listed(own.get("containers")) if is_a(each, BARS)]
    grouped = {id(patch) for each in containers for patch in _listed(state(each).get("patches"))}
    children = [each for each in _listed(own.get("_children")) if _is_seen(each) and id(each) not in grouped]
    wedges = [each for each in children if is_a(each, WEDGE)]
    boxes, rest = split_boxes([each for each in children if not is_a(each, WEDGE)], taker)
    nodes = []
    for container in containers[:_MAX_ARTISTS]:
        across = state(container).get("orientation") == "horizontal"
        nodes.append(take_bars(container, taker, names["y" if across else "x"]))
    nodes += boxes
    if wedges:
        nodes.append(_pie(wedges[:_MAX_ARTISTS], taker))
    nodes += [attempted(each, taker) for each in rest[:_MAX_ARTISTS] if _shows(each)]
    cut = {"cut": len(nodes) + len(rest) - _MAX_ARTISTS} if len(rest) > _MAX_ARTISTS else {}
    return {"t": "seq", "items": nodes, **cut}


def _is_seen(artist: object) -> bool:
    return state(artist).get("_visible") is not False


def _shows(artist: object) -> bool:
    """Whether anything of it is to be seen: seaborn leaves empty lines and bars behind, for its legends."""
    if is_a(artist, RECTANGLE):
        return any(state(artist).get(name) != 0 for name in ("_width", "_height"))
    if not is_a(artist, LINE):
        return True
    data = state(artist).get("_yorig")
    sized: Any = data if type(data) in (list, tuple) or class_name(type(data)) == "numpy.ndarray" else (0,)
    return len(sized) > 0


def _pie(wedges: list[Any], taker: Taker) -> Node:
    attributes = {
        "shares": [share_of(each) for each in wedges],
        "names": [label_of(each) or "" for each in wedges],
    }
    return described(wedges[0], "pie", attributes, taker)


def tick_names(axis: dict[str, Any]) -> dict[float, str]:
    """The texts that stand at places of an axis, where texts were given: categories, or the author's own."""
    mapping = state(axis.get("units")).get("_mapping")
    if isinstance(mapping, dict):
        pairs = [(place, plain_name(name)) for name, place in dict.items(mapping)]
        return {float(place): name for place, name in pairs if name is not None and type(place) is int}
    major = state(axis.get("major"))
    places = state(major.get("_locator", major.get("locator"))).get("locs")
    form = state(major.get("_formatter", major.get("formatter")))
    if type(form.get("func")) is partial and form["func"].args:  # set_ticks(places, labels) makes this
        table = form["func"].args[0]
        named = dict.items(table) if isinstance(table, dict) else ()
        return {
            float(at): name for at, text in named if (name := plain_name(text)) is not None and _is_number(at)
        }
    if places is None or not _listed(form.get("seq")):
        return {}
    labelled = zip(list(places)[:_MAX_TICKS], _listed(form["seq"]), strict=False)
    return {
        float(at): name for at, text in labelled if (name := plain_name(text)) is not None and _is_number(at)
    }


def _is_number(item: object) -> bool:
    return (type(item) in (int, float) or class_name(type(item)).startswith("numpy.")) and math.isfinite(item)  # type: ignore[arg-type]


def _scale(axis: dict[str, Any]) -> str | None:
    """``linear``, ``log`` …: the name in the scale's class."""
    _, name = defining(axis.get("_scale"), "name")
    return plain_name(name)


def _limits(axes: Any, own: dict[str, Any]) -> dict[str, object]:
    """Both axes' limits (reversed where the axis is); matplotlib works them out when they are asked for."""
    bounds = own.get("_viewLim")
    if any(is_from(kind, "matplotlib") for kind in ancestry(axes)[:1]):
        bounds = axes.viewLim
    points = state(bounds).get("_points")
    if points is None:
        return {}
    return {"xlim": [points[0][0], points[1][0]], "ylim": [points[0][1], points[1][1]]}


def _legend_texts(legend: object) -> list[str] | None:
    if legend is None or not _is_seen(legend):
        return None
    return [text_of(each) for each in _listed(state(legend).get("texts"))]


def _legend_title(legend: object) -> str | None:
    return text_of(state(state(legend).get("_legend_title_box")).get("_text")) or None


def take_grid(grid: Any, taker: Taker) -> Node | None:
    """seaborn's grid of plots, by its figure."""
    figure = state(grid).get("_figure")
    return None if figure is None else taker.node(figure)


TAKES: dict[str, Take] = {
    "matplotlib.figure.FigureBase": take_figure,
    "matplotlib.axes._base._AxesBase": take_axes,
    "seaborn.axisgrid._BaseGrid": take_grid,
}
