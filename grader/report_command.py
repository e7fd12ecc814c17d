"""``grader report``: the pages of a class that was graded without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader import show
from grader.exits import exits
from grader.folder_report import INDEX, read_folder, write_report


def report_folder(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="a folder of grade --out", show_default=False)
    ],
    html: Annotated[
        Path, typer.Option("--html", help="the folder to write the pages to", show_default=False)
    ],
) -> None:
    """Write a graded class as pages that open in any browser, offline."""
    with exits():
        report = read_folder(folder)
        with show.counter("pages", len(report.entries) + 1) as advance:
            for _page in write_report(report, html):
                advance()
        typer.echo(str(html / INDEX))
