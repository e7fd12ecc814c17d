"""What a browser reads where something went wrong, and what a program still gets there."""

from __future__ import annotations

import re
from html import unescape

import pytest

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
