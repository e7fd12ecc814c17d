"""Feedback in a terminal: the readable table of results and messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import msgspec
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from grader.regrade import Preview

PLAIN_WIDTH = 120
MANY_A_SECOND = 10
COLOURS = {
    "correct": "green",
    "partial": "yellow",
    "incorrect": "red",
    "error": "red",
    "not_attempted": "dim",
    "ungraded": "dim",
    "needs_review": "cyan",
    "unjudged": "magenta",
}


class ShownPart(msgspec.Struct):
    """What the table needs of a part of a ``feedback/1`` document."""

    id: str
    status: str
    score: float
    max_score: float
    message: str | None = None


class ShownRun(msgspec.Struct):
    """How the run went."""

    status: str


class Shown(msgspec.Struct):
    """What the table needs of a ``feedback/1`` document."""

    run: ShownRun
    score: float
    max_score: float
    parts: list[ShownPart]


def read(document: bytes) -> Shown:
    """A ``feedback/1`` document as far as it is shown here."""
    return msgspec.json.decode(document, type=Shown)


def output() -> Console:
    """Where results go: plain text of a fixed width unless a person looks at it."""
    return Console(
        width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", PLAIN_WIDTH)), highlight=False
    )


def progress_output() -> Console:
    """Where progress and remarks go: never where the results go."""
    return Console(stderr=True, highlight=False)


def remarks(console: Console) -> Callable[[str], None]:
    """Prints one remark a line, as it is: a file's name may hold what looks like markup."""
    return lambda line: console.print(f"· {line}", soft_wrap=True, markup=False)


def columns() -> tuple[ProgressColumn, ...]:
    """What every progress bar shows: what is done, how much of it, since when."""
    return (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )


class RateColumn(ProgressColumn):
    """How many are done in a minute (or a second, where they are many), by the last ones; empty before the
    first."""

    def render(self, task: Task) -> Text:
        """The column's text for one bar."""
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        return Text(f"{speed:.0f}/s" if speed >= MANY_A_SECOND else f"{60 * speed:.3g}/min", style="dim")


@contextmanager
def share(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with rate, time elapsed and remaining, while nothing else is written; call what it
    gives with how many are done, and of how many: it begins with the first call. It stays away where nobody
    looks."""
    with ExitStack() as stack:
        bar = _bar(progress_output())
        task = bar.add_task(what, total=None, start=False)

        def tell(done: int, total: int) -> None:
            if not bar.live.is_started and not bar.disable:
                bar.start_task(task)
                stack.enter_context(bar)
            bar.update(task, completed=done, total=total)

        yield tell


@contextmanager
def counter(what: str, total: int, above: Console | None = None) -> Iterator[Callable[[], None]]:
    """A bar with rate, time elapsed and remaining; call what it gives after each one that is done.

    It is drawn on stderr, or, where results are printed meanwhile to a terminal, below them: by the console
    ``above`` that prints them. It stays away where nobody looks.
    """
    with _bar(above if above is not None and above.is_terminal else progress_output()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def _bar(console: Console) -> Progress:
    return Progress(
        *columns(),
        RateColumn(),
        TimeRemainingColumn(),
        TextColumn("left", style="dim"),
        console=console,
        disable=not console.is_terminal,
        # Rich would send what is written to stdout to the bar's console.
        redirect_stdout=False,
        redirect_stderr=False,
        transient=True,
    )


def table(title: str, shown: Shown, *, remarks: Iterable[str] = ()) -> Table:
    """One submission's parts; ``remarks``, where given, is one more column."""
    notes = list(remarks)
    heading = f"{title}: {_points(shown)}, {shown.run.status}"
    made = Table(title=Text(heading, style="bold"), title_justify="left", expand=True, show_edge=False)
    made.add_column("part", no_wrap=True)
    made.add_column("status", no_wrap=True)
    made.add_column("points", justify="right", no_wrap=True)
    made.add_column("message", ratio=1)
    if notes:
        made.add_column("expected", no_wrap=True)
    for number, part in enumerate(shown.parts):
        row: list[RenderableType] = [
            Text(part.id),
            Text(part.status, style=COLOURS.get(part.status, "")),
            Text(_part_points(part)),
            Markdown(part.message or ""),
        ]
        made.add_row(*row, *([Text(notes[number])] if notes else []))
    return made


def moves(preview: Preview) -> Table:
    """A regrade's preview: how the marks of each part move, and what makes the difference."""
    made = Table(show_edge=False, expand=True)
    made.add_column("part", no_wrap=True)
    for heading in ("rise", "fall", "other"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("by", ratio=1)
    for part in preview.parts:
        causes = sorted(part.causes.items(), key=lambda each: (-each[1], each[0]))
        why = "\n".join(f"{count} × {cause}" for cause, count in causes)
        made.add_row(Text(part.part), str(part.rises), str(part.falls), str(part.other), Text(why))
    return made


def _points(shown: Shown) -> str:
    if any(part.status == "unjudged" for part in shown.parts):
        return "not yet judged"
    return f"{shown.score:g} of {shown.max_score:g} points"


def _part_points(part: ShownPart) -> str:
    if not part.max_score or part.status == "unjudged":
        return ""
    return f"{part.score:g}/{part.max_score:g}"


def print_rows(rows: Iterable[tuple[object, ...]]) -> None:
    """Print a table without lines or heads."""
    found = [tuple(map(str, row)) for row in rows]
    table = Table(show_header=False, show_edge=False, box=None)
    for place in range(max(map(len, found), default=0)):
        # The first column names what the others tell of: it is copied into other commands, and never cut.
        table.add_column(
            no_wrap=place == 0, min_width=max(len(row[0]) for row in found) if not place else None
        )
    for cells in found:
        table.add_row(*cells)
    output().print(table)
