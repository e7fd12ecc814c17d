"""``grader assignment rehearse`` and ``push``: an assignment before and when it goes to students."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from checks.assignment import Assignment
from grader import show, show_rehearsal
from grader.authoring.plays import distinct, material, plays
from grader.authoring.push import push
from grader.authoring.rehearse import Rehearsal, rehearse
from grader.bundles import read_bundle
from grader.exits import Exit, exits
from grader.local import LocalGrader
from grader.settings import Settings

Folder = Annotated[Path, typer.Argument(help="the assignment's folder", show_default=False)]


def rehearse_assignment(
    folder: Folder,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="the findings as one JSON object")] = False,
    samples_only: Annotated[
        bool, typer.Option("--samples-only", help="run only the sample submissions")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="warnings count as errors")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="notebooks run at once")] = 1,
) -> None:
    """Run reference, starter, test cells and samples; tell what is not as it should be."""
    with exits():
        files = read_bundle(folder)
        talk = show.progress_output()
        grader = LocalGrader(Settings(), files)
        found = material(folder, files, grader.assignment)
        total = distinct(plays(found, grader.assignment, samples_only=samples_only))
        talk.print(f"· {total} notebooks; starting the sandbox")
        with grader, show.counter("rehearsed", total) as advance:
            result = rehearse(found, grader, samples_only=samples_only, jobs=jobs, done=advance)
        if as_json:
            sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        else:
            show_rehearsal.print_rehearsal(result, show.output())
        code = _code(result, strict=strict)
        if code:
            raise typer.Exit(code)


def _code(result: Rehearsal, *, strict: bool) -> Exit:
    errors = {finding.code for finding in result.findings if finding.level == "error"}
    if errors == {"not_run"}:
        return Exit.NOT_GRADED
    return Exit.USAGE if errors or (strict and result.findings) else Exit.OK


def push_assignment(
    folder: Folder,
    server: Annotated[
        str, typer.Option(envvar="GRADER_SERVER", help="the service's address", show_default=False)
    ],
    token: Annotated[
        str, typer.Option(envvar="GRADER_TOKEN", help="an instructor's token", show_default=False)
    ],
) -> None:
    """Put an assignment in force at a running service, over HTTP."""
    with exits():
        files = read_bundle(folder)
        # Which environments and shims there are is for the service to say.
        Assignment.from_files(files)
        pushed = push(files, server, token)
        typer.echo(f"{pushed.id}: version {pushed.version}")
