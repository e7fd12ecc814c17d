"""An instructor's way in real Chromium: sign in, find a group of wrong answers, sort the roster."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from checks.assignment import Assignment
from grader.settings import Settings
from grader.store import open_store, tokens
from tests import serving
from tests.browser import klass
from tests.browser.conftest import WIDTHS, faults, overflow
from tests.grader.arithmetic import BUNDLE

HERE = "/assignments/tests/arithmetic"
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A running API with a class, and an instructor's token."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("instructor") / "data",
        broker_url="memory://",  # type: ignore[arg-type]
        token_requests_per_second=1000,
    )
    serving.prepare(settings)
    store = open_store(settings)
    klass.fill(store, Assignment.from_files(BUNDLE), klass.sums(), names=klass.NAMES[:20])
    with store.write() as session:
        token = tokens.create(session, "instructor", "Grace", "tests")
    store.close()
    with serving.api(settings) as served:
        yield served.url, token


def signed_in(visit, site, path, **how):
    """The page at ``path``, asked for without a session, after signing in."""
    page = visit(site[0] + path, **how)
    page.get_by_label("Token").fill(site[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(site[0] + path)
    return page


def test_a_wrong_token_says_so_and_the_right_one_leads_to_where_one_wanted(visit, site):
    page = visit(site[0] + HERE, script=False)
    page.get_by_label("Token").fill("gr_00000000_" + "0" * 48)
    page.get_by_role("button", name="Sign in").click()
    assert "not known here" in page.get_by_role("alert").inner_text()
    page.get_by_label("Token").fill(site[1])
    page.get_by_role("button", name="Sign in").click()
    assert page.url == site[0] + HERE
    page.get_by_role("button", name="Sign out").click()
    page.goto(site[0] + HERE)
    assert page.url.startswith(f"{site[0]}/login")


def test_from_the_courses_to_a_group_of_wrong_answers_and_an_example(visit, site):
    page = signed_in(visit, site, "/courses", script=False)
    page.get_by_role("link", name="Sums", exact=True).click()
    page.get_by_role("link", name="Wrong answers", exact=True).click()
    card = page.locator("article", has_text="squares = [0, 1, 2]")
    assert card.count() == 1
    assert "not explained yet" in card.inner_text()
    card.get_by_role("link", name="See an example").click()
    assert "[0, 1, 2]" in page.get_by_role("region", name="Values of part1").inner_text()
    frame = page.frame_locator("iframe.notebook")
    assert "squares" in frame.locator("body").inner_text()


def test_the_roster_is_sorted_without_scripts(visit, site):
    page = signed_in(visit, site, f"{HERE}/roster", script=False)
    names = lambda: page.locator("tbody th").all_inner_texts()  # noqa: E731
    before = names()
    page.get_by_role("link", name="Student", exact=False).first.click()
    assert names() == before[::-1]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Student")
    page.get_by_label("Name").fill("ada")
    page.get_by_role("button", name="Filter").click()
    assert names() == [name for name in before[::-1] if "ada" in name.casefold()]


MANY_PARTS = """() => {
  for (const row of document.querySelectorAll(".one-line tr"))
    for (let more = 0; more < 18; more++) {
      const cell = row.querySelector(".mark");
      cell.after(cell.cloneNode(true));
    }
}"""


def test_rows_of_twenty_parts_stay_low_and_beside_the_name(visit, site):
    page = signed_in(visit, site, f"{HERE}/roster")
    page.evaluate(MANY_PARTS)
    rows = page.locator(".one-line tbody tr").all()
    assert max(row.bounding_box()["height"] for row in rows) < 80  # px; a long name takes two lines
    name = page.locator(".one-line tbody th").first
    before = name.bounding_box()["x"]
    page.get_by_role("region", name="Roster").evaluate("each => { each.scrollLeft = 400 }")
    assert name.bounding_box()["x"] == before
    assert overflow(page) <= 0


TABS = ("", "/answers", "/roster", "/parts/part1", "/regrades", "/export", "/due")


@pytest.mark.parametrize("path", ["/courses", *(f"{HERE}{tab}" for tab in TABS)])
def test_every_page_passes_axe_and_fits_every_width(visit, site, path):
    page = signed_in(visit, site, path)
    assert faults(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0, width


def test_a_due_date_is_set_and_extended_without_scripts_and_students_come_late(visit, site):
    page = signed_in(visit, site, HERE, script=False)
    page.get_by_role("link", name="Due date", exact=True).click()
    everybody = page.get_by_role("region", name="For all students")
    everybody.get_by_label("Date and time").fill("2020-02-01T12:00")
    everybody.get_by_label("Time zone").fill("Nowhere/Land")
    page.get_by_role("button", name="Set the due date").click()
    assert "is no time zone" in page.get_by_role("alert").inner_text()
    page.get_by_label("Time zone").fill("Europe/Vienna")
    page.get_by_role("button", name="Set the due date").click()
    assert "Sat 1 Feb 2020, 12:00 (Europe/Vienna)" in everybody.inner_text()
    extensions = page.get_by_role("region", name="Extensions", exact=True)
    extensions.get_by_label("Student").fill(klass.NAMES[0])
    extensions.get_by_label("Date and time").fill("2090-02-01T12:00")
    page.get_by_role("button", name="Extend").click()
    assert "Wed 1 Feb 2090" in extensions.inner_text()
    page.set_viewport_size({"width": 360, "height": 800})
    assert overflow(page) <= 0
    page.get_by_role("link", name="Roster", exact=True).click()
    late = {
        row.locator("th").inner_text(): "late" in row.inner_text() for row in page.locator("tbody tr").all()
    }
    assert late.pop(klass.NAMES[0]) is False
    assert set(late.values()) == {True}
    page.get_by_role("link", name="Due date", exact=True).click()
    page.get_by_role("button", name="Remove the due date").click()
    assert "No due date is set" in everybody.inner_text()


def test_the_signed_link_shows_the_same_report_and_leads_to_students_and_to_the_form(visit, site):
    headers = {"Authorization": f"Bearer {site[1]}"}
    answer = httpx.get(
        f"{site[0]}/api/v1/assignments/tests/arithmetic/report-page", headers=headers, timeout=60
    )
    page = visit(answer.json()["page"])
    assert faults(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0, width
    signed = signed_in(visit, site, HERE)
    heads = [each.locator("main h2").all_inner_texts() for each in (page, signed)]
    assert [head.replace("Newest submissions", "Submissions") for head in heads[1]] == heads[0]
    page.get_by_role("region", name="Table of submissions").get_by_role("link").last.click()
    assert "/feedback/" in page.url
    page.go_back()
    page.get_by_role("link", name="Wrong answers", exact=True).click()
    assert page.url.startswith(f"{site[0]}/login")


def test_a_submission_and_the_form_pass_axe_in_the_dark(visit, site):
    page = visit(f"{site[0]}/login", dark=True)
    assert faults(page) == []
    page = signed_in(visit, site, f"{HERE}/roster", dark=True)
    page.locator("a.dot").first.click()
    assert faults(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert overflow(page) <= 0
