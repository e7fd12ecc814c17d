"""A class's pages: ``index.html`` and a page a student, each in one file without any outside address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbformat.reader import NotJSONError

from checks.feedback import Feedback
from grader.annotate import TAG, WORDS, annotated
from grader.folder_report import charts
from grader.folder_report.reading import ORDER, ClassReport, Entry
from grader.keep import OutError
from grader.markdown import rendered
from grader.notebook_page import highlight_css, notebook_html

INDEX, STUDENTS = "index.html", "students"
GENERATOR = "grader report"
# Nothing is loaded, nothing runs; pictures are data of the page itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_BAD_NOTEBOOK = (NotJSONError, nbformat.ValidationError, UnicodeDecodeError, KeyError, AttributeError)


def write_report(report: ClassReport, out: Path) -> Iterator[Path]:
    """Write the pages into the folder ``out``, yielding each when it is there, the index last.

    Raises OutError where a file cannot be written, or where ``out`` has an index that is not ours.
    """
    _spare(out / INDEX)
    pages = _environment()
    for entry in report.entries:
        yield _write(out / STUDENTS / f"{entry.page}.html", _student(pages, report, entry))
    yield _write(out / INDEX, _index(pages, report))


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("grader.folder_report"), autoescape=True, undefined=StrictUndefined
    )
    made.globals |= {"policy": POLICY, "generator": GENERATOR, "words": WORDS, "tag": TAG}
    made.filters |= {"markdown": rendered, "total": _total}
    return made


def _index(pages: Environment, report: ClassReport) -> str:
    known = [each.points for each in report.entries if each.points is not None]
    most = report.entries[0].feedback.max_score
    return pages.get_template("index.html").render(
        report=report,
        students=STUDENTS,
        most=most,
        known=known,
        occurring=[name for name in ORDER if any(name in part.statuses for part in report.parts)],
        bars={part.id: charts.status_bar(part.title, part.statuses) for part in report.parts},
        spread=charts.histogram("Points", known, most),
    )


def _student(pages: Environment, report: ClassReport, entry: Entry) -> str:
    return pages.get_template("student.html").render(
        report=report, entry=entry, notebook=_notebook(entry), highlight=Markup(highlight_css()), index=INDEX
    )


def _notebook(entry: Entry) -> Markup | None:
    """The executed notebook with the feedback beside its cells; None where there is none to be shown."""
    if entry.executed is None:
        return None
    try:
        return notebook_html(annotated(entry.executed, entry.feedback))
    except _BAD_NOTEBOOK:
        return None


def _total(feedback: Feedback) -> str:
    statuses = {part.status for part in feedback.parts}
    if "unjudged" in statuses:
        return "not yet judged"
    so_far = " so far" if "needs_review" in statuses else ""
    return f"{feedback.score:g} of {feedback.max_score:g}{so_far}"


def _spare(index: Path) -> None:
    """An index that somebody else wrote stays."""
    try:
        if index.exists() and f'content="{GENERATOR}"' not in index.read_text(errors="replace"):
            raise OutError(f"{index} is there and is no report of ours; choose another --html")
    except OSError as error:
        raise OutError(f"{index}: {error.strerror}") from error


def _write(path: Path, page: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutError(f"{path}: {error.strerror}") from error
    return path
