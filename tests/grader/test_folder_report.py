"""``grader report``: pages of a folder that open offline, hold everything, and can do nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from typer.testing import CliRunner

from checks.feedback import AssignmentInfo, Feedback, PartFeedback, PartStatus, RunInfo, SubmissionInfo
from grader import cli
from grader.folder_report.charts import histogram, status_bar
from grader.folder_report.pages import POLICY
from tests.conftest import need

run = CliRunner()
EVIL = "<script>alert(1)</script>"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def feedback(student: str, status: PartStatus, message: str, **more: Any) -> Feedback:
    score = {"correct": 2.0, "partial": 1.0}.get(status, 0.0)
    part = PartFeedback("part1", "A & B", status, score, 2.0, message, cell=0, hints=("Look *up*.",))
    thought = PartFeedback("part2", "Think", "ungraded", 0.0, 0.0, "")
    return Feedback(
        AssignmentInfo(more.get("assignment", "course/one"), "sha256:" + "0" * 64, "Title <b>"),
        SubmissionInfo(student, student, "sha256:1"),
        RunInfo("completed", 1.5, "python", "none"),
        score, 2.0, (part, thought),
    )  # fmt: skip


def keep(folder: Path, stem: str, found: Feedback, printed: str = "hello") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{stem}.feedback.json").write_bytes(found.to_json())
    cell = new_code_cell("x = 1\npart1.check()", outputs=[new_output("stream", text=printed)])
    (folder / f"{stem}.executed.ipynb").write_text(nbformat.writes(new_notebook(cells=[cell])))


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """Five students: two with equal wrong answers, one whose every text is hostile, one not judged."""
    folder = tmp_path / "graded"
    keep(folder, "ada", feedback("ada", "correct", "Right."))
    keep(folder, "bob", feedback("bob", "incorrect", "The **same** slip."))
    keep(folder, "cy", feedback("cy", "incorrect", "The **same** slip."))
    hostile = feedback(EVIL, "partial", f"{EVIL} ![x](https://evil.example/x.png) [y](javascript:alert(1))")
    keep(folder, "eve 1#", hostile, EVIL)
    keep(folder, "fay", feedback("fay", "unjudged", "Not your fault."))
    (folder / "fay.executed.ipynb").unlink()
    return folder


def report(folder: Path, out: Path) -> tuple[int, str, str]:
    result = run.invoke(cli.app, ["report", str(folder), "--html", str(out)])
    return result.exit_code, result.stdout, result.stderr


def test_the_index_has_the_class_the_parts_and_equal_messages_together(graded: Path, tmp_path: Path) -> None:
    code, out, _ = report(graded, tmp_path / "html")
    assert (code, out) == (0, f"{tmp_path / 'html' / 'index.html'}\n")
    page = (tmp_path / "html" / "index.html").read_text()
    assert "5 students; on average 0.75 of 2 points" in page
    assert 'aria-label="A &amp; B: 1 correct, 1 partly correct, 2 not correct yet, 1 not yet judged"' in page
    assert re.search(r"2 ×.*?The <strong>same</strong> slip\..*?>bob</a>, <a [^>]*>cy</a>", page, re.DOTALL)
    assert page.index("2 ×") < page.index("1 ×")
    assert "not yet judged</td>" in page
    assert "part2" not in page


def test_what_a_person_has_still_to_mark_is_told_beside_the_points(tmp_path: Path) -> None:
    keep(tmp_path / "graded", "gil", feedback("gil", "needs_review", "A person marks this part."))
    assert report(tmp_path / "graded", tmp_path / "html")[0] == 0
    assert "0 of 2 so far</td>" in (tmp_path / "html" / "index.html").read_text()


def test_a_students_page_has_the_feedback_and_the_executed_notebook(graded: Path, tmp_path: Path) -> None:
    report(graded, tmp_path / "html")
    page = (tmp_path / "html" / "students" / "bob.html").read_text()
    assert "The <strong>same</strong> slip." in page
    assert "hello" in page
    assert "celltag_grader-feedback-incorrect" in page
    assert "Look <em>up</em>." in page
    assert "No run of it was kept." in (tmp_path / "html" / "students" / "fay.html").read_text()


def test_no_page_loads_or_runs_anything(graded: Path, tmp_path: Path) -> None:
    report(graded, tmp_path / "html")
    pages = list((tmp_path / "html").rglob("*.html"))
    assert len(pages) == 6
    for path in pages:
        page = path.read_text()
        assert f'http-equiv="Content-Security-Policy" content="{POLICY}"'.replace("'", "&#39;") in page
        assert "default-src &#39;none&#39;" in page
        assert "<script" not in page
        assert not re.findall(r"""(?:src|srcset|action|data)\s*=\s*["'](?!data:)""", page)
        assert "@import" not in page
        assert "url(" not in page
        links = re.findall(r'<(?:a|link)[^>]* href="([^"]*)"', page)
        here = {link for link in links if link.startswith("#")}
        assert all(f'id="{link[1:]}"' in page for link in here)
        others = [link for link in links if link not in here]
        targets = [path.parent / link.replace("%20", " ").replace("%23", "#") for link in others]
        assert [one for one in targets if not one.is_file()] == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder.mkdir(), "no feedback in it"),
        (lambda _folder: None, "no feedback in it"),
        (lambda folder: (keep(folder, "a", feedback("a", "correct", "")),
                         (folder / "b.feedback.json").write_text("{}")), "b.feedback.json: not feedback"),
        (lambda folder: (keep(folder, "a", feedback("a", "correct", "")),
                         keep(folder, "b", feedback("b", "correct", "", assignment="course/two"))),
         "several assignments (course/one, course/two)"),
    ],
)  # fmt: skip
def test_what_cannot_be_reported_is_exit_2(make: Any, says: str, tmp_path: Path) -> None:
    make(tmp_path / "graded")
    code, out, said = report(tmp_path / "graded", tmp_path / "html")
    assert (code, out) == (2, "")
    assert says in said
    assert not (tmp_path / "html").exists()


