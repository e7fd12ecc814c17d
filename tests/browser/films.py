"""An assignment with a part of every kind, a student's executed notebook, and what the judge said of it."""

from __future__ import annotations

import base64
import struct
import zlib

import nbformat

from checks.assignment import Assignment
from checks.feedback import (
    CheckFeedback,
    Feedback,
    PartFeedback,
    RunInfo,
    SubmissionInfo,
    assignment_info,
    max_total,
    total,
)
from grader.store.submissions import Progress
from tests.grader.arithmetic import notebook

SPEC = """\
id: films/vectors
title: Vector arithmetic with films
environment: python
parts:
  - id: part1
    title: Load the ratings
    variables: {ratings: {role: answer, starter: null}}
    checks: [{id: size, size: {of: ratings, length: 3}, message: "Load all of the file."}]
  - id: part2
    title: Two films added up
    points: 2
    variables: {neighbours: {role: answer, starter: null}}
    hints: ["Which films go *in*?", "Both examples are `positive`.", "Count the arguments."]
    checks: [{id: films, size: {of: neighbours, length: 2}, message: "These are not the nearest films."}]
  - id: part3
    title: The length of each vector
    points: 2
    variables: {norms: {role: answer, starter: null}}
    hints: ["One number a film."]
    checks: [{id: shape, size: {of: norms, length: 9}, message: "One number a film."}]
  - id: part4
    title: Put the films in order
    variables: {ordered: {role: answer, starter: null}, best: {role: answer, starter: null}}
    checks: [{id: order, size: {of: ordered, length: 9}, message: "All films."}]
  - id: part5
    title: Average the two best
    variables: {average: {role: answer, starter: null}}
    checks: [{id: value, equal: {of: average, to: {value: 3.5}}, message: "Not the average."}]
  - id: part6
    title: What does the arithmetic mean?
    graded: false
  - id: part7
    title: Explain your result
    points: 3
    marked_by: hand
  - id: part8
    title: A plot
    bonus: true
    variables: {axes: {role: answer, starter: null}}
    checks: [{id: there, type: {of: axes, is: [list]}, message: "Draw it."}]
"""
CODE = (
    "import pandas as pd\nratings = pd.read_csv('../input/ratings.csv')\nratings.head()",
    "neighbours = model.most_similar(positive=['Legally Blonde'], negative=['Mission: Impossible'])\n"
    "part2.check()",
    "import numpy as np\nnorms = np.linalg.norm(vectors)  # of every film\npart3.check()",
    "ordered = best = None\npart4.check()",
    "average = sum(best) / len(best)\npart5.check()",
    "axes = ratings.plot.hist(y='stars')\npart8.check()",
)
BUNDLE = {
    "assignment.yaml": SPEC.encode(),
    "starter.ipynb": notebook(*CODE),
    "reference.ipynb": notebook(*CODE),
}
STOP = "name 'best' is not defined"
TABLE = (
    "<table class='dataframe'><thead><tr><th></th><th>title</th><th>stars</th></tr></thead><tbody>"
    "<tr><th>0</th><td>Legally Blonde</td><td>3.5</td></tr><tr><th>1</th><td>Toy Story</td><td>4.0</td></tr>"
    "</tbody></table><script>parent.document.title = 'taken over'</script>"
)


def parts() -> tuple[PartFeedback, ...]:
    """A part of every status."""
    films = CheckFeedback("films", "failed", "These are not the nearest films to both examples.", 1.0)
    order = CheckFeedback(
        "order", "failed", "The similarities are right, but `neighbours` is not sorted.", 1.0
    )
    return (
        PartFeedback("part1", "Load the ratings", "correct", 1, 1,
                     "Right. Reading all columns at once is **neat**.", cell=1),
        PartFeedback(
            "part2", "Two films added up", "partial", 1, 2,
            "`neighbours` holds films that are near to *Legally Blonde* alone. You passed "
            "`'Mission: Impossible'` as `negative`, so it is **taken away** instead of added.",
            misconception="negative_example", cell=3, checks=(films, order),
            hints=("Which films go *in*?", "Both examples are `positive`.", "Count the arguments."),
        ),
        PartFeedback(
            "part3", "The length of each vector", "incorrect", 0, 2,
            "`norms` is one number, the length of the whole matrix. There should be one for each film.",
            cell=5, hints=("One number a film.",),
        ),
        PartFeedback("part4", "Put the films in order", "not_attempted", 0, 1,
                     "`ordered` is still None.", cell=7),
        PartFeedback("part5", "Average the two best", "error", 0, 1,
                     "This cell stopped with `NameError: name 'best' is not defined`.", cell=8),
        PartFeedback("part6", "What does the arithmetic mean?", "ungraded", 0, 0,
                     "A question to think about: it is not graded."),
        PartFeedback("part7", "Explain your result", "needs_review", 0, 3, "A person marks this part."),
        PartFeedback("part8", "A plot", "correct", 1, 1, "Right.", cell=9, bonus=True),
    )  # fmt: skip


def verdict(found: Progress, given: tuple[PartFeedback, ...] | None = None) -> Feedback:
    """The feedback on a submission."""
    assignment = Assignment.from_files(BUNDLE)
    judged = parts() if given is None else given
    return Feedback(
        assignment_info(assignment),
        SubmissionInfo(found.id, found.student, found.notebook, found.attempt_number),
        RunInfo("cell_error", 2.4, "python@sha256:0", "cgroup"),
        total(judged, capped=False),
        max_total(judged),
        judged,
    )


def executed() -> bytes:
    """The notebook as it ran: a table, a picture, an error, and outputs that try to get out."""
    made = nbformat.v4
    cells = [
        made.new_markdown_cell("# Films\nAdd and subtract **films**."),
        _code(1, made.new_output("execute_result", {"text/html": TABLE}, execution_count=1)),
        made.new_markdown_cell("## Two films\nWhich film is near to both?"),
        _code(2, made.new_output("stream", name="stdout", text="[('Clueless', 0.81)]\n")),
        made.new_markdown_cell("## Lengths"),
        _code(3, made.new_output("stream", name="stdout", text="31.4159\n")),
        made.new_markdown_cell("## Order"),
        _code(4),
        _code(5, made.new_output("error", ename="NameError", evalue=STOP, traceback=[f"NameError: {STOP}"])),
        _code(6, made.new_output("display_data", {"image/png": _picture()})),
    ]  # fmt: skip
    return nbformat.writes(
        made.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    ).encode()


def _code(number: int, *outputs: nbformat.NotebookNode) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(CODE[number - 1], outputs=list(outputs), execution_count=number)
    cell["id"] = f"code-{number}"
    return cell


def _picture() -> str:
    """Columns of a histogram as a PNG of 240 × 120 pixels."""
    heights = (20, 45, 80, 110, 60)
    rows = b"".join(
        b"\0" + bytes(60 if 120 - y <= heights[x // 48] and x % 48 < 40 else 255 for x in range(240))
        for y in range(120)
    )
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 240, 120, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()
