"""Real Chromium before a real API process; the worker's part is played by the store's own steps."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from checks.feedback import Feedback, PartFeedback
from grader.api.links import links_of
from grader.receive import publish_bundle
from grader.settings import Settings
from grader.store import Store, attempts, open_store, submissions
from grader.store.attempts import Lease, Remains
from tests import serving
from tests.browser import films
from tests.conftest import need

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDTHS = (360, 768, 1280)


@dataclass(frozen=True)
class Stage:
    """A running API with the assignment ``films``, and the store behind it."""

    url: str
    token: str
    store: Store
    settings: Settings

    def submit(self, student: str = "Ada Lovelace", assignment: str = "films/vectors") -> tuple[str, str]:
        """Hand a notebook in over HTTP; returns the submission's id and its page's address."""
        answer = httpx.post(
            f"{self.url}/api/v1/assignments/{assignment}/submissions",
            headers={"Authorization": f"Bearer {self.token}"},
            data={"student": student},
            files={"notebook": ("a.ipynb", films.BUNDLE["starter.ipynb"])},
            timeout=60,
        )
        answer.raise_for_status()
        sent = answer.json()
        return sent["id"], sent["links"]["page"]

    def claim(self, submission: str) -> Lease:
        """Take the submission as a worker does."""
        with self.store.write() as session:
            lease = attempts.claim(session, submissions.progress(session, submission).attempt, seconds=900)
        assert lease is not None
        return lease

    def run(self, lease: Lease, cell: int, cells: int) -> None:
        """Tell how far the run is."""
        with self.store.write() as session:
            assert attempts.report(session, lease, phase="running", cell=cell, cells=cells)

    def finish(
        self, submission: str, lease: Lease | None = None, parts: tuple[PartFeedback, ...] | None = None
    ) -> Feedback:
        """End the run with a verdict and the executed notebook."""
        lease = lease or self.claim(submission)
        with self.store.write() as session:
            verdict = films.verdict(submissions.progress(session, submission), parts)
            blobs = self.store.blobs
            remains = Remains(blobs.put(b"evidence"), blobs.put(films.executed()))
            assert attempts.finish(session, lease, verdict, remains)
        return verdict

    def graded(self, student: str = "Ada Lovelace", parts: tuple[PartFeedback, ...] | None = None) -> str:
        """The page's address of a submission that was graded."""
        submission, address = self.submit(student)
        self.finish(submission, parts=parts)
        return address

    def signed(self, page: str, subject: str) -> str:
        """The address of a page that opens by a signed link."""
        return self.url + links_of(self.settings).sign(page, subject)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The API as a process of its own, on SQLite."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("browser") / "data",
        broker_url="memory://",  # type: ignore[arg-type]
        link_requests_per_second=1000,
    )
    token = serving.prepare(settings)
    store = open_store(settings)
    publish_bundle(store, films.BUNDLE)
    try:
        with serving.api(settings) as served:
            yield Stage(served.url, token, store, settings)
    finally:
        store.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's browser."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    need(program is not None, "Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a fresh profile: ``visit(address, width=…, dark=…, script=…, reload…)``.

    At the end, no page may have raised an error or broken its own content security policy.
    """
    contexts, wrong = [], []

    def opened(
        address: str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
        **more: Any,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
            **more,
        )  # fmt: skip
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _is_breach(said.text) else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def _is_breach(text: str) -> bool:
    return "Content Security Policy" in text and "about:srcdoc" not in text


def faults(page: Page) -> list[str]:
    """What axe finds wrong, each with the element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}: {node.get('failureSummary', '')}"
        for one in found
        for node in one["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
