"""Moodle's offline grading worksheet: the downloaded file with grades and comments, else the same bytes.

The columns' headers are in the language of whoever downloaded the file, and Moodle finds them by these words,
so every header, and the time of the last modification, is given back as it came. Rows are found by
``Participant <number>`` (the number of a submission's folder), else by login or name; a team's submission by
its group. Comments are HTML, as Moodle keeps them.
(``mod/assign/gradingtable.php``, ``mod/assign/feedback/offline`` and ``lib/csvlib.class.php`` of Moodle)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import escape

from grader.exporters import Export, Grade, Order
from grader.exporters.participants import Participants
from grader.exporters.students import Claims, matched
from grader.exporters.tables import Table, decimal, latest, number, scaled, without_grade
from grader.exporters.worksheet import TIME, YES, Columns, columns, options
from grader.markdown import rendered

FORMAT = "Moodle grading worksheet"
TEMPLATE = True
FROM = "the assignment's submissions, Download grading worksheet"
FOR_STUDENTS = True

# The only times that Moodle itself can read again.
_ENGLISH_TIME = re.compile(r"\s*(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,.*", re.DOTALL)
# How our comments begin.
_OURS = re.compile(r"\s*<p><strong>[^<]*</strong>: ")


def export(grades: Sequence[Grade], order: Order) -> Export:
    """The worksheet filled in; raises ExportError. What has no grade, or is locked, stays as it is."""
    assert order.template is not None
    table = Table(order.template)
    at = columns(table, order.column)
    participants, claims = Participants(table, at), Claims()
    doubts, left, foreign = [], [], False
    for grade, match in matched(latest(grades), participants.match):
        if match.problem:
            left.append(f"{grade.student}: {match.problem}")
        elif grade.score is None:
            left.append(f"{grade.student}: {without_grade(grade)}; the row stays as it is")
        elif other := claims.taken(match.rows, grade.student):
            left.append(f"{grade.student}: that row has the grade of {other} already; not exported")
        else:
            for row in match.rows:
                left += _fill(table, at, row, grade)
            written = [table.rows[row] for row in match.rows if row in table.changed]
            if match.doubt and written:
                shown = ", ".join(cells[at.name or 0] for cells in written)
                doubts.append(f"{grade.student}: written to {shown}, {match.doubt}; please check")
            foreign = foreign or any(_unreadable_time(cells, at) for cells in written)
    if at.maximum is None and at.scale is None:
        doubts.append("no maximum was found beside the grades: points are written as they are; please check")
    remarks = doubts + left + _for_the_upload(table, foreign)
    return Export(
        table.written(), "text/csv; charset=utf-8", "moodle.csv", tuple(remarks), len(table.changed)
    )


def _fill(table: Table, at: Columns, row: int, grade: Grade) -> list[str]:
    """Write one row; what a person should know of it."""
    cells, remarks = table.rows[row], []
    if at.changeable is not None and cells[at.changeable].strip().casefold() not in YES:
        return [f"{grade.student}: Moodle has locked the grade; the row stays as it is"]
    maximum = None if at.maximum is None else decimal(cells[at.maximum])
    if at.maximum is not None and maximum is None:
        return [f"{grade.student}: Moodle's maximum is not in the row; it stays as it is"]
    score = scaled(grade, maximum)
    assert score is not None
    if at.scale is not None and number(score) not in options(cells[at.scale]):
        return [f"{grade.student}: {number(score)} is not on Moodle's scale; the row stays as it is"]
    if maximum is not None and score > maximum:
        much = f"{number(score)} points are more than Moodle takes"
        remarks.append(f"{grade.student}: {much}; written as {number(maximum)}")
        score = maximum
    text = number(score)
    table.put(row, at.grade, text.replace(".", at.decimal_mark))
    if at.comments is not None:
        text = comment(grade)
        theirs = cells[at.comments].strip() and not _OURS.match(cells[at.comments])
        if theirs and text:
            remarks.append(f"{grade.student}: a comment that somebody wrote in Moodle is replaced")
        if text or not theirs:
            table.put(row, at.comments, text)
    return remarks


def comment(grade: Grade) -> str:
    """What a student reads beside the grade, as HTML: a paragraph for each part, and its message.

    Backslashes are spelled as character references: Moodle's CSV reader takes one before a quotation mark for
    an escape, and loses the rows behind it.
    """
    made = []
    for part in grade.parts:
        if not part.hidden:
            points = "" if part.score is None else f" ({number(part.score)}/{number(part.max_score)})"
            words = escape(part.status.replace("_", " "))
            made.append(f"<p><strong>{escape(part.title)}</strong>: {words}{points}</p>")
            made.append(rendered(part.message).strip())
    return "".join(made).replace("\\", "&#92;")


def _for_the_upload(table: Table, foreign: bool) -> list[str]:
    """What has to be chosen in Moodle when the file is uploaded there."""
    told = []
    if table.separator != ",":
        told.append("the cells are not separated by commas: choose their separator when you upload the file")
    if foreign:
        told.append(
            "some rows had a grade in Moodle already, and it reads the time of that in English only: tick "
            "“Allow updating records that have been modified more recently in Moodle than in the "
            "spreadsheet” when you upload the file, else Moodle passes over these rows without a word"
        )
    return told


def _unreadable_time(cells: Sequence[str], at: Columns) -> bool:
    return (
        at.modified is not None
        and TIME.fullmatch(cells[at.modified]) is not None
        and _ENGLISH_TIME.fullmatch(cells[at.modified]) is None
    )
