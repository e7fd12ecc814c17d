"""The whole way in a browser: a student hands in and reads, a spec is corrected, the mark changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks import bundle
from grader import embedded_redis, up
from grader.settings import Settings
from tests.conftest import need
from tests.grader.arithmetic import BUNDLE, WRONG
from tests.service.conftest import HERE, Lms
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import require_sandbox

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.slow]
PAGES = "/assignments/tests/arithmetic"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 90_000  # ms; a test ends long before, on an idle machine


def spec(values: str) -> dict[str, bytes]:
    text = BUNDLE["assignment.yaml"].decode()
    text = text.replace("environment: tensorflow", "environment: python").replace("[0, 1, 4]", values)
    return BUNDLE | {"assignment.yaml": text.encode()}


@pytest.fixture
def lms(tmp_path: Path) -> Iterator[Lms]:
    try:
        require_sandbox()
        load_environment("python")
        embedded_redis.find_server()
    except (SandboxUnavailable, embedded_redis.NoRedisError) as problem:
        need(False, str(problem))
    settings = Settings(
        data_dir=tmp_path / "data", port=0, serves=("python",), worker_processes=1, sweep_seconds=0.5
    )
    with up.service(settings, print) as running:
        yield Lms(running, settings)


@pytest.fixture
def page(lms: Lms) -> Iterator[playwright.Page]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    need(bool(chromium), "chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        made = browser.new_page(base_url=lms.running.url)
        made.set_default_timeout(PATIENCE)
        yield made
        browser.close()


def part1_of(page: playwright.Page, link: str) -> str:
    """What the student reads of the first part."""
    page.goto(link)
    return page.locator("main").inner_text()


def test_from_a_wrong_answer_to_a_corrected_spec_and_back(lms: Lms, page: playwright.Page, tmp_path) -> None:
    publish(lms, "[0, 1, 4]")
    sent = lms.submit(WRONG)
    link = sent["links"]["page"]
    page.goto(link)
    page.get_by_text("These are not the first three squares.").wait_for()

    lms.feedback(sent)  # what the page showed may have been told while the notebook still ran
    report = lms.instructor.get(f"{HERE}/report").json()
    assert report["parts"][0]["statuses"] == {"incorrect": 1}
    publish(lms, "[0, 1, 2]")

    page.goto(f"/login?next={PAGES}/regrades")
    page.get_by_label("Token").fill(lms.running.tokens["instructor"])
    page.locator("form button[type=submit]").first.click()
    page.get_by_role("heading", name="Choose a version").wait_for()
    shot(page, tmp_path, "choose")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Nobody's mark has changed yet").wait_for()
    assert page.locator(".regrade-figures .up dd").inner_text() == "1"
    assert "right: failed → passed" in page.locator("main").inner_text()
    shot(page, tmp_path, "preview")
    assert "not correct yet" in part1_of(page, link).lower()

    page.go_back()
    page.get_by_role("button", name="Apply to 1 submission").click()
    page.get_by_text("These verdicts are in force").wait_for()
    applied = page.url
    assert "These are not the first" not in part1_of(page, link)
    assert lms.feedback(sent)["score"] == 3.0

    page.goto(applied)
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("This was taken back").wait_for()
    assert "These are not the first" in part1_of(page, link)
    assert lms.feedback(sent)["score"] == 2.0


def publish(lms: Lms, values: str) -> None:
    answer = lms.instructor.post("/api/v1/assignments", content=bundle.pack(spec(values)))
    assert answer.status_code == 201, answer.text


def shot(page: playwright.Page, folder: Path, name: str) -> None:
    """For whoever wants to look."""
    page.screenshot(path=Path(os.environ.get("SCREENSHOTS", folder)) / f"{name}.png", full_page=True)
