"""``plot``: a figure or axes: what is drawn with which data, titles, labels, legend, scales, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from checks.compare import content, plots
from checks.compare.words import listed, quoted
from checks.errors import MissingReferenceError
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.bounds import Bounds
from checks.spec.drawing import Drawing, Wording, fits_wording
from checks.spec.kind import TargetKind
from checks.spec.target import Operand

WORDINGS = {"title": "title", "xlabel": "label of the x axis", "ylabel": "label of the y axis"}


class Plot(TargetKind):
    """Each of the conditions that are given must hold in one plot: the ``at``-th, or that which fits best."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": "There is no plot for this part.",
        "not_plot": "{variable} is {seen}, not a figure or a plot.",
        "axes": "The figure has {axes} plots; that is not the number asked for.",
        "no_axes": "The figure has no plot at this place.",
        "artist": "The plot shows {drawn}; it should show {artist}.",
        "count": "The plot shows {drawn}; that is not how many there should be of {artist}.",
        "pieces": "The plot shows {artist}, but not of as many pieces as it should have.",
        "data": "The plot shows {artist}, but not with the {datum} that it should have.",
        "order": "The plot shows {artist} with the right data, but not in the order asked for.",
        "label": "The plot shows {artist}, but not with the label that it should have.",
        "look": "The plot shows {artist}, but its {datum} is not the one asked for.",
        "extra": "The plot shows {drawn}, which is more than is asked for.",
        "wording_missing": "The plot has no {wording}.",
        "wording": "The {wording} of the plot is {found}, which does not say what it should.",
        "wording_extra": "The plot should have no {wording}.",
        "legend_missing": "The plot has no legend.",
        "legend": "The legend of the plot names {found}; that is not what it should name.",
        "legend_extra": "The plot should have no legend.",
        "scale": "The scale of the {wording} is {found}; that is not the one asked for.",
        "limits": "The {wording} goes {found}; these are not the limits asked for.",
        "ticks": "The names along the {wording} are {found}; these are not the ones asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "axes": "how many plots the figure has",
        "drawn": "what is drawn, in words",
        "artist": "what the check looked for, in words",
        "datum": "the datum that is not right (x, y, length …), or the quality",
        "wording": "which text or axis the check failed for",
        "found": "what was found there",
    }

    axes: Bounds | None = Field(default=None, description="how many plots the figure has, colour bars apart")
    at: int | None = Field(default=None, ge=0, description="which plot of the figure, counted from 0")
    draws: list[Drawing] = Field(default=[], description="what must be drawn")
    only: bool = Field(default=False, description="whether nothing else may be drawn; texts do not count")
    like: Operand | None = Field(
        default=None, description="a plot of which everything must be drawn, with its data"
    )
    title: Wording | None = Field(default=None, description="true, false, or what it must say")
    xlabel: Wording | None = Field(default=None, description="true, false, or what it must say")
    ylabel: Wording | None = Field(default=None, description="true, false, or what it must say")
    legend: bool | list[str] | None = Field(
        default=None, description="true, false, or its entries in any order"
    )
    xscale: str | None = Field(default=None, description="linear, log, symlog …")
    yscale: str | None = Field(default=None, description="linear, log, symlog …")
    xlim: list[float | None] | None = Field(
        default=None, min_length=2, max_length=2, description="[from, to]; null for any"
    )
    ylim: list[float | None] | None = Field(
        default=None, min_length=2, max_length=2, description="[from, to]; null for any"
    )
    xticks: list[str] | None = Field(default=None, description="the names along the x axis, in their order")
    yticks: list[str] | None = Field(default=None, description="the names along the y axis, in their order")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """A check that asks for nothing; ``only`` without anything."""
        if not self.model_fields_set - {"of", "at", "only"}:
            yield (), "any plot would pass: say what it must show", ""
        if self.only and not self.draws:
            yield ("only",), "`only` goes with `draws`", ""

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """The plot with the most conditions that hold counts; its first that does not gives the reason."""
        found = plots.axes_of(node)
        is_figure = isinstance(node, v.Opaque) and node.sort == "figure"
        if not found and not is_figure:
            return Outcome(0.0, "not_plot")
        facts = {"axes": len(found), "drawn": plots.drawn(found[0]) if found else "nothing"}
        if self.axes and not self.axes.hold(len(found)):
            return Outcome(0.0, "axes", facts)
        chosen = found if self.at is None else found[self.at : self.at + 1]
        if not chosen:
            return Outcome(0.0, "no_axes", facts)
        tried = [(list(self._conditions(axes, scene, number)), axes) for number, axes in enumerate(chosen)]
        outcomes, axes = max(tried, key=lambda each: sum(outcome.passed for outcome in each[0]))
        failed = next((outcome for outcome in outcomes if not outcome.passed), None)
        if failed is None:
            return PASSED
        return Outcome(0.0, failed.reason, {**facts, "drawn": plots.drawn(axes), **failed.facts})

    def _conditions(self, axes: v.Opaque, scene: Scene, number: int) -> Iterator[Outcome]:
        reference = self._reference_axes(scene, number)
        if self.like is not None:
            yield from self._like(axes, scene, number)
        for drawing in self.draws:
            short = drawing.shortfall(axes, reference, scene, self.of)
            said = plots.SORTS[drawing.artist].one
            yield (
                PASSED
                if short is None
                else Outcome(0.0, short.reason, {"artist": said, "datum": short.about})
            )
        if self.only:
            words = {plots.SORTS[drawing.artist].sort for drawing in self.draws} | {"text"}
            more = any(
                artist.sort and not words & {artist.sort, getattr(plots.as_points(artist), "sort", "")}
                for artist in plots.artists(axes)
            )
            yield Outcome(0.0, "extra") if more else PASSED
        for name in WORDINGS:
            wanted = getattr(self, name)
            if wanted is not None:
                yield _judge_wording(name, wanted, axes.attributes.get(name))
        if self.legend is not None:
            yield _judge_legend(self.legend, axes.attributes.get("legend"))
        for letter in ("x", "y"):
            yield from self._axis(letter, axes)

    def _reference_axes(self, scene: Scene, number: int) -> v.Opaque | None:
        """The author's plot of the same place, where the data of a drawing are held against it."""
        operands = [operand for drawing in self.draws for operand in drawing.data.values()]
        if not any(operand.reference == "" for operand in operands):
            return None
        found = plots.axes_of(scene.expected(self.of.variable))
        place = number if self.at is None else self.at
        if not found:
            raise MissingReferenceError(f"the reference's {self.of.variable} is no plot")
        return found[min(place, len(found) - 1)]

    def _like(self, axes: v.Opaque, scene: Scene, number: int) -> Iterator[Outcome]:
        """Everything that the other plot draws, each with its main data."""
        node = self.like.node(scene, self.of) if self.like else None
        found = plots.axes_of(node) if node is not None else []
        if not found:
            raise MissingReferenceError(f"what {self.of.variable} is held against is no plot")
        other = found[min(number if self.at is None else self.at, len(found) - 1)]
        for drawn in plots.artists(other):
            artist = plots.as_points(drawn) or drawn
            word = next((word for word, each in plots.SORTS.items() if each.sort == artist.sort), None)
            if word is None or word == "text":
                continue
            names = [
                name for name in plots.SORTS[word].main if plots.column(plots.datum(artist, name)) is not None
            ]
            if word == "bars" and _stands_on_others(artist) and len(plots.artists(other, "bars")) == 1:
                names.append("base")
            drawing = Drawing(artist=word, data={name: Operand(reference="") for name in names})  # type: ignore[arg-type]
            alone = v.Opaque(0, "", sort="axes", attributes={"artists": v.Sequence(items=(artist,))})
            short = drawing.shortfall(axes, alone, scene, self.of)
            facts = {"artist": plots.SORTS[word].one, "datum": short.about if short else ""}
            yield PASSED if short is None else Outcome(0.0, short.reason, facts)
        stacked, theirs = (any(map(_stands_on_others, plots.artists(each, "bars"))) for each in (other, axes))
        if stacked and not theirs:
            yield Outcome(0.0, "data", {"artist": plots.SORTS["bars"].one, "datum": "base"})

    def _axis(self, letter: str, axes: v.Opaque) -> Iterator[Outcome]:
        scale, limits, ticks = (getattr(self, letter + word) for word in ("scale", "lim", "ticks"))
        facts = {"wording": f"{letter} axis"}
        if scale is not None:
            node = axes.attributes.get(f"{letter}scale")
            found = node.v if isinstance(node, v.Text) else "unknown"
            yield PASSED if found == scale else Outcome(0.0, "scale", {**facts, "found": found})
        if limits is not None:
            seen = content.numbers(axes.attributes.get(f"{letter}lim", v.Nothing()))
            yield _judge_limits(limits, [] if seen is None else seen.ravel().tolist(), facts)
        if ticks is not None:
            names = _texts(axes.attributes.get(f"{letter}ticks"))
            same = [*map(_plain_tick, names)] == [*map(_plain_tick, ticks)]
            yield (
                PASSED
                if same
                else Outcome(0.0, "ticks", {**facts, "found": listed(names) or "none of their own"})
            )


