"""Executed notebooks on a page: readable, with the feedback in its place, and unable to do anything."""

from __future__ import annotations

import base64
import json

import nbformat
import pytest

from checks.feedback import AssignmentInfo, Feedback, PartFeedback, RunInfo, SubmissionInfo
from grader.annotate import annotated, annotated_bytes
from grader.notebook_page import cells_html, highlight_css, notebook_html, read_notebook
from grader.notebooks import normal_form

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def code(source: str, **data: str) -> nbformat.NotebookNode:
    outputs = [
        nbformat.v4.new_output("display_data", data={k.replace("__", "/"): v for k, v in data.items()})
    ]
    return nbformat.v4.new_code_cell(source, outputs=outputs if data else [])


def notebook(*cells: nbformat.NotebookNode) -> bytes:
    return nbformat.writes(nbformat.v4.new_notebook(cells=list(cells))).encode()


def feedback(*parts: PartFeedback) -> Feedback:
    return Feedback(
        AssignmentInfo("c/a", "sha256:0", "A"), SubmissionInfo("s", "ada", "sha256:1"),
        RunInfo("completed", 1.0, "python", "v1"), 1.0, 2.0, parts,
    )  # fmt: skip


def part(name: str, cell: int | None, **more: object) -> PartFeedback:
    return PartFeedback(name, f"Title of {name}", "incorrect", 0.5, 1.0, "Look *again*.", cell=cell, **more)  # type: ignore[arg-type]


def html(*cells: nbformat.NotebookNode) -> str:
    return str(notebook_html(nbformat.reads(notebook(*cells).decode(), as_version=4)))


def test_feedback_stands_behind_the_cell_that_decided() -> None:
    made = annotated(notebook(code("a"), code("b"), code("c")), feedback(part("one", 1), part("two", None)))
    assert [cell.source.split("\n")[0] for cell in made.cells] == [
        "a", "b", "**Title of one: not correct yet, 0.5 of 1 points**", "c",
        "**Title of two: not correct yet, 0.5 of 1 points**",
    ]  # fmt: skip
    assert made.cells[2].metadata.tags == ["grader-feedback", "grader-feedback-incorrect"]


def test_a_cell_that_the_notebook_does_not_have_puts_feedback_at_the_end() -> None:
    made = annotated(notebook(code("a")), feedback(part("one", 99)))
    assert [cell.cell_type for cell in made.cells] == ["code", "markdown"]


def test_an_empty_notebook_still_gets_its_feedback() -> None:
    assert len(annotated(notebook(), feedback(part("one", None))).cells) == 1


def test_an_annotated_notebook_is_valid_and_equal_each_time() -> None:
    made = annotated_bytes(notebook(code("a")), feedback(part("one", 0, hints=("Try *this*.",))))
    nbformat.validate(nbformat.reads(made.decode(), as_version=4))
    assert b"*Hint 1:* Try *this*." in made


def test_what_is_unjudged_shows_no_points() -> None:
    one = PartFeedback("p", "P", "unjudged", 0.0, 1.0, "")
    assert "points" not in annotated(notebook(), feedback(one)).cells[0].source


def test_code_markdown_tables_and_pictures_stay_readable() -> None:
    made = html(
        nbformat.v4.new_markdown_cell("# Norms\n\nA *word*"),
        code("x = 1", text__html="<table><tr><td>7</td></tr></table>"),
        code("plot()", image__png=PNG),
    )
    assert "<h1" in made
    assert "<em>word</em>" in made
    assert "<td>7</td>" in made
    assert f'src="data:image/png;base64,{PNG}"' in made


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<img src='https://evil.example/x.png'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe srcdoc='<script>1</script>'></iframe>",
        "<svg onload=alert(1)><script>1</script></svg>",
        "<form action='https://evil.example'><input name=q></form>",
        "<style>body{background:url(https://evil.example)}</style>",
        "<meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<base href='https://evil.example'>",
        "<div style='position:fixed;background:url(https://evil.example)'>x</div>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<img src='data:text/html;base64,PHNjcmlwdD4='>",
        "<table class='<table onclick=alert(1)>'><tr><td>1</td></tr></table>",
        "<object data='https://evil.example'></object><embed src=x><link rel=stylesheet href=//evil.example>",
    ],
)
@pytest.mark.parametrize("place", ["markdown", "html", "source", "stream"])
def test_nothing_active_and_no_foreign_address_survives(attack: str, place: str) -> None:
    cell = {
        "markdown": nbformat.v4.new_markdown_cell(attack),
        "html": code("x", text__html=attack),
        "source": code(attack),
        "stream": nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("stream", text=attack)]),
    }[place]
    made = html(cell).lower()
    active = [
        "<script",
        "<iframe",
        "<form",
        "<input",
        "<style",
        "<meta",
        "<base",
        "<object",
        "<embed",
        "<link",
        "<svg",
    ]
    assert not [tag for tag in active if tag in made]
    if place in ("markdown", "html"):
        assert not [
            word for word in ("onerror", "onload", "javascript:", "evil.example", "style=") if word in made
        ]


