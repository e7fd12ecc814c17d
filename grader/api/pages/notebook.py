"""A student's executed notebook: to look at beside the feedback, in a frame that can do nothing; to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from nbformat.reader import NotJSONError

from checks.feedback import Feedback
from grader.annotate import annotated_bytes
from grader.api.pages.rendering import PRIVATE, STATIC, fill
from grader.api.pages.view import PartCard
from grader.notebook_page import cells_html, highlight_css, read_notebook

# Whatever the cleaning let through: no script, no address, no form, no origin.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
UNREADABLE = (UnicodeDecodeError, NotJSONError, nbformat.ValidationError)
HEADERS = {"Content-Security-Policy": POLICY, **PRIVATE}


class NoNotebookError(Exception):
    """There is nothing to show."""


@dataclass(frozen=True)
class Cell:
    """One cell with its outputs, the address in the page, and the parts that it decided."""

    anchor: str
    html: Markup
    parts: tuple[PartCard, ...]


def notebook_page(executed: bytes, feedback: Feedback, cards: Sequence[PartCard]) -> HTMLResponse:
    """The notebook with each part's feedback beside its cell.

    Raises NoNotebookError where ``executed`` is no notebook.
    """
    cells = _cells(executed, cards)
    shown = {card.anchor for cell in cells for card in cell.parts}
    return _framed(
        "notebook.html",
        title=feedback.assignment.title,
        cells=cells,
        without=[card for card in cards if card.anchor not in shown],
    )


def framed_refusal(status: int, title: str, text: str) -> HTMLResponse:
    """Why there is no notebook in the frame."""
    return _framed("framed_message.html", status, title=title, text=text)


def _framed(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A template for the frame, its style inline: the frame has no origin to load a style sheet from."""
    return HTMLResponse(fill(template, css=_css(), **values), status, headers=HEADERS)


def annotated_file(executed: bytes, feedback: Feedback) -> bytes:
    """The notebook with the feedback in cells of its own, for Jupyter. Raises NoNotebookError."""
    try:
        return annotated_bytes(executed, feedback)
    except UNREADABLE as error:
        raise NoNotebookError(str(error)) from error


def _cells(executed: bytes, cards: Sequence[PartCard]) -> list[Cell]:
    try:
        notebook = read_notebook(executed)
    except UNREADABLE as error:
        raise NoNotebookError(str(error)) from error
    return [
        Cell(f"cell-{index}", html, tuple(card for card in cards if card.part.cell == index))
        for index, html in enumerate(cells_html(notebook))
    ]


@cache
def _css() -> Markup:
    """Ours, from files of this package: nothing of it comes from a notebook."""
    files = [Path(STATIC / name).read_text(encoding="utf-8") for name in ("grader.css", "notebook.css")]
    return Markup("\n".join([*files, highlight_css()]))
