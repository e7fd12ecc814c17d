"""A student's pages as the server makes them: what they say, what they keep back, and their headers."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import msgspec
import nbformat
import pytest

from checks.assignment import Assignment
from checks.feedback import CheckFeedback, PartFeedback
from grader.api.pages import view
from grader.receive import publish_bundle
from grader.store import attempts, due, feedback, handed_in, marks, submissions
from grader.store.attempts import Remains
from grader.store.due import Due
from tests.browser import films

# The pages are the same on every database.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
STRICT = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"


def hand_in(client, store, student="ada"):
    publish_bundle(store, films.BUNDLE)
    answer = client.post(
        "/api/v1/assignments/films/vectors/submissions",
        data={"student": student},
        files={"notebook": ("a.ipynb", films.BUNDLE["starter.ipynb"])},
        headers=client.headers_of["lms"],
    )
    return answer.json()


def grade(store, submission_id, parts=None, executed=None):
    with store.write() as session:
        found = submissions.progress(session, submission_id)
        lease = attempts.claim(session, found.attempt, seconds=60)
        remains = Remains(
            store.blobs.put(b"evidence"),
            store.blobs.put(executed if executed is not None else films.executed()),
        )
        assert attempts.finish(session, lease, films.verdict(found, parts), remains)


def graded(client, store, parts=None, **more):
    sent = hand_in(client, store)
    grade(store, sent["id"], parts, **more)
    return sent


def text_of(html: str) -> str:
    """What a person reads."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def beside(page: str, path: str) -> str:
    """The address of another page of the submission."""
    address, _, key = page.partition("?")
    return f"{address}{path}?{key}"


def part(status: str, **more: object) -> PartFeedback:
    most = {"ungraded": 0.0}.get(status, 2.0)
    return msgspec.structs.replace(
        PartFeedback("part2", "Two films added up", status, 0.0, most, "What was found."),  # type: ignore[arg-type]
        **more,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (part("correct", score=2.0), "correct 2 of 2 points"),
        (part("partial", score=0.5), "partly correct 0.5 of 2 points"),
        (part("incorrect"), "not correct yet 0 of 2 points"),
        (part("not_attempted"), "not attempted 0 of 2 points"),
        (part("error"), "stopped by an error 0 of 2 points"),
        (part("ungraded"), "to think about What was found."),
        (part("needs_review"), "a person will mark this 2 points"),
        (part("unjudged"), "not yet judged 2 points"),
        (part("correct", score=1.0, max_score=1.0, bonus=True), "correct 1 of 1 bonus point"),
    ],
)
def test_each_part_says_its_state_in_words_and_its_points(client, store, given, said):
    page = client.get(graded(client, store, (given,))["links"]["page"]).text
    card = re.search(r"<article.*?</article>", page, re.DOTALL)[0]
    assert f"Two films added up {said}" in text_of(card)
    assert re.search(rf'class="badge {given.status}"><svg', card)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((part("unjudged"),), "not yet judged"),
        ((part("needs_review"), part("ungraded", id="part3")), "not yet marked"),
        ((part("needs_review"), part("unjudged", id="part3")), "not yet judged"),
        ((part("needs_review"), part("correct", id="part3", score=2.0)), "2 of 4 points so far"),
        ((part("correct", score=2.0),), "2 of 2 points"),
    ],
)
def test_what_is_open_is_no_zero(client, store, given, says):
    page = client.get(graded(client, store, given)["links"]["page"]).text
    score = re.search(r'<p class="score.*?</p>', page, re.DOTALL)[0]
    assert text_of(score) == says


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("correct", ""),
        ("ungraded", ""),
        ("incorrect", "hand the notebook in again"),
        ("not_attempted", "Give `neighbours` a value"),
        ("error", "Restart the kernel"),
        ("needs_review", "once a person has marked"),
        ("unjudged", "costs no points"),
    ],
)
def test_what_to_do_next(status, says, database):
    specs = {each.id: each for each in Assignment.from_files(films.BUNDLE).parts}
    found = view.next_step(part(status), specs["part2"])
    assert (says in found) if says else found == ""


def test_messages_are_markdown_and_nothing_in_them_is_markup(client, store):
    hostile = "Use *this* `<b>` <script>alert(1)</script> [x](javascript:alert(1))"
    page = client.get(graded(client, store, (part("incorrect", message=hostile),))["links"]["page"]).text
    assert "<em>this</em> <code>&lt;b&gt;</code>" in page
    assert "<script>" not in page
    assert 'href="javascript' not in page


