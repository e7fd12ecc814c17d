"""What people who run the service rely on: figures, logs, the audit log."""

from __future__ import annotations

import json
import logging
import threading
import time

import pytest
import structlog
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from checks import bundle
from grader import logs
from grader.api.app import create_app
from grader.store import attempts, feedback, submissions
from grader.store.heartbeat import Heartbeat
from tests.grader.arithmetic import BUNDLE
from tests.grader.test_api import HERE, grade, park, submit

HIDDEN = BUNDLE["assignment.yaml"].replace(b"title: Sums", b"title: More sums")


def figures(client, **headers):
    """By name and labels (without the name's own) what /metrics says."""
    answer = client.get("/metrics", headers=headers or client.headers_of["monitor"])
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.both_databases
def test_figures_follow_the_submissions(client, store):
    queue = "tensorflow.interactive"
    sent = [submit(client, student=name).json()["id"] for name in "abcd"]
    grade(store, sent[0])
    park(store, sent[1])
    with store.write() as session:
        attempts.claim(session, submissions.progress(session, sent[2]).attempt, seconds=60)
        session.execute(text("UPDATE attempts SET created_at = created_at - 100 WHERE state = 'queued'"))
        session.execute(text("UPDATE attempts SET claims = 3 WHERE state = 'parked'"))
    found = figures(client)
    assert (found["grader_queue_depth", queue], found["grader_running", queue]) == (1, 1)
    assert found["grader_queue_oldest_seconds", queue] == pytest.approx(100, abs=30)
    assert (found["grader_endings_total", "rejected"], found["grader_endings_total", "system_error"]) == (
        1,
        1,
    )
    assert (found["grader_parked",], found["grader_retries_total",]) == (1, 2)
    assert (found["grader_seconds_count", "waiting"], found["grader_seconds_count", "grading"]) == (3, 2)
    assert found["grader_seconds_bucket", "1000.0", "grading"] == 2
    assert found["grader_deliveries", "pending"] == 0
    route = "/api/v1/assignments/{assignment_id:path}/submissions"
    assert found["grader_requests_total", "POST", route, "202"] == 4


def test_judging_again_counts_no_second_ending(client, store):
    sent = submit(client).json()["id"]
    verdict = grade(store, sent)
    with store.write() as session:
        feedback.add(session, submissions.progress(session, sent).attempt, verdict, evidence=None)
    assert figures(client)["grader_endings_total", "rejected"] == 1


def test_paths_that_nobody_serves_make_no_figures_of_their_own(client):
    for number in range(20):
        client.request(f"X{number}", f"/nowhere/{number}")
    names = [key for key in figures(client) if key[0] == "grader_requests_total"]
    assert ("grader_requests_total", "other", "other", "404") in names
    assert len([key for key in names if key[1] == "other"]) == 1


@pytest.mark.parametrize(
    ("changes", "peer", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "::1", 200),
        ({}, "192.0.2.7", 401),
        ({"public_url": "https://grader.example.edu"}, "127.0.0.1", 401),
        ({"host": "0.0.0.0"}, "127.0.0.1", 401),
    ],
)
def test_figures_are_open_to_this_machine_while_the_service_is_for_it_alone(
    settings, client, changes, peer, status
):
    chosen = settings.model_copy(update=changes)
    with TestClient(create_app(chosen), client=(peer, 5000)) as asking:
        assert asking.get("/metrics").status_code == status


# --- logs


@pytest.fixture
def logged(capsys, logging_restored):
    """Everything that was logged since the last look, as objects."""
    logs.configure()
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_every_line_of_a_request_has_its_id_and_its_submissions(client, store, logged):
    sent = submit(client, **{"X-Request-ID": "from-the-lms.7"})
    assert sent.headers["x-request-id"] == "from-the-lms.7"
    client.get(f"/api/v1/submissions/{sent.json()['id']}", headers=client.headers_of["lms"])
    lines = logged()
    mine = [line for line in lines if line.get("request") == "from-the-lms.7"]
    assert [line["event"] for line in mine] == ["accepted", "request"]
    assert mine[0]["submission"] == sent.json()["id"]
    assert (mine[1]["method"], mine[1]["status"]) == ("POST", 202)
    assert [line["submission"] for line in lines if line.get("method") == "GET"] == [sent.json()["id"]]
    assert all({"timestamp", "level", "event", "logger"} <= set(line) for line in lines)


