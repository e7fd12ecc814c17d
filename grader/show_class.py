"""A whole class in a terminal: one row a student, and where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec
from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from checks.feedback import Feedback
from grader.local import Graded, Phases
from grader.show import COLOURS

OTHER_COLUMNS = 32  # characters for points, run and the rules between
# One letter or sign a status: a class of forty students and ten parts fits a terminal.
SIGNS = {
    "correct": "✓",
    "partial": "½",
    "incorrect": "✗",
    "not_attempted": "·",
    "error": "E",
    "ungraded": " ",
    "needs_review": "H",
    "unjudged": "?",
}
# Entries stand side by side as there is room, each whole.
LEGEND = Columns(
    [
        "✓ correct", "½ partial", "✗ incorrect", "· not attempted", "E error", "H marked by hand",
        "? not judged",
    ],
    padding=(0, 2),
)  # fmt: skip


class Line(msgspec.Struct, frozen=True):
    """One notebook: what it came to and where its time went."""

    student: str
    feedback: Feedback
    phases: Phases
    peak_bytes: int | None

    @classmethod
    def of(cls, student: str, result: Graded) -> Line:
        """As far as it is shown here; evidence and outputs are left to be forgotten."""
        return cls(student, result.feedback, result.phases, result.peak_bytes)


def results(lines: Sequence[Line], width: int = 100) -> Table:
    """Everybody's points and parts; the last row says how many of each part are right.

    Where the parts' names are too long for ``width`` characters, numbers stand for them, told below.
    """
    parts = [part for part in lines[0].feedback.parts if part.status != "ungraded"]
    names = max(len(line.student) for line in lines)
    if names + sum(len(part.id) + 3 for part in parts) + OTHER_COLUMNS > width:
        return _narrow(lines, [part.id for part in parts])
    made = Table(title=Text("The class", style="bold"), title_justify="left", show_edge=False)
    made.add_column("student", overflow="fold")
    made.add_column("points", justify="right", no_wrap=True)
    for part in parts:
        made.add_column(Text(part.id), justify="center", no_wrap=True)
    made.add_column("run", no_wrap=True)
    for line in lines:
        made.add_row(
            Text(line.student), _points(line.feedback), *_signs(line.feedback), line.feedback.run.status
        )
    made.add_section()
    right = [str(sum(_is_right(line.feedback, part.id) for line in lines)) for part in parts]
    made.add_row(Text(f"right, of {len(lines)}", style="bold"), "", *right, "")
    return made


def _narrow(lines: Sequence[Line], parts: Sequence[str]) -> Table:
    """One column of numbers and signs for all parts."""
    made = Table(title=Text("The class", style="bold"), title_justify="left", show_edge=False)
    made.caption = ", ".join(f"{number} {part}" for number, part in enumerate(parts, start=1))
    made.caption_justify = "left"
    made.add_column("student", overflow="fold")
    made.add_column("points", justify="right", no_wrap=True)
    made.add_column(_row_of(range(1, len(parts) + 1)), no_wrap=True)
    made.add_column("run", no_wrap=True)
    for line in lines:
        signs = Text(" ").join(Text(" ") + sign for sign in _signs(line.feedback))
        made.add_row(Text(line.student), _points(line.feedback), signs, line.feedback.run.status)
    made.add_section()
    right = [sum(_is_right(line.feedback, part) for line in lines) for part in parts]
    made.add_row(Text(f"right, of {len(lines)}", style="bold"), "", _row_of(right), "")
    return made


def _row_of(numbers: Iterable[int]) -> str:
    return " ".join(f"{number:>2}" for number in numbers)


def timings(lines: Sequence[Line], *, start: float, reference: float) -> Table:
    """Seconds by phase and notebook, the most memory; then median and sum. The sandbox starts once."""
    title = f"Seconds: sandbox started in {start:.2f}, reference run {reference:.2f}"
    made = Table(title=Text(title, style="bold"), title_justify="left", show_edge=False)
    made.add_column("notebook", overflow="fold")
    for heading in ("waiting", "cells", "values", "judging", "all", "MiB"):
        made.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        memory = "" if line.peak_bytes is None else f"{line.peak_bytes / (1 << 20):.0f}"
        made.add_row(Text(line.student), *_seconds(_row(line.phases)), memory)
    made.add_section()
    columns = list(zip(*(_row(line.phases) for line in lines), strict=True))
    made.add_row(Text("median", style="bold"), *_seconds([median(column) for column in columns]), "")
    made.add_row(Text("sum", style="bold"), *_seconds([sum(column) for column in columns]), "")
    return made


def _is_right(feedback: Feedback, part: str) -> bool:
    return any(one.id == part and one.status == "correct" for one in feedback.parts)


def _row(phases: Phases) -> list[float]:
    each = [phases.waiting, phases.cells, phases.values, phases.judging]
    return [*each, sum(each)]


def _seconds(figures: Sequence[float]) -> list[str]:
    return [f"{figure:.3f}" for figure in figures]


def _points(feedback: Feedback) -> str:
    open_ = any(part.status == "unjudged" for part in feedback.parts)
    return "?" if open_ else f"{feedback.score:g}/{feedback.max_score:g}"


def _signs(feedback: Feedback) -> list[Text]:
    shown = [part.status for part in feedback.parts if part.status != "ungraded"]
    return [Text(SIGNS.get(status, status), style=COLOURS.get(status, "")) for status in shown]
