"""An assignment's report: the one page behind an instructor's session and behind the signed link.

Whoever opens it by the link alone reads it and each student's feedback; every other page asks to sign in.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import HTMLResponse

from grader import plots, roster
from grader.answer_groups import Alarm, alarms, groups, read_missing
from grader.api.instructor.page import WORDS, html
from grader.api.service import Service
from grader.roster import Line, Student
from grader.store import due
from grader.store.assignments import Published
from grader.store.tokens import Caller

FAULTS = 20
# Submissions that the report itself lists; whoever has the link alone has no roster to look further.
NEWEST = 15
NEWEST_BY_LINK = 500


@dataclass(frozen=True)
class Reader:
    """Who reads the report: somebody signed in, or (without ``caller``) whoever holds the signed link, which
    is over at ``until`` (seconds since 1970).
    """

    caller: Caller | None = None
    csrf: str = ""
    until: int | None = None


def page(service: Service, found: Published, reader: Reader) -> HTMLResponse:
    """What came in, how it went, and where to look first."""
    with service.store.read() as session:
        lines = roster.lines(session, found.id)
        cells = roster.cells(session, found.id)
        dates = due.of_assignment(session, found.id)
    students = roster.students(lines)
    parts = roster.part_counts(students, cells)
    suspects, unexplained, left = _suspects(service, found)
    shown = NEWEST_BY_LINK if reader.caller is None else NEWEST
    newest = sorted(lines, key=lambda line: line.created_at, reverse=True)[:shown]
    return html(
        "instructor_report.html",
        title=found.title,
        assignment=found,
        here="report",
        students=students,
        lines=lines,
        parts=parts,
        newest=newest,
        links={line.submission: _link(service, line, reader) for line in newest},
        cells=cells,
        dates=dates,
        standings_count=Counter(each.standing for each in students),
        plots=_plots(students, lines),
        bars={part.id: plots.statuses(part.statuses, WORDS) for part in parts},
        alarms=suspects,
        unexplained=unexplained,
        left=left,
        waiting=[line for line in lines if line.state in ("queued", "running")],
        faults=[line for line in lines if line.state == "parked" or line.reason][-FAULTS:],
        retried=sum(line.claims > 1 for line in lines),
        late=sum(bool(dates.is_late(each.name, each.counts.created_at)) for each in students),
        now=time.time(),
        caller=reader.caller,
        csrf=reader.csrf,
    )


def _link(service: Service, line: Line, reader: Reader) -> str:
    if reader.caller is None:
        return service.links.sign("feedback", line.submission, until=reader.until)
    return f"/submissions/{line.submission}"


def _suspects(service: Service, found: Published) -> tuple[list[Alarm], dict[str, int], int]:
    """Checks that may be wrong, how many answers no misconception explains, how much is still to be read."""
    assignment = service.assignment(found.version)
    left = read_missing(service.store, assignment)
    with service.store.read() as session:
        by_part = groups(session, assignment)
    unexplained = {
        part: sum(group.misconception is None and group.status != "error" for group in kept)
        for part, kept in by_part.items()
    }
    return alarms(by_part), unexplained, left


def _plots(students: Sequence[Student], lines: Sequence[Line]) -> list[plots.Plot]:
    scored = [each.counts for each in students if each.counts.score is not None]
    most = max((line.max_score or 0.0 for line in scored), default=0.0)
    successes = Counter(each.success for each in students if each.success is not None)
    judged = [each for each in students if each.counts.feedback is not None]
    drawn = (
        plots.scores([line.score for line in scored if line.score is not None], most),
        plots.attempts(successes, sum(each.success is None for each in judged)),
        plots.seconds([line.seconds for line in lines if line.seconds]),
    )
    return [plot for plot in drawn if plot is not None]
