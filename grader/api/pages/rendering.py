"""From templates to answers: the words of statuses, the filters, the headers of every page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader import due
from grader.api.links import LinkRefusedError
from grader.markdown import rendered
from grader.store.due import Due

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
# Nothing inline, nothing of other hosts; forms and frames are ours alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PRIVATE = {
    # A form's POST must tell its origin to this service, and to nobody else.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}
HEADERS = {"Content-Security-Policy": POLICY, **PRIVATE}
STATUS_WORDS = {
    "correct": "correct",
    "partial": "partly correct",
    "incorrect": "not correct yet",
    "not_attempted": "not attempted",
    "error": "stopped by an error",
    "ungraded": "to think about",
    "needs_review": "a person will mark this",
    "unjudged": "not yet judged",
}
RUN_WORDS = {
    "completed": "The notebook ran from top to bottom.",
    "cell_error": "A cell of the notebook raised an error.",
    "time_limit": "The notebook ran longer than the time limit and was stopped.",
    "out_of_memory": "The notebook needed more memory than the limit and was stopped.",
    "output_limit": "The notebook printed more than the limit and was stopped.",
    "kernel_died": "The notebook's kernel died.",
    "rejected": "The file could not be run.",
    "system_error": "Something went wrong on our side. It is no fault of yours and costs no points.",
}


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template of ``templates/`` filled in, as an answer that no cache keeps."""
    return HTMLResponse(fill(template, **values), status, headers=HEADERS)


def refusal(status: int, title: str, text: str) -> HTMLResponse:
    """A page that says why there is nothing to see."""
    return page("message.html", status, title=title, text=text, way_back=None)


def refused_words(error: LinkRefusedError) -> str:
    """Why a link does not open, as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}. Go back to where you found it and open it from there."


def fill(template: str, **values: Any) -> str:
    """A template filled in; a value that it names and that is missing raises jinja2.UndefinedError."""
    return _TEMPLATES.get_template(template).render(**values)


def moment(seconds: float, beside: Due | None = None) -> str:
    """A moment (seconds since 1970) for people, to the minute: in UTC, or like the due date that it is
    read ``beside``, so that nobody has to convert one into the other's zone."""
    if beside is not None:
        return due.words(Due(seconds, beside.zone))
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def machine_moment(seconds: float) -> str:
    """The same for the ``datetime`` attribute of a ``time`` element."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def points(value: float | None) -> str:
    """Points as they are said; a dash where there are none."""
    return "–" if value is None else f"{value:g}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(
    markdown=rendered,
    moment=moment,
    machine_moment=machine_moment,
    points=points,
    due=due.words,
    in_words=lambda status: STATUS_WORDS.get(status, status),
)
_TEMPLATES.globals.update(status_words=STATUS_WORDS, run_words=RUN_WORDS)
