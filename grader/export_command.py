"""``grader export``: grades and comments as other systems read them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from checks.assignment import Assignment
from checks.feedback import Feedback, student_view
from grader import due, regrade, show
from grader.bundles import read_bundle
from grader.exits import exits
from grader.exporters import Grade, Order, export, exporter, formats
from grader.gather import GatherError
from grader.grades import of_folder, stored, titled
from grader.keep import write_file
from grader.offer import offered
from grader.settings import Settings
from grader.store import Store, assignments, open_store
from grader.store import due as due_dates
from grader.store.database import migrate

UNFILTERED = (
    "the comments hold everything, also what the assignment keeps from students: "
    "give its folder with --assignment to leave that out"
)


def export_grades(
    source: Annotated[str, typer.Argument(help="a folder of grade --out, or an assignment's id")],
    *,
    wanted: Annotated[str, typer.Option("--format", "-f", help=" | ".join(formats()))] = "plain",
    template: Annotated[
        Path | None,
        typer.Option(help="for canvas and moodle: the gradebook or worksheet downloaded there, to fill in"),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="the column to fill in, if its header is not the assignment's title")
    ] = None,
    assignment: Annotated[
        Path | None,
        typer.Option(
            "--assignment", "-a", help="of a folder: the assignment's, to know what students may see"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="file to write; stdout when left out")
    ] = None,
) -> None:
    """Write grades for a spreadsheet or a learning system; who is left out is told, with the reason."""
    with exits():
        tell = show.remarks(show.progress_output())
        if Path(source).is_dir():
            grades, title = of_folder(Path(source), _view(assignment)), titled(Path(source))
            if assignment is None and exporter(wanted).FOR_STUDENTS:
                tell(UNFILTERED)
        else:
            grades, title = _stored(source)
        order = Order(title, None if template is None else _read(template), column)
        made = export(wanted, grades, order)
        for remark in made.remarks:
            tell(remark)
        if out is not None:
            write_file(out, made.content)
            tell(f"{out}: grades of {made.students} {'student' if made.students == 1 else 'students'}")
            return
        sys.stdout.buffer.write(made.content)


def _view(folder: Path | None) -> Callable[[Feedback], Feedback]:
    """What students may see of a feedback, without a due date; without the assignment all."""
    if folder is None:
        return lambda judged: judged
    known = Assignment.from_files(read_bundle(folder), offered())
    return lambda judged: student_view(judged, known)


def _stored(assignment_id: str) -> tuple[list[Grade], str]:
    """The grades of the service's assignment, and its title; raises UnknownAssignmentError."""
    store = open_store(Settings())
    migrate(store.engine)
    with store.read() as session:
        found, title = stored(session, assignment_id), assignments.current(session, assignment_id).title
        dates = due_dates.of_assignment(session, assignment_id)
    version_of = _versions(store)
    return [
        each.grade(lambda judged: due.seen(judged, version_of(judged.assignment.version), dates))
        for each in found
    ], title


def _versions(store: Store) -> Callable[[str], Assignment]:
    @cache
    def version_of(version: str) -> Assignment:
        return regrade.load(store, version).assignment

    return version_of


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GatherError(f"{path}: {error.strerror}") from error
