"""Points by a person: bounded, told, logged, read by the student, and never lost to a regrade."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from checks.feedback import Feedback
from grader import marking, regrade
from grader.store import feedback, marks, webhooks
from grader.store.tables import Attempt, AuditEntry, WebhookMessage
from tests.grader.arithmetic import SPEC
from tests.grader.test_api import submit
from tests.grader.test_regrade import STRICTER, klass, now, previewed  # noqa: F401

PAGES = "/assignments/tests/arithmetic"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def instructor(client):
    client.headers.update(client.headers_of["instructor"])
    return client


def put(client, submission: str, part: str = "part1", **body):
    body = {"score": 0.5, "reason": "The idea is *right*."} | body
    return client.put(f"/api/v1/submissions/{submission}/parts/{part}/mark", json=body)


def test_a_mark_is_in_force_at_once_and_the_student_reads_who_and_why(instructor, store, klass):  # noqa: F811
    answer = put(instructor, klass["off"])
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["score"], told["judged_status"]) == ("partial", 0.5, "incorrect")
    seen = instructor.get(
        f"/api/v1/submissions/{klass['off']}/feedback", headers=instructor.headers_of["lms"]
    ).json()
    assert seen["parts"][0]["message"] == "Marked by a person: The idea is *right*."
    assert (seen["parts"][0]["score"], seen["score"]) == (0.5, 2.5)


@pytest.mark.parametrize(
    ("body", "part", "status", "name", "says"),
    [
        ({"score": 1.01}, "part1", 422, "invalid-mark", "from 0 to 1"),
        ({"score": -0.1}, "part1", 422, "invalid-mark", "from 0 to 1"),
        ({"reason": "  "}, "part1", 422, "invalid-mark", "empty"),
        ({"reason": "x" * 2001}, "part1", 422, "invalid-request", ""),
        ({"score": "NaN"}, "part1", 422, "invalid-request", ""),
        ({}, "part9", 404, "unknown-part", "part9"),
    ],
)
def test_a_mark_that_cannot_be_given_says_why_and_changes_nothing(  # noqa: PLR0917
    instructor,
    store,
    klass,  # noqa: F811
    body,
    part,
    status,
    name,
    says,
):
    before = now(store, klass["off"]).to_json()
    answer = put(instructor, klass["off"], part, **body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:grader:problem:{name}")
    assert says in answer.json()["detail"]
    assert now(store, klass["off"]).to_json() == before


@pytest.mark.parametrize("score", [0, 1])
def test_both_bounds_can_be_given(instructor, klass, score):  # noqa: F811
    assert put(instructor, klass["off"], score=score).json()["score"] == score


def test_what_has_no_verdict_cannot_be_marked(instructor):
    sent = submit(instructor).json()["id"]
    answer = put(instructor, sent)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:grader:problem:not-graded-yet")


def test_a_mark_is_logged_with_before_and_after_and_told_to_receivers(instructor, store, klass):  # noqa: F811
    with store.write() as session:
        webhooks.create(session, "tests", "https://127.0.0.1:9/x", ["feedback.changed"], by="ada")
    put(instructor, klass["off"])
    with store.read() as session:
        (entry,) = session.query(AuditEntry).filter_by(action="mark.given")
        (message,) = session.query(WebhookMessage)
    before, after = json.loads(entry.before), json.loads(entry.after)
    assert (before["score"], before["mark"]) == (0.0, None)
    assert (after["score"], after["mark"]["reason"]) == (0.5, "The idea is *right*.")
    assert entry.actor.startswith("token ")
    assert (message.event, json.loads(message.body)["data"]["score"]) == ("feedback.changed", 2.5)


def test_a_mark_survives_a_regrade_and_its_undoing_and_goes_when_it_is_withdrawn(
    instructor,
    store,
    klass,  # noqa: F811
):
    before = now(store, klass["off"]).to_json()
    put(instructor, klass["off"])
    made = previewed(store, STRICTER)
    regrade.apply(store, made, by="ada")
    assert now(store, klass["off"]).parts[0].score == 0.5
    regrade.undo(store, made, by="ada")
    assert now(store, klass["off"]).parts[0].score == 0.5
    path = f"/api/v1/submissions/{klass['off']}/parts/part1/mark"
    assert [instructor.delete(path).status_code for _ in range(2)] == [204, 404]
    assert now(store, klass["off"]).to_json() == before


def test_a_part_that_waits_for_a_person_gets_its_points(instructor, store, klass):  # noqa: F811
    spec = SPEC.replace("    title: A list\n", "    title: A list\n    marked_by: hand\n    points: 3\n")
    made = previewed(store, spec)
    regrade.apply(store, made, by="ada")
    waiting = now(store, klass["right"])
    assert waiting.parts[0].status == "needs_review"
    assert marks.standing_score(waiting) is None
    put(instructor, klass["right"], score=2)
    marked = now(store, klass["right"])
    assert (marked.parts[0].status, marked.parts[0].score, marked.score) == ("partial", 2.0, 4.0)
    assert marks.standing_score(marked) == 4.0


def test_the_page_marks_refuses_and_withdraws(client, store, klass):  # noqa: F811
    token = client.headers_of["instructor"]["Authorization"].removeprefix("Bearer ")
    client.post("/login", data={"token": token})
    client.headers["accept"] = "text/html"
    path = f"/submissions/{klass['off']}/marks"
    csrf = client.get(path).text.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "part": "part1", "score": "0,5", "reason": "<b>well</b>"}
    refused = client.post(path, data=form | {"score": "7"})
    assert (refused.status_code, "from 0 to 1" in refused.text) == (422, True)
    shown = client.post(path, data=form).text
    assert "&lt;b&gt;well&lt;/b&gt;" in shown
    assert "<b>well</b>" not in shown
    with store.read() as session:
        assert marking.standing(session, klass["off"])[0].given.score == 0.5
    client.post(path, data=form | {"withdraw": "1"})
    with store.read() as session:
        assert marking.standing(session, klass["off"])[0].given is None


def test_the_submissions_page_logs_who_gave_how_much_and_why(client, store, klass):  # noqa: F811
    client.headers.update(client.headers_of["instructor"] | {"Accept": "text/html"})
    put(client, klass["off"])
    page = client.get(f"/submissions/{klass['off']}").text
    log = re.sub(r"<[^>]*>", " ", page[page.index("Audit log") :])
    log = " ".join(log.split())
    assert "marked by hand part1 : 0 → 0.5 points Reason: The idea is *right*." in log


def test_the_page_leads_from_one_that_waits_for_a_person_to_the_next(client, store, klass):  # noqa: F811
    for name in ("off", "right"):
        with store.write() as session:
            attempt = session.query(Attempt).filter_by(submission_id=klass[name]).one().id
            row = feedback.latest_row(session, attempt)
            judged = Feedback.from_json(row.document)
            waiting = msgspec.structs.replace(judged.parts[0], status="needs_review", score=0.0)
            verdict = msgspec.structs.replace(judged, parts=(waiting, *judged.parts[1:]))
            feedback.add(session, attempt, verdict, evidence=row.evidence)
    headers = client.headers_of["instructor"] | {"Accept": "text/html"}
    page = {
        name: client.get(f"/submissions/{each}/marks", headers=headers).text for name, each in klass.items()
    }
    assert f'href="/submissions/{klass["right"]}/marks">Next to mark' in page["off"]
    assert f'href="/submissions/{klass["off"]}/marks">Next to mark' in page["right"]
    assert f'href="/submissions/{klass["off"]}/marks">Next to mark' in page["odd"]
    assert "2 others to mark" in page["odd"]
    listed = client.get(f"{PAGES}/parts/part1?status=needs_review", headers=headers).text
    assert {name for name, each in klass.items() if f"/submissions/{each}/marks#part1" in listed} == {
        "off", "right",
    }  # fmt: skip
    assert f'src="/submissions/{klass["odd"]}/executed"' in page["odd"]
