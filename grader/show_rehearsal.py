"""A rehearsal in a terminal: what ran, what the parts cost, what was found."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.authoring.rehearse import Played, Rehearsal

COLOURS = {"error": "red", "warning": "yellow"}


def print_rehearsal(result: Rehearsal, out: Console) -> None:
    """Three tables and a sentence."""
    out.print(
        Text(f"{result.assignment}: {result.points:g} points, version {result.version[:19]}", style="bold")
    )
    out.print()
    out.print(_played(result))
    out.print()
    out.print(_parts(result))
    out.print()
    for finding in result.findings:
        head = Text(f"{finding.level:7}", style=COLOURS[finding.level])
        what = f"  {finding.where}: {finding.what} ({finding.code})"
        out.print(Text.assemble(head, what), soft_wrap=True)
    out.print(_sum(result))


def _played(result: Rehearsal) -> Table:
    made = Table(show_edge=False, expand=True)
    for heading in ("run", "name", "ended"):
        made.add_column(heading, no_wrap=True)
    made.add_column("seconds", justify="right", no_wrap=True)
    made.add_column("MiB", justify="right", no_wrap=True)
    made.add_column("verdicts", ratio=1)
    for each in result.played:
        memory = "" if each.peak_mib is None else f"{each.peak_mib:.0f}"
        verdict = Text(
            "as it must be" if each.ok else "NOT AS IT MUST BE", style="green" if each.ok else "red"
        )
        verdict.append(f"  {_statuses(each)}", style="dim")
        made.add_row(each.sort, Text(each.name), each.run, f"{each.seconds:.2f}", memory, verdict)
    return made


def _statuses(each: Played) -> str:
    return ", ".join(f"{part} {status}" for part, status in each.statuses.items() if status != "ungraded")


def _parts(result: Rehearsal) -> Table:
    made = Table(show_edge=False)
    made.add_column("part", no_wrap=True)
    made.add_column("title")
    for heading in ("points", "checks", "misconceptions", "hints", "judging ms", "at most"):
        made.add_column(heading, justify="right", no_wrap=True)
    for part in result.parts:
        figures = (part.points, part.checks, part.misconceptions, part.hints)
        times = (f"{part.judging_ms:.1f}", f"{part.judging_most_ms:.1f}") if part.checks else ("", "")
        made.add_row(Text(part.id), Text(part.title), *(f"{each:g}" for each in figures), *times)
    return made


def _sum(result: Rehearsal) -> str:
    runs = {(each.name, each.seconds): each for each in result.played}.values()
    seconds = sum(each.seconds for each in runs)
    memory = max((each.peak_mib for each in runs if each.peak_mib is not None), default=None)
    most = "" if memory is None else f", {memory:.0f} MiB at most"
    fine = sum(each.ok for each in result.played)
    return (
        f"{fine} of {len(result.played)} as they must be, {_count(result.errors, 'error')}, "
        f"{_count(result.warnings, 'warning')}; {seconds:.1f} s of runs{most}"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