def test_each_hint_stands_inside_the_one_before(client, store):
    page = client.get(
        graded(client, store, (part("incorrect", hints=("One", "Two", "Three")),))["links"]["page"]
    ).text
    shape = re.findall(r"<details|</details>|<p>(?:One|Two|Three)</p>", page)
    assert shape == [
        "<details", "<p>One</p>", "<details", "<p>Two</p>", "<details", "<p>Three</p>",
        "</details>", "</details>", "</details>",
    ]  # fmt: skip
    assert "<details open" not in page


def test_a_misconception_is_told_by_its_message_alone(client, store):
    page = client.get(
        graded(client, store, (part("incorrect", misconception="whole_matrix_norm"),))["links"]["page"]
    )
    assert "whole_matrix_norm" not in page.text


def test_what_other_checks_say_is_told_once(database):
    said = [
        ("a", "First.", "failed"),
        ("b", "Second.", "failed"),
        ("c", "Second.", "failed"),
        ("d", "Kind.", "passed"),
    ]
    checks = tuple(CheckFeedback(name, outcome, text, 1.0) for name, text, outcome in said)  # type: ignore[arg-type]
    assert view.more(part("incorrect", message="First.", checks=checks)) == ("Second.",)


def test_the_page_shows_what_the_assignment_shows_to_students(client, store, monkeypatch):
    hidden = films.BUNDLE["assignment.yaml"].replace(
        b"title: Two films added up\n", b"title: Two films added up\n    visible: instructors\n"
    )
    monkeypatch.setitem(films.BUNDLE, "assignment.yaml", hidden)
    sent = hand_in(client, store)
    assert "Two films added up" not in client.get(sent["links"]["page"]).text
    grade(store, sent["id"])
    for page in (sent["links"]["page"], beside(sent["links"]["page"], "/notebook")):
        assert "Two films added up" not in client.get(page).text
    assert "Two films" not in client.get(beside(sent["links"]["page"], "/annotated.ipynb")).text.replace(
        "## Two films", ""
    )


def test_a_waiting_page_tells_place_cell_and_parts(client, store):
    sent = hand_in(client, store)
    queued = client.get(sent["links"]["page"]).text
    assert "Number 1 in the queue." in text_of(queued)
    assert '<noscript><meta http-equiv="refresh"' in queued
    assert queued.count("not judged yet") == 8
    with store.write() as session:
        lease = attempts.claim(session, submissions.progress(session, sent["id"]).attempt, seconds=60)
        attempts.report(session, lease, phase="running", cell=4, cells=12)
    running = client.get(sent["links"]["page"]).text
    assert '<progress aria-label="Cells that have run" max="12" value="4"' in running
    assert re.search(r'data-step="running" aria-current="step"', running)


def test_the_history_tells_runs_marks_and_other_submissions(client, store):
    first, second = graded(client, store), graded(client, store)
    hand_in(client, store, student="bob")
    with store.write() as session:
        marks.give(session, second["id"], "part7", score=3.0, reason="Well put", by="an instructor")
        feedback.mark_again(session, submissions.progress(session, second["id"]).attempt)
    page = client.get(second["links"]["page"]).text
    assert re.findall(r"<span>(Graded|Marked by a person)[^<]*: <strong>([^<]*)", page) == [
        ("Graded", "3 of 10 points so far"), ("Marked by a person", "6 of 10 points"),
    ]  # fmt: skip
    assert "Marked by a person: Well put" in text_of(page)
    links = [unescape(link) for link in re.findall(r'<th scope="row"><a href="([^"]*)"', page)]
    assert [link.split("?")[0] for link in links] == [f"/feedback/{first['id']}"]
    assert client.get(links[0]).status_code == 200


def test_no_more_submissions_are_read_than_are_shown(client, store):
    sent = [hand_in(client, store) for _ in range(3)]
    with store.read() as session:
        found = handed_in.of_student(session, "films/vectors", "ada", limit=2)
    assert [one.number for one in found] == [3, 2]
    assert [one.id for one in found] == [sent[2]["id"], sent[1]["id"]]
    assert [one.latest for one in found] == [None, None]


def test_the_pages_policy_lets_nothing_inline_or_foreign_in(client, store):
    page = client.get(graded(client, store)["links"]["page"])
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert page.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=\"/static/)", page.text)


def test_the_notebook_can_do_nothing_and_has_each_verdict_beside_its_cell(client, store):
    sent = graded(client, store)
    page = client.get(sent["links"]["page"]).text
    frame = unescape(re.search(r'<iframe[^>]* src="([^"]*)" sandbox ', page)[1])
    shown = client.get(frame)
    assert shown.headers["content-security-policy"].startswith(STRICT)
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in shown.text
    assert "Toy Story" in shown.text
    for judged in films.parts():
        heading = f'aria-label="Feedback: {judged.title}"'
        row = re.search(
            rf'<section class="cell-row[^>]* id="cell-{judged.cell}".*?</section>', shown.text, re.DOTALL
        )
        assert (heading in row[0]) if judged.cell is not None else shown.text.count(heading) == 1
        jump = f"{frame}#cell-{judged.cell}".replace("&", "&amp;")
        assert (f'href="{jump}"' in page) is (judged.cell is not None)