def test_an_index_of_somebody_else_stays_and_our_own_is_renewed(graded: Path, tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("mine")
    code, _, said = report(graded, tmp_path / "html")
    assert (code, "no report of ours" in said) == (2, True)
    assert [path.name for path in (tmp_path / "html").iterdir()] == ["index.html"]
    assert [report(graded, tmp_path / "other")[0] for _ in range(2)] == [0, 0]


def test_a_bars_segments_are_as_long_as_they_are_frequent() -> None:
    drawing = status_bar("A", {"correct": 3, "incorrect": 1})
    assert re.findall(r'class="(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', drawing) == [
        ("correct", "0.00", "480.00"),
        ("incorrect", "480.00", "160.00"),
    ]


def test_full_marks_and_bonus_stand_in_the_last_step_of_the_histogram() -> None:
    assert ">2</text>" in (drawing := histogram("Points", [2.0, 2.5, 0.0], 2.0))
    assert "1 in step 1 of 10, 2 in step 10 of 10" in drawing


@pytest.mark.browser
def test_a_browser_without_a_network_shows_the_class_and_a_students_notebook(
    graded: Path, tmp_path: Path
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    need(Path("/usr/bin/chromium").exists(), "Chromium")
    report(graded, tmp_path / "html")
    complaints: list[str] = []
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        page = browser.new_context(viewport={"width": 390, "height": 800}, offline=True).new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto((tmp_path / "html" / "index.html").as_uri())
        width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner
        assert page.locator("svg rect.incorrect").bounding_box()["width"] > 50
        # A colour of the style sheet: the policy lets the page's own styles through.
        colour = page.locator("svg rect.correct").first.evaluate("it => getComputedStyle(it).fill")
        assert colour == "rgb(26, 127, 69)"
        picture = page.screenshot(full_page=True)
        page.get_by_role("table").get_by_role("link", name=EVIL).click()
        assert page.locator(".notebook").inner_text().count(EVIL) >= 1
        page.get_by_role("link", name="The class").click()
        page.get_by_role("table").get_by_role("link", name="bob").click()
        assert page.locator(".notebook .celltag_grader-feedback-incorrect").is_visible()
        browser.close()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000
    assert complaints == []