def _judge_wording(name: str, wanted: object, node: v.AnyNode | None) -> Outcome:
    facts = {"wording": WORDINGS[name], "found": quoted(node.v) if isinstance(node, v.Text) else ""}
    if fits_wording(wanted, node):  # type: ignore[arg-type]
        return PASSED
    if wanted is False:
        return Outcome(0.0, "wording_extra", facts)
    return Outcome(0.0, "wording" if isinstance(node, v.Text) else "wording_missing", facts)


def _judge_legend(wanted: bool | list[str], node: v.AnyNode | None) -> Outcome:
    names = _texts(node)
    if not names:
        return PASSED if wanted is False else Outcome(0.0, "legend_missing")
    if wanted is False:
        return Outcome(0.0, "legend_extra")
    if isinstance(wanted, bool) or sorted(map(_plain, names)) == sorted(map(_plain, wanted)):
        return PASSED
    return Outcome(0.0, "legend", {"found": listed([quoted(name) for name in names])})


def _judge_limits(wanted: list[float | None], seen: list[float], facts: Mapping[str, str]) -> Outcome:
    if len(seen) != 2:
        return Outcome(0.0, "limits", {**facts, "found": "nowhere"})
    near = 1e-6 * abs(seen[1] - seen[0])
    fits = all(bound is None or abs(bound - found) <= near for bound, found in zip(wanted, seen, strict=True))
    return (
        PASSED if fits else Outcome(0.0, "limits", {**facts, "found": f"from {seen[0]:.4g} to {seen[1]:.4g}"})
    )


def _texts(node: v.AnyNode | None) -> list[str]:
    return [item.v for item in node.items if isinstance(item, v.Text)] if isinstance(node, v.Sequence) else []


def _plain(text: str) -> str:
    return " ".join(content.composed(text).split()).casefold()


def _plain_tick(text: str) -> str:
    return content.composed(text.strip().replace(plots.MINUS, "-"))


def _stands_on_others(artist: v.Opaque) -> bool:
    """Whether these are bars on top of others: elsewhere they would say another thing."""
    base = plots.column(artist.attributes.get("base")) if artist.sort == "bars" else None
    return base is not None and base.dtype != object and bool(np.any(base != 0))


KIND = Plot
