"""``grader assignment due``: when an assignment is due, and for whom later."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from grader import due, show
from grader.exits import exits
from grader.receive import check_student
from grader.settings import Settings
from grader.store import Store, assignments, open_store
from grader.store import due as due_dates
from grader.store.audit import COMMAND_LINE
from grader.store.database import migrate

due_app = typer.Typer(help="When an assignment is due, and for whom later.", no_args_is_help=True)

AssignmentId = Annotated[str, typer.Argument(help="the assignment's id", show_default=False)]
When = Annotated[
    str, typer.Argument(help="ISO 8601, like 2026-12-01T23:59+01:00; without offset, name the --zone")
]
Zone = Annotated[str | None, typer.Option(help="the zone it is told in, like Europe/Vienna")]
StudentOption = Annotated[str | None, typer.Option(help="only this student: an extension")]


@due_app.command(name="set")
def set_due(assignment: AssignmentId, when: When, zone: Zone = None, student: StudentOption = None) -> None:
    """Set the due date, or one student's own."""
    with exits():
        found = due.read_due(when, zone)
        store = _store()
        with store.write() as session:
            if student is None:
                due_dates.put(session, assignment, found, by=COMMAND_LINE)
            else:
                check_student(student)
                due_dates.extend(session, assignment, student, found, by=COMMAND_LINE)
        typer.echo(f"{assignment}{f' for {student}' if student else ''}: due {due.words(found)}")


@due_app.command(name="clear")
def clear_due(assignment: AssignmentId, student: StudentOption = None) -> None:
    """Take the due date away, with every extension; or one student's extension."""
    with exits():
        store = _store()
        with store.write() as session:
            if student is None:
                due_dates.clear(session, assignment, by=COMMAND_LINE)
            else:
                due_dates.withdraw(session, assignment, student, by=COMMAND_LINE)


@due_app.command(name="show")
def show_due(
    assignment: AssignmentId,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False,
) -> None:
    """Print the due date and the extensions."""
    with exits(), _store().read() as session:
        assignments.current(session, assignment)
        found = due_dates.of_assignment(session, assignment)
        if as_json:
            own = {student: due.iso(each) for student, each in found.extensions.items()}
            told = {"due": None if found.due is None else due.iso(found.due), "extensions": own}
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            return
        rows = [("everybody", "no due date" if found.due is None else due.words(found.due))]
        show.print_rows(rows + [(student, due.words(each)) for student, each in found.extensions.items()])


def _store() -> Store:
    store = open_store(Settings())
    migrate(store.engine)
    return store
