"""The student's page in real Chromium: live, by keyboard, without a script, at all widths, light and dark."""

from __future__ import annotations

import json
from itertools import pairwise

import httpx
import msgspec
import pytest
from playwright.sync_api import expect

from grader.handback import Handback, files_of
from grader.store import submissions
from tests.browser import films
from tests.browser.conftest import WIDTHS, faults, overflow

pytestmark = pytest.mark.browser
WAIT_MS = 60_000


def test_a_student_watches_the_submission_live(stage, visit):
    submission, address = stage.submit()
    page = visit(address)
    page.evaluate("window.same = true")
    expect(page.locator("[data-when=queued]")).to_be_visible()
    lease = stage.claim(submission)
    expect(page.locator("[data-when=starting]")).to_be_visible(timeout=WAIT_MS)
    stage.run(lease, 3, 9)
    expect(page.get_by_text("Running cell 3 of 9.")).to_be_visible(timeout=WAIT_MS)
    assert page.get_by_role("progressbar").get_attribute("value") == "3"
    expect(page.locator("[aria-current=step]")).to_have_text("Running")
    stage.finish(submission, lease)
    expect(page.locator(".score")).to_have_text("3 of 10 points so far", timeout=WAIT_MS)
    expect(page.locator("[data-announce]")).to_contain_text("Your feedback is here. 3 of 10 points")
    expect(page.get_by_role("article").first).to_contain_text("correct")
    assert page.evaluate("window.same"), "the page was loaded again instead of kept up to date"


def test_parts_are_swapped_in_as_they_are_judged(stage, visit):
    """The stream's ``part`` events, as docs/api.md describes them."""
    _, address = stage.submit()
    judged = {
        "id": "part2", "title": "Two films added up", "status": "partial", "score": 1.0, "max_score": 2.0,
        "message": "Not `<b>`, *quite*\\_yet <img src=x>.\n\nMore.", "bonus": False,
    }  # fmt: skip
    page = visit("about:blank")
    body = f"event: part\ndata: {json.dumps({'provisional': True, 'part': judged})}\n\n"
    page.route("**/events?*", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    page.goto(address)
    card = page.locator("[data-part=part2]")
    expect(card.locator(".badge")).to_have_text("partly correct")
    expect(card.locator(".points")).to_have_text("1 of 2 points")
    assert card.locator(".message").inner_html() == (
        "<p>Not <code>&lt;b&gt;</code>, <em>quite</em>_yet &lt;img src=x&gt;.</p><p>More.</p>"
    )
    expect(page.locator("[data-announce]")).to_have_text("Two films added up: partly correct so far.")
    expect(page.locator("[data-part=part1] .badge")).to_have_text("not judged yet")


def test_without_a_script_the_page_refreshes_itself_and_hints_open_one_by_one(stage, visit):
    submission, address = stage.submit()
    page = visit(address, script=False)
    expect(page.get_by_text("in the queue").first).to_be_visible()
    stage.finish(submission)
    expect(page.locator(".score")).to_have_text("3 of 10 points so far", timeout=WAIT_MS)
    card = page.locator("#part-2")
    hints = card.locator("details.hint > summary")
    assert [hint.is_visible() for hint in hints.all()] == [True, False, False]
    hints.nth(0).click()
    expect(card.get_by_text("Which films go in?")).to_be_visible()
    assert [hint.is_visible() for hint in hints.all()] == [True, True, False]
    card.get_by_role("link", name="See the cell").click()
    page.wait_for_url("**/notebook?*#cell-3")


def test_a_jump_moves_the_frame_to_the_cell(stage, visit):
    page = visit(stage.graded(), width=768)
    page.locator("#part-5").get_by_role("link", name="See the cell").click()
    expect(page.frame_locator("iframe").locator("#cell-8")).to_be_in_viewport()
    assert page.frame(name="notebook").url.endswith("#cell-8")
    assert page.evaluate("document.activeElement.tagName") == "IFRAME"
    assert page.title() == "Vector arithmetic with films"


def test_the_keyboard_reaches_everything_in_reading_order(stage, visit):
    page = visit(stage.graded())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached, rings = [], []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"))
        rings.append(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    assert reached[0] == "Go on with: Two films added up"
    assert reached[1].startswith("Load the ratings")
    assert reached[9:13] == [
        "See the cell of Load the ratings", "What else was found", "Hint (1 of 3)",
        "See the cell of Two films added up",
    ]  # fmt: skip
    assert set(rings) == {"solid"}
    page.locator("#part-2 details.hint > summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Another hint (2 of 3)")).to_be_focused()


def test_a_screen_reader_finds_landmarks_and_headings(stage, visit):
    page = visit(stage.graded())
    for role in ("banner", "main"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.locator("[role=status]")).to_have_count(1)
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_wrong(stage, visit, dark):
    submission, waiting = stage.submit()
    stage.run(stage.claim(submission), 2, 5)
    for address in (waiting, stage.graded()):
        page = visit(address, dark=dark)
        for summary in page.locator("details.hint > summary").all():
            if summary.is_visible():
                summary.click()
        assert faults(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_wrong_in_the_notebook(stage, visit, dark):
    shown = httpx.get(stage.graded().replace("?", "/notebook?"), timeout=60).text
    # Where the notebook's own policy holds, not even axe can run.
    page = visit("about:blank", dark=dark)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.set_content(shown)
        assert overflow(page) <= 0
    assert faults(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(stage, visit, width):
    _, waiting = stage.submit()
    for address in (waiting, stage.graded("a-very-long-identifier-of-a-student" * 3)):
        assert overflow(visit(address, width=width)) <= 0


WIDE = (
    "|"
    + "a_long_head|" * 12
    + "\n"
    + "|-" * 12
    + "|\n"
    + "|1" * 12
    + "|\n\n```python\n"
    + "x = 1  # " * 40
    + "\n```"
)


def test_a_wide_table_and_code_in_a_message_scroll_by_themselves(stage, visit):
    parts = tuple(
        msgspec.structs.replace(part, message=WIDE) if part.id == "part3" else part for part in films.parts()
    )
    page = visit(stage.graded(parts=parts), width=360)
    assert overflow(page) <= 0
    for inner in (page.locator("#part-3 .wide"), page.locator("#part-3 pre")):
        assert inner.evaluate("each => each.scrollWidth > each.clientWidth")
        inner.focus()
        assert inner.evaluate("each => each === document.activeElement")
    assert faults(page) == []


def test_a_page_that_is_not_there_passes_axe(stage, visit):
    page = visit(f"{stage.url}/no/such/page", width=360)
    expect(page.get_by_role("link", name="Go to the courses")).to_be_visible()
    assert faults(page) == []
    assert overflow(page) <= 0


def test_the_page_that_a_student_keeps_fits_a_phone_and_passes_axe(stage, visit, tmp_path):
    parts = tuple(msgspec.structs.replace(part, message=WIDE) for part in films.parts())
    with stage.store.read() as session:
        found = submissions.progress(session, stage.submit("Emmy Noether")[0])
    one = Handback("Emmy Noether", films.verdict(found, parts), films.executed())
    (tmp_path / "feedback.html").write_bytes(files_of(one)["feedback.html"])
    page = visit((tmp_path / "feedback.html").as_uri(), width=360, script=False, offline=True)
    assert overflow(page) <= 0
    expect(page.get_by_role("heading", level=1).first).to_have_text("Vector arithmetic with films")
    shown = visit("about:blank", width=360)
    shown.set_content((tmp_path / "feedback.html").read_text().replace("http-equiv", "data-http-equiv"))
    assert faults(shown) == []