def test_neither_tokens_nor_signatures_are_logged(client, logged):
    page = submit(client).json()["links"]["page"]
    client.get(page)
    said = json.dumps(logged())
    assert "signature" not in said
    assert "Bearer" not in said
    assert "/feedback/" in said


@pytest.mark.parametrize("sent", ["a b", "x" * 65, 'x"\n', ""])
def test_a_request_id_that_could_be_more_than_an_id_is_replaced(client, sent):
    answer = client.get("/livez", headers={"X-Request-ID": sent.encode()})
    assert answer.headers["x-request-id"] not in {sent, ""}


def test_a_bug_is_answered_and_logged_under_one_id(client, monkeypatch, logged):
    monkeypatch.setattr("grader.api.submissions.receive_notebook", lambda *_: 1 / 0)
    answer = submit(client)
    assert answer.status_code == 500
    line = next(line for line in logged() if line["event"] == "request")
    assert (line["request"], line["status"]) == (answer.headers["x-request-id"], 500)


def test_libraries_log_in_the_same_form_with_the_same_ids(logged):
    with structlog.contextvars.bound_contextvars(attempt="a1", submission="s1"):
        logging.getLogger("celery.worker").warning("lost %s", "something")
    [line] = logged()
    assert (line["event"], line["attempt"], line["submission"], line["level"]) == (
        "lost something",
        "a1",
        "s1",
        "warning",
    )


def test_the_thread_that_renews_a_lease_logs_with_the_ids_of_its_owner(logged):
    failed = threading.Event()

    def renew():
        failed.set()
        raise OperationalError("renew", None, Exception("away"))

    with structlog.contextvars.bound_contextvars(attempt="a1"), Heartbeat(renew, every=0.01):
        assert failed.wait(10)
    assert logged()[0]["attempt"] == "a1"


def test_an_error_is_logged_with_its_trace(logged):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
    [line] = logged()
    assert "ZeroDivisionError" in line["exception"]


# --- the audit log


def entries(client, query=""):
    answer = client.get(f"{HERE}/audit{query}", headers=client.headers_of["instructor"])
    assert answer.status_code == 200
    return answer.json()


def test_who_published_which_version_is_on_record(client):
    files = BUNDLE | {"assignment.yaml": HIDDEN}
    sent = client.post(
        "/api/v1/assignments", content=bundle.pack(files), headers=client.headers_of["instructor"]
    )
    again = client.post(
        "/api/v1/assignments", content=bundle.pack(files), headers=client.headers_of["instructor"]
    )
    assert (sent.status_code, again.status_code) == (201, 201)
    first, second = reversed(entries(client)["entries"])
    assert (first["action"], first["actor"], first["before"]) == ("version.published", "command line", None)
    assert second["actor"].startswith("token ")
    assert second["actor"].endswith("(test)")
    assert second["before"] == first["after"]
    assert second["after"] == {"version": sent.json()["version"]}
    assert abs(second["at"] - time.time()) < 600


@pytest.mark.both_databases
def test_every_verdict_is_on_record_with_the_mark_before_and_after(client, store):
    sent = submit(client).json()["id"]
    verdict = grade(store, sent)
    with store.write() as session:
        found = submissions.progress(session, sent)
        feedback.add(session, found.attempt, verdict, evidence=None, by="token 1 (Ada)")
    changed, first, _ = entries(client)["entries"]
    assert (first["actor"], first["subject"], first["before"]) == ("worker", sent, None)
    assert first["after"]["score"] == verdict.score
    assert first["after"]["parts"] == {part.id: part.status for part in verdict.parts}
    assert (changed["actor"], changed["before"]) == ("token 1 (Ada)", first["after"])


@pytest.mark.both_databases
def test_the_audit_log_comes_in_pages(client, store):
    for name in "abc":
        grade(store, submit(client, student=name).json()["id"])
    first = entries(client, "?limit=3")
    second = entries(client, f"?limit=3&before={first['next']}")
    assert [len(page["entries"]) for page in (first, second)] == [3, 1]
    assert second["next"] is None
    ids = [entry["id"] for page in (first, second) for entry in page["entries"]]
    assert ids == sorted(ids, reverse=True)


def test_an_assignment_that_is_not_there_has_no_audit_log(client):
    answer = client.get("/api/v1/assignments/none/audit", headers=client.headers_of["instructor"])
    assert answer.status_code == 404
