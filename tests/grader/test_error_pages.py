"""What a browser reads where something went wrong, and what a program still gets there."""

from __future__ import annotations

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from grader.api.app import create_app
from tests.grader.test_api import submit

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROBLEM = "application/problem+json"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_an_address_without_a_page_is_a_page_with_a_way_back(client):
    answer = client.get("/no/such/page", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no page at this address." in text_of(answer.text)
    assert 'href="/courses"' in answer.text
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/no/such/page", {}), ("/no/such/page", {"Accept": "*/*"}), ("/api/v1/no", BROWSER)],
)
def test_programs_get_the_problem_document(client, path, headers):
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json()["type"] == "urn:grader:problem:not-found"


def test_what_the_document_told_in_headers_stays(client):
    answer = client.delete("/courses", headers=BROWSER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert "text/html" in answer.headers["content-type"]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_bug_of_ours_is_a_page_too(client, monkeypatch):
    monkeypatch.setattr("grader.api.session.html", lambda *_, **__: 1 / 0)
    answer = client.get("/login", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong on our side" in text_of(answer.text)
    assert "division" not in answer.text
    assert f"the number {answer.headers['x-request-id']}" in text_of(answer.text)


def test_the_bare_address_leads_to_the_courses(client):
    answer = client.get("/", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/courses")


def own_page(client) -> str:
    return submit(client).json()["links"]["page"].removeprefix("http://testserver")


@pytest.mark.parametrize(
    "page", ["/feedback/abc", "/feedback/abc/annotated.ipynb", "/reports/tests/arithmetic"]
)
def test_a_damaged_link_says_that_it_does_not_open_and_leads_to_no_page_of_the_staff(client, page):
    answer = client.get(f"{page}?expires=zzz&signature=1", headers=BROWSER)
    assert answer.status_code == 422
    said = text_of(answer.text)
    assert "This link does not open" in said
    assert "Go back to where you found it" in said
    assert "fields" not in said
    assert "/courses" not in answer.text


@pytest.fixture
def slow(settings, store, client):
    """A service that takes one request for a link, and one of a token, every hundred seconds."""
    once = settings.model_copy(update={"link_requests_per_second": 0.01, "token_requests_per_second": 0.01})
    with TestClient(create_app(once), raise_server_exceptions=False) as made:
        made.headers_of = client.headers_of
        yield made


def test_a_student_who_asks_too_often_reads_it_without_a_way_to_the_staffs_pages(client, slow):
    page = own_page(client)
    assert slow.get(page, headers=BROWSER).status_code == 200
    answer = slow.get(page, headers=BROWSER)
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (429, True)
    assert "Too many requests" in text_of(answer.text)
    assert "/courses" not in answer.text
    assert int(answer.headers["retry-after"]) > 1


def test_a_student_who_meets_a_bug_of_ours_reads_it_without_a_way_to_the_staffs_pages(client, monkeypatch):
    page = own_page(client)
    monkeypatch.setattr("grader.api.pages.feedback.page", lambda *_, **__: 1 / 0)
    answer = client.get(page, headers=BROWSER)
    assert (answer.status_code, "/courses" in answer.text) == (500, False)
    assert f"the number {answer.headers['x-request-id']}" in text_of(answer.text)


def shows_in_a_frame(answer) -> bool:
    policy = answer.headers["content-security-policy"]
    return "frame-ancestors 'self'" in policy and "sandbox" in policy and "<a" not in answer.text


@pytest.mark.parametrize(
    ("path", "headers", "shown"),
    [
        ("/feedback/abc/notebook?expires=zzz", {}, True),
        ("/submissions/abc/executed", {}, True),
        ("/no/such/page", {"Sec-Fetch-Dest": "iframe"}, True),
        ("/no/such/page", {"Sec-Fetch-Dest": "document"}, False),
        ("/assignments/tests/notebook", {}, False),
        ("/feedback/abc?expires=zzz", {}, False),
    ],
)
def test_an_error_in_the_notebooks_frame_shows_there(client, path, headers, shown):
    answer = client.get(path, headers=BROWSER | client.headers_of["instructor"] | headers)
    assert answer.status_code in {404, 422}
    assert "text/html" in answer.headers["content-type"]
    assert shows_in_a_frame(answer) == shown


def test_too_many_requests_and_our_bugs_show_in_the_frame(client, slow, monkeypatch):
    page, _, key = own_page(client).partition("?")
    statuses = []
    monkeypatch.setattr("grader.api.pages.feedback._notebook", lambda *_: 1 / 0)
    for _ in range(2):
        answer = slow.get(f"{page}/notebook?{key}", headers=BROWSER)
        assert shows_in_a_frame(answer)
        statuses.append(answer.status_code)
    assert statuses == [500, 429]


@pytest.mark.parametrize("path", ["/courses", "/submissions/abc/executed"])
def test_a_page_of_the_staff_says_when_to_come_again(slow, path):
    headers = BROWSER | slow.headers_of["instructor"]
    answer = [slow.get(path, headers=headers) for _ in range(2)][1]
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (429, True)
    assert int(answer.headers["retry-after"]) > 1


def test_a_page_of_the_staff_says_which_sign_in_it_takes(client):
    answer = client.get("/courses", headers=BROWSER | {"Authorization": "Bearer gr_wrong"})
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (401, True)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_figures_are_refused_to_a_browser_without_a_page(client):
    answer = client.get("/metrics", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert "/courses" not in answer.text
