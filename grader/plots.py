"""Drawings of a report, made on the server: SVG that stands in a page, and the same numbers as a table.

Text and axes take the page's own colour (``currentColor``), areas a class a status (``c-correct`` …) that the
page's style sheet colours; their own fill is a middle tone that stands on white and on black, for a page
without the sheet. Equal numbers give equal bytes: no date, ids from a fixed salt.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#010203"  # stands for currentColor
TONES = {
    "correct": "#2f8f5b",
    "partial": "#c08a1e",
    "incorrect": "#c94f48",
    "error": "#a5505f",
    "not_attempted": "#8a94a3",
    "needs_review": "#8667cf",
    "unjudged": "#64748b",
    "ungraded": "#5b84cc",
    "plain": "#4f7fd0",
}
WIDTH = 4.6  # inches; a page shows drawings about as wide, so that letters keep their size
MOST_BINS = 20
LETTERS = 52  # as many fit below a drawing


class Plot(msgspec.Struct, frozen=True):
    """A drawing with its title, what it shows in a sentence, and its numbers as a table."""

    name: str
    title: str
    description: str
    svg: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def scores(found: Sequence[float], most: float) -> Plot | None:
    """How many students have how many points, of ``most``; None where nobody has any yet."""
    if not found or most <= 0:
        return None
    edges = _edges(most)
    counts = _counted(found, edges)
    whole = all(score == int(score) for score in found) and most <= MOST_BINS
    labels = [f"{edge:g}" for edge in edges[:-1]] if whole else _spans(edges)
    middle = median(found)
    return _bars(
        "scores",
        "Scores",
        f"Scores of {len(found)} students, of {most:g} points. Mean {fmean(found):.3g}, median {middle:g}.",
        ("points", "students"),
        tuple(zip(labels, counts, strict=True)),
    )


def attempts(successes: Mapping[int, int], without: int) -> Plot | None:
    """After how many submissions students had every point; ``without``: they have not, so far."""
    if not successes and not without:
        return None
    last = max(successes, default=1)
    rows = [(str(number), successes.get(number, 0)) for number in range(1, min(last, MOST_BINS) + 1)]
    late = sum(count for number, count in successes.items() if number > MOST_BINS)
    rows += [(f"> {MOST_BINS}", late)] if late else []
    reached = sum(successes.values())
    return _bars(
        "attempts",
        "Submissions until the full score",
        f"{reached} students reached the full score, {without} have not yet.",
        ("submissions", "students"),
        (*rows, ("not yet", without)),
        tones=("correct",) * len(rows) + ("not_attempted",),
    )


def seconds(found: Sequence[float]) -> Plot | None:
    """How long runs took."""
    if not found:
        return None
    bounds = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
    kept = [*[bound for bound in bounds if bound <= max(found)], float("inf")]
    counts = _counted(found, kept)
    labels = [f"{low:g}–{high:g}" for low, high in pairwise(kept)]
    labels[-1] = f"≥ {kept[-2]:g}"
    middle = median(found)
    return _bars(
        "seconds",
        "Time of a run",
        f"{len(found)} runs; the middle one took {middle:.3g} s, the longest {max(found):.3g} s.",
        ("seconds", "runs"),
        tuple(zip(labels, counts, strict=True)),
    )


@lru_cache(maxsize=512)
def _bar(counts: tuple[tuple[str, int], ...]) -> Markup:
    whole, place, drawn = sum(count for _, count in counts), 0.0, ""
    for status, count in counts:
        width = 100 * count / whole
        fill = f'class="c-{status}" fill="{TONES[status]}"'
        drawn += f'<rect {fill} x="{place:.3f}" y="0" width="{width:.3f}" height="1"/>'
        place += width
    frame = 'viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false"'
    return Markup(f'<svg class="bar" xmlns="http://www.w3.org/2000/svg" {frame}>{drawn}</svg>')


def statuses(counts: Mapping[str, int], order: Iterable[str]) -> Markup | None:
    """One part's statuses as a bar that is as wide as its place; it has no text, since the numbers stand
    beside it. None where there are none."""
    found = tuple((status, counts[status]) for status in order if counts.get(status))
    return _bar(found) if found else None


def _edges(most: float) -> list[float]:
    """One bin a point where there are few points, else ten of equal width; the last has the full score."""
    if most <= MOST_BINS and most == int(most):
        return [float(edge) for edge in range(int(most) + 2)]
    return [most * tenth / 10 for tenth in range(10)] + [most, float("inf")]


def _counted(found: Sequence[float], edges: Sequence[float]) -> list[int]:
    return [sum(low <= each < high for each in found) for low, high in pairwise(edges)]


def _spans(edges: Sequence[float]) -> list[str]:
    """The bins by their edges; the last one is the full score (and what bonus parts give on top)."""
    spans = [f"{low:.3g}–{high:.3g}" for low, high in pairwise(edges)]
    return [*spans[:-1], f"{edges[-2]:g}"]


def _bars(
    name: str,
    title: str,
    description: str,
    axes: tuple[str, str],
    rows: tuple[tuple[str, int], ...],
    *,
    tones: tuple[str, ...] | None = None,
) -> Plot:
    svg = _columns(name, axes, rows, tones or ("plain",) * len(rows))
    return Plot(name, title, description, svg, axes, tuple((label, str(count)) for label, count in rows))


@lru_cache(maxsize=256)
def _columns(
    name: str, axes: tuple[str, str], rows: tuple[tuple[str, int], ...], tones: tuple[str, ...]
) -> Markup:
    def draw(plot: Axes) -> None:
        made = plot.bar(range(len(rows)), [count for _, count in rows], width=0.82)
        for patch, tone in zip(made, tones, strict=True):
            _paint(patch, tone)
        for place, (_, count) in enumerate(rows):
            if count:
                plot.annotate(
                    str(count), (place, count), (0, 3), textcoords="offset points", ha="center",
                    color=INK, fontsize=11,
                )  # fmt: skip
        plot.set_xticks(*_labelled([label for label, _ in rows]))
        plot.set_yticks([])
        plot.margins(y=0.16)
        plot.set_xlabel(axes[0])
        for side in ("left", "top", "right"):
            plot.spines[side].set_visible(False)

    return _drawn(name, draw, (WIDTH, 2.4))


def _labelled(labels: Sequence[str]) -> tuple[list[int], list[str]]:
    """The places that get their label: every one, or every second, third … and the last, as there is room."""
    slot, last = LETTERS / len(labels), len(labels) - 1

    def fits(left: int, right: int) -> bool:
        return (right - left) * slot >= (len(labels[left]) + len(labels[right])) / 2 + 1

    for step in range(1, len(labels)):
        places = [*(place for place in range(0, last, step) if fits(place, last)), last]
        if all(fits(*pair) for pair in pairwise(places)):
            return places, [labels[place] for place in places]
    return [last], [labels[last]]


def _paint(patch: object, tone: str) -> None:
    patch.set_facecolor(TONES[tone])  # type: ignore[attr-defined]
    patch.set_gid(f"c-{tone}")  # type: ignore[attr-defined]


# matplotlib's settings are the process's own, and routes run in threads.
_TURN = threading.Lock()


def _drawn(name: str, draw: Callable[[Axes], None], size: tuple[float, float]) -> Markup:
    from matplotlib import rc_context  # noqa: PLC0415 - more than a second, for few
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    colours = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings = {"svg.fonttype": "none", "svg.hashsalt": f"grader/{name}", "font.size": 11}
    with _TURN, rc_context(settings | dict.fromkeys(colours, INK)):  # type: ignore[arg-type] # names as texts
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        axes.tick_params(length=0)
        draw(axes)
        raw = io.StringIO()
        figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    return Markup(_for_pages(raw.getvalue()))


_DROPPED = re.compile(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r' style="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_FONT = re.compile(r"(?:(bold|\d{3}) )?([\d.]+)px\b.*", re.DOTALL)


def _for_pages(svg: str) -> str:
    """The drawing to stand inside HTML whose policy forbids inline styles: these become attributes.

    A drawing's name and description are the page's (``figure``), so that it hides itself from screen readers.
    """
    svg = _DROPPED.sub("", svg[svg.index("<svg") :])
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = _STYLE.sub(lambda found: _attributes(found[1]), svg)
    svg = _ID.sub(lambda found: _identity(found[1], used), svg)
    svg = " ".join(svg.split())
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _attributes(style: str) -> str:
    made = ""
    for each in style.split(";"):
        name, _, value = (piece.strip() for piece in each.partition(":"))
        font = _FONT.fullmatch(value) if name == "font" else None
        if font is not None:
            made += f' font-size="{font[2]}"' + (f' font-weight="{font[1]}"' if font[1] else "")
        elif name not in ("", "font", "font-family"):  # the page's own letters
            made += f' {name}="{escape(value)}"'
    return made


def _identity(name: str, used: set[str]) -> str:
    if name.startswith("c-"):
        return f' class="{name}"'
    return f' id="{name}"' if name in used else ""
