"""Bars as inline SVG: no script, no font and no address, readable in print, their numbers also as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from grader.annotate import WORDS

WIDTH, HEIGHT = 640, 22
BINS = 10


def status_bar(title: str, statuses: Mapping[str, int]) -> Markup:
    """One bar, as wide as its place: a segment a status, as long as it is frequent. It holds no text, which
    would be stretched with it."""
    total = sum(statuses.values())
    said = ", ".join(f"{count} {WORDS.get(status, status)}" for status, count in statuses.items())
    pieces, left = [], 0.0
    for status, count in statuses.items():
        width = WIDTH * count / total
        pieces.append(
            Markup('<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="{}"/>').format(
                status, left, width, HEIGHT
            )
        )
        left += width
    return _drawing(f"{title}: {said}", WIDTH, HEIGHT, pieces, ' class="share" preserveAspectRatio="none"')


def histogram(title: str, points: Sequence[float], most: float) -> Markup:
    """How many reached how many of the ``most`` points, in ten steps; the last one holds the full marks."""
    counts = [0] * BINS
    for each in points:
        share = each / most if most > 0 else 0.0
        counts[min(max(int(BINS * share), 0), BINS - 1)] += 1
    tallest, step, room = max(counts, default=0) or 1, WIDTH / BINS, 90
    pieces = []
    for number, count in enumerate(counts):
        height, x = room * count / tallest, number * step
        pieces.append(
            Markup('<rect class="bar" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
                x + 2, room + 16 - height, step - 4, height
            )
        )
        if count:
            pieces.append(
                Markup('<text class="plain" x="{:.2f}" y="{:.2f}">{}</text>').format(
                    x + step / 2, room + 12 - height, count
                )
            )
        label = f"{100 * number // BINS}–{100 * (number + 1) // BINS} %"
        pieces.append(
            Markup('<text class="label" x="{:.2f}" y="{}">{}</text>').format(x + step / 2, room + 32, label)
        )
    said = ", ".join(
        f"{count} in step {number + 1} of {BINS}" for number, count in enumerate(counts) if count
    )
    return _drawing(f"{title}: {said}", WIDTH, room + 40, pieces)


def _drawing(said: str, width: float, height: float, pieces: Sequence[Markup], how: str = "") -> Markup:
    head = Markup('<svg role="img"{} viewBox="0 0 {} {}" aria-label="{}"><title>{}</title>')
    inner = Markup("").join(pieces)
    return head.format(Markup(how), width, height, escape(said), escape(said)) + inner + Markup("</svg>")
