"""What must be drawn in a plot, as specs write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag

from checks.compare import plots
from checks.compare.closeness import Tolerance
from checks.evidence import values as v
from checks.scene import Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.bounds import Bounds
from checks.spec.target import Operand, Target, suggestion
from checks.spec.text_rule import TextRule

Word = Literal[
    "line", "bars", "histogram", "points", "image", "pie", "boxes", "area", "segments", "text", "patch"
]  # fmt: skip
COLORS = {
    "b": "#0000ff", "g": "#008000", "r": "#ff0000", "c": "#00bfbf", "m": "#bf00bf", "y": "#bfbf00",
    "k": "#000000", "w": "#ffffff", "blue": "#0000ff", "green": "#008000", "red": "#ff0000",
    "cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00", "black": "#000000", "white": "#ffffff",
    "orange": "#ffa500", "purple": "#800080", "gray": "#808080", "grey": "#808080", "brown": "#a52a2a",
    "pink": "#ffc0cb", "navy": "#000080", "teal": "#008080", "gold": "#ffd700", "lightblue": "#add8e6",
    "skyblue": "#87ceeb", "steelblue": "#4682b4", "darkblue": "#00008b", "darkgreen": "#006400",
    "tab:blue": "#1f77b4", "tab:orange": "#ff7f0e", "tab:green": "#2ca02c", "tab:red": "#d62728",
    "tab:purple": "#9467bd", "tab:brown": "#8c564b", "tab:pink": "#e377c2", "tab:gray": "#7f7f7f",
    "tab:olive": "#bcbd22", "tab:cyan": "#17becf",
}  # fmt: skip


def _plain_list(given: Any) -> Any:
    return {"value": given} if isinstance(given, list) else given


def _flag_or_rule(given: object) -> str:
    return "flag" if isinstance(given, bool) else "rule"


Data = Annotated[Operand, BeforeValidator(_plain_list)]
# ``true``: there must be some text, ``false``: there must be none.
Wording = Annotated[
    Annotated[bool, Tag("flag")] | Annotated[TextRule, Tag("rule")], Discriminator(_flag_or_rule)
]


@dataclass(frozen=True)
class Shortfall:
    """Why no artist fits: the reason, and the datum or the quality that it is about."""

    reason: str
    about: str = ""


class Drawing(Piece):
    """Something that must be drawn: its sort, its data, its look. At least one artist must fit."""

    artist: Word = Field(description="what is drawn: line, bars, histogram, points, image, pie, boxes …")
    count: Bounds | None = Field(
        default=None, description="how many must fit; at least one where it is left out"
    )
    pieces: Bounds | None = Field(default=None, description="how many bars, points, pieces or boxes it has")
    data: dict[str, Data] = Field(
        default={}, description="its data (x, y, names, length …): reference, {variable: …}, a list"
    )
    order: Literal["same", "any"] | None = Field(
        default=None, description="whether the order of the data counts; of lines and images it does"
    )
    rel: float = Field(default=1e-6, ge=0, lt=1, description="relative tolerance")
    abs: float = Field(default=1e-9, ge=0, description="absolute floor of the tolerance")
    label: Wording | None = Field(default=None, description="its label, as the legend shows it")
    color: str | None = Field(default=None, description="a colour's name, or #rrggbb")
    style: Literal["-", "--", ":", "-.", "None"] | None = Field(default=None, description="a line's style")
    marker: str | None = Field(default=None, description="a line's marker; an empty text: it has none")
    orientation: Literal["vertical", "horizontal"] | None = Field(default=None, description="of bars")
    map: str | None = Field(default=None, description="the name of the colour map")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Data that the artist has not, colours that are none."""
        known = plots.SORTS[self.artist].data
        for name in self.data:
            if name not in known:
                yield ("data", name), f"{self.artist} has no {name!r}", suggestion(name, known)
        if self.color is not None and hex_color(self.color) is None:
            yield ("color",), f"{self.color!r} is no colour", suggestion(self.color, COLORS) or "#1f77b4"

    def shortfall(
        self, axes: v.Opaque, reference: v.Opaque | None, scene: Scene, of: Target
    ) -> Shortfall | None:
        """Why the axes lack this drawing; None where they have it. ``reference`` are the author's axes."""
        found = plots.artists(axes, self.artist)
        if not found and not (self.count and self.count.hold(0)):
            return Shortfall("artist")
        wanted = self._wanted(reference, scene, of)
        reasons = [self._lack(each, wanted) for each in found]
        fitting = reasons.count(None)
        if self.count.hold(fitting) if self.count else fitting:
            return None
        nearest = next((reason for reason in reasons if reason is not None), None)
        # Where enough of them fit, or all do, it is their number that is wrong.
        return Shortfall("count") if nearest is None or (self.count and fitting) else nearest

    def _wanted(self, reference: v.Opaque | None, scene: Scene, of: Target) -> list[plots.Columns]:
        """The data asked for; held against the author's plot, those of any of its artists of the sort."""
        fixed = {name: operand for name, operand in self.data.items() if operand.reference != ""}
        known = {name: self._column(operand.node(scene, of)) for name, operand in fixed.items()}
        theirs = [name for name in self.data if name not in fixed]
        if not theirs:
            return [known]
        sources = plots.artists(reference, self.artist) if reference is not None else []
        return [
            {**known, **{name: self._column(plots.datum(each, name)) for name in theirs}} for each in sources
        ]

    def _lack(self, artist: v.Opaque, wanted: list[plots.Columns]) -> Shortfall | None:
        look = self._look(artist)
        if look is not None:
            return look
        if self.pieces and not self.pieces.hold(plots.pieces(artist)):
            return Shortfall("pieces")
        seen = self._visible({name: self._column(plots.datum(artist, name)) for name in self.data})
        ordered = self.order == "same" if self.order else plots.SORTS[self.artist].ordered
        wanted = [self._visible(each) for each in wanted]
        faults = [self._fault(seen, each, ordered=ordered) for each in wanted]
        if None in faults or not self.data:
            return None
        moved = self.order == "same" and any(
            self._fault(seen, each, ordered=False) is None for each in wanted
        )
        return Shortfall("order") if moved else Shortfall("data", faults[0] or "" if faults else "")

    def _column(self, node: v.AnyNode | None) -> np.ndarray[Any, Any]:
        """A datum; an image's values have their shape, each of several straight lines its points."""
        found = plots.column(node, flat=self.artist not in ("image", "segments"))
        return np.array([None], dtype=object) if found is None else found  # equals none

    def _visible(self, columns: plots.Columns) -> plots.Columns:
        return plots.visible(plots.SORTS[self.artist].sort, columns)

    def _fault(self, seen: plots.Columns, wanted: plots.Columns, *, ordered: bool) -> str | None:
        """The first datum that is not as wanted. A line may be drawn from either end, unless order is asked
        for."""
        tolerance = Tolerance(self.rel, self.abs)
        fault = next(plots.differing(seen, wanted, tolerance, ordered=ordered), None)
        if fault is not None and self.artist == "line" and self.order is None and wanted.keys() >= {"x", "y"}:
            turned = next(plots.differing(plots.flipped(seen), wanted, tolerance, ordered=ordered), None)
            return None if turned is None else fault
        return fault

    def _look(self, artist: v.Opaque) -> Shortfall | None:
        label = artist.attributes.get("label")
        if self.label is not None and not fits_wording(self.label, label):
            return Shortfall("label")
        for name, wanted in (("color", self.color), ("style", self.style), ("marker", self.marker),
                             ("orientation", self.orientation), ("map", self.map)):  # fmt: skip
            if wanted is not None and not _has_look(artist, name, wanted):
                return Shortfall("look", name)
        return None


def fits_wording(wanted: bool | TextRule, node: v.AnyNode | None) -> bool:
    """Whether a text is there (or not), or is as a rule says."""
    text = node.v if isinstance(node, v.Text) else ""
    if isinstance(wanted, bool):
        return bool(text.strip()) == wanted
    return bool(text) and next(wanted.wanting(text), None) is None


def _has_look(artist: v.Opaque, name: str, wanted: str) -> bool:
    if name == "color":
        colors = [artist.attributes.get("color"), *_items(artist.attributes.get("colors"))]
        seen = {each.v for each in colors if isinstance(each, v.Text)}
        return seen == {hex_color(wanted)}
    found = artist.attributes.get(name)
    return (found.v if isinstance(found, v.Text) else "") == wanted


def _items(node: v.AnyNode | None) -> tuple[v.AnyNode, ...]:
    return node.items if isinstance(node, v.Sequence) else ()


def hex_color(name: str) -> str | None:
    """``#rrggbb`` of a colour's name or spelling; None where it is none."""
    plain = name.strip().lower()
    is_hex = len(plain) == 7 and plain[0] == "#" and all(sign in "0123456789abcdef" for sign in plain[1:])
    return plain if is_hex else COLORS.get(plain)
