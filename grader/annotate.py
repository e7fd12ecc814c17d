"""The executed notebook with each part's feedback behind the cell that decided it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode

from checks.feedback import Feedback, PartFeedback

TAG = "grader-feedback"
WORDS: Mapping[str, str] = {
    "correct": "correct",
    "partial": "partly correct",
    "incorrect": "not correct yet",
    "not_attempted": "not attempted",
    "error": "stopped by an error",
    "ungraded": "to think about",
    "needs_review": "a person will mark this",
    "unjudged": "not yet judged",
}


def annotated(executed: bytes, feedback: Feedback) -> NotebookNode:
    """The notebook (nbformat 4) with a Markdown cell a part, tagged ``grader-feedback`` and with its status.

    A part without a cell, or whose cell the notebook does not have, comes at the end. Raises
    nbformat.reader.NotJSONError and nbformat.ValidationError on what is no notebook.
    """
    notebook: NotebookNode = nbformat.reads(executed.decode(), as_version=4)
    behind: dict[int, list[NotebookNode]] = {}
    last = len(notebook.cells) - 1
    for part in feedback.parts:
        place = last if part.cell is None or part.cell > last else part.cell
        behind.setdefault(place, []).append(_cell(part))
    cells = behind.pop(-1, [])
    for index, cell in enumerate(notebook.cells):
        cells += [cell, *behind.get(index, [])]
    notebook.cells = cells
    return notebook


def annotated_bytes(executed: bytes, feedback: Feedback) -> bytes:
    """The same as a file."""
    text: str = nbformat.writes(annotated(executed, feedback))
    return text.encode()


def _cell(part: PartFeedback) -> NotebookNode:
    points = ""
    if part.max_score and part.status not in ("unjudged", "needs_review"):
        points = f", {part.score:g} of {part.max_score:g} points"
    head = f"**{part.title}: {WORDS.get(part.status, part.status)}{points}**"
    hints = [f"*Hint {number}:* {hint}" for number, hint in enumerate(part.hints, start=1)]
    cell: NotebookNode = nbformat.v4.new_markdown_cell(
        "\n\n".join(text for text in (head, part.message, *hints) if text),
        metadata={"tags": [TAG, f"{TAG}-{part.status}"], "editable": False},
    )
    # An id of its own making would differ from one run to the next.
    cell["id"] = "feedback-" + hashlib.sha256(part.id.encode()).hexdigest()[:16]
    return cell