def test_the_annotated_notebook_is_a_file_for_jupyter(client, store):
    sent = graded(client, store)
    file = client.get(beside(sent["links"]["page"], "/annotated.ipynb"))
    assert file.headers["content-disposition"].startswith("attachment;")
    read = nbformat.reads(file.text, as_version=4)
    tagged = [cell for cell in read.cells if "grader-feedback" in cell.metadata.get("tags", [])]
    assert len(tagged) == len(films.parts())


@pytest.mark.parametrize("path", ["/notebook", "/annotated.ipynb"])
def test_where_there_is_no_notebook_it_is_said(client, store, path):
    sent = hand_in(client, store)
    page = sent["links"]["page"]
    assert client.get(beside(page, path)).status_code == 404
    grade(store, sent["id"], executed=b"not a notebook")
    answer = client.get(beside(page, path))
    assert (answer.status_code, "no executed notebook" in answer.text) == (404, True)


@pytest.mark.parametrize("path", ["", "/notebook", "/annotated.ipynb"])
def test_a_link_opens_its_own_submission_alone(client, store, path):
    one, other = graded(client, store), graded(client, store)
    page = beside(one["links"]["page"], path)
    assert client.get(page).status_code == 200
    for changed in (page.replace(one["id"], other["id"]), page[:-1] + "x", page.partition("?")[0]):
        answer = client.get(changed)
        assert (answer.status_code, "This link does not open" in answer.text) == (403, True)


def test_a_submission_that_was_given_up_is_no_fault_of_the_student(client, store):
    sent = hand_in(client, store)
    with store.write() as session:
        lease = attempts.claim(session, submissions.progress(session, sent["id"]).attempt, seconds=60)
        assert attempts.park(session, lease, None, reason="the sandbox did not start")
    page = client.get(sent["links"]["page"]).text
    assert "no fault of yours" in page
    assert "the sandbox did not start" not in page
    assert "http-equiv" not in page


def test_what_all_parts_say_alike_is_said_once_with_what_to_do(client, store):
    said = "The notebook could not be run: the file is not JSON"
    stopped = tuple(part("error", id=name, message=said) for name in ("part2", "part3"))
    page = text_of(client.get(graded(client, store, stopped)["links"]["page"]).text)
    assert page.count(said) == 1
    assert page.count("Next:") == 1
    assert "Go on with" not in page
    differing = (stopped[0], part("error", id="part3", message="Another."))
    page = text_of(client.get(graded(client, store, differing)["links"]["page"]).text)
    assert page.count("Next:") == 2


def test_a_file_that_is_no_notebook_is_not_to_be_run_again(database):
    cards = view.cards(whole(), Assignment.from_files(films.BUNDLE))
    assert "`.ipynb`" in view.shared_next(cards[4:6], "rejected")
    assert "Restart the kernel" in view.shared_next(cards[4:6], "time_limit")
    assert view.shared_message(cards) == ""
    assert view.shared_message(cards[4:6]) == ""


def test_moments_are_told_in_the_zone_of_the_due_date(client, store):
    sent = graded(client, store)
    page = client.get(sent["links"]["page"]).text
    assert page.count(" UTC</time>") == 4
    with store.write() as session:
        due.put(session, "films/vectors", Due(4e9, "Europe/Vienna"), by="ada")
    page = client.get(sent["links"]["page"]).text
    assert page.count(" (Europe/Vienna)</time>") == 5
    assert " UTC</time>" not in page


def test_the_summary_counts_graded_parts(database):
    cards = view.cards(whole(), Assignment.from_files(films.BUNDLE))
    assert view.summary(cards) == "2 of 7 parts right, 1 not decided yet."
    assert view.first_to_do(cards).part.id == "part2"
    right = [replace(card, part=msgspec.structs.replace(card.part, status="correct")) for card in cards]
    assert view.summary(right) == "Every part is right. Well done."
    assert view.first_to_do(right) is None
    assert view.summary([cards[3]]) == "No part is right yet."
    assert view.summary([cards[5]]) == "Nothing here is graded."
    assert view.summary([cards[6]]) == "No part is decided yet."


def whole():
    return films.verdict(
        submissions.Progress(
            "s",
            "films/vectors",
            "sha256:0",
            "ada",
            1,
            "sha256:1",
            None,
            0.0,
            "a",
            1,
            "finished",
            "",
            0,
            0,
            1,
            None,
            None,
        )
    )