def test_a_drawing_becomes_a_picture_whose_scripts_do_not_run() -> None:
    made = html(code("x", **{"image__svg+xml": "<svg><script>alert(1)</script></svg>"}))
    assert "<svg" not in made
    assert "data:image/svg+xml;base64," in made


def test_a_picture_that_is_no_base64_is_left_out() -> None:
    assert "onerror" not in html(code("x", image__png='" onerror="alert(1)'))


def test_a_huge_output_is_cut_and_says_so() -> None:
    long = nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("stream", text="y" * 300_000)])
    made = html(long)
    assert len(made) < 250_000
    assert "100000 more characters" in made


def test_highlighting_has_a_style_for_dark_pages() -> None:
    assert "prefers-color-scheme: dark" in highlight_css()


def test_a_picture_that_was_pasted_into_a_text_is_shown() -> None:
    pasted = nbformat.v4.new_markdown_cell(
        "![mine](attachment:a.png)", attachments={"a.png": {"image/png": PNG}}
    )
    assert f'<img alt="mine" src="data:image/png;base64,{PNG}">' in html(pasted)


@pytest.mark.parametrize(
    "attachments",
    [None, {}, {"a.png": {}}, {"a.png": {"text/html": "PHA+"}}, {"a.png": {"image/png": '"><b>'}}],
)
def test_a_text_that_names_a_picture_which_is_not_there_is_shown_without_it(attachments) -> None:
    cell = nbformat.v4.new_markdown_cell("Before ![mine](attachment:a.png) after.")
    if attachments is not None:
        cell["attachments"] = attachments
    plain = notebook_html(nbformat.v4.new_notebook(cells=[cell]))
    assert "Before" in plain
    assert "after." in plain
    assert "<b>" not in plain
    assert "Shown" in html(code("1", text__markdown="Shown ![mine](attachment:a.png)"))


ODD = [
    ("notebook", "kernelspec", {}),
    ("notebook", "language_info", {"name": 3, "pygments_lexer": ["x"]}),
    ("notebook", "title", {}),
    ("code", "collapsed", [1]),
    ("code", "tags", ["a,b", "", "twice", "twice"]),
    ("code", "execution", {"iopub.execute_input": 3}),
    ("raw", "format", 3),
    ("raw", "raw_mimetype", [1]),
    ("markdown", "name", ""),
]


@pytest.mark.parametrize(("place", "key", "value"), ODD)
def test_metadata_that_are_accepted_but_not_as_the_format_says_keep_no_notebook_from_being_shown(
    place, key, value
) -> None:
    """One such notebook would be enough to keep a whole class from its feedback."""
    sent = json.loads(
        notebook(code("1"), nbformat.v4.new_raw_cell("2"), nbformat.v4.new_markdown_cell("three"))
    )
    holders = {"notebook": sent} | {cell["cell_type"]: cell for cell in sent["cells"]}
    holders[place]["metadata"][key] = value
    stored = read_notebook(normal_form(json.dumps(sent).encode()))
    assert "three" in notebook_html(stored)
    assert len(cells_html(stored)) == 3


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b>",
        "<i><p>",
        "<font size=1>",
        "<div></i>",
        "<b-x></b>",
        "<div><!--</div>-->",
        "<div><?</div>",
        "<div></ </div>",
        '<b title="</b>">',
        "<b title='>' lang='</b>'>",
        '<b "</b>">',
        "<div><script></div></script>",
        "<div><textarea></div></textarea>",
        "<div><script><!--<script></script></div></script>",
    ],
)
def test_html_that_is_nested_without_end_is_said_and_not_tried(piece) -> None:
    """Cleaning takes the square of the depth: a single output could keep the service busy for minutes."""
    deep = code("1", text__html=piece * 30_000)
    deep.outputs.append(nbformat.v4.new_output("stream", text="its neighbour"))
    made = html(deep, code("2", text__html="<table><tr><td>x" * 200))
    assert made.count("nested too deeply") == 1
    assert "its neighbour" in made
    assert "x" in made


def test_a_text_that_is_nested_without_end_is_said_and_costs_its_neighbours_nothing() -> None:
    made = html(nbformat.v4.new_markdown_cell("<div>" * 2_000), code("2", text__html="<b>x</b>"))
    assert made.count("nested too deeply") == 1
    assert "<b>x</b>" in made


def test_a_long_output_that_is_not_deep_is_shown() -> None:
    row = '<!-- a row --><div class="r"><b>x</b><span title="a b">y</span></div>\n'
    made = html(code("1", text__html=f"<style scoped>.r > b {{ color: red }}</style>{row * 2_000}"))
    assert "nested too deeply" not in made
    assert made.count("<b>x</b>") == 2_000


def test_a_long_cell_is_shown_although_its_output_holds_a_script() -> None:
    drawn = "<div id='x'>drawn</div><script>for (let i = 0; i<n; i++) document.write('<b>'+i+'</b>')</script>"
    made = html(code("\n".join(f"a{number} = f({number}, 'x')" for number in range(400)), text__html=drawn))
    assert "nested too deeply" not in made
    assert "drawn" in made
    assert "document" not in made
