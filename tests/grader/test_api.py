"""The HTTP service in this process: roles, problems, submissions, reports, pages."""

from __future__ import annotations

import json
import re
import threading
import time
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence, Run
from checks.feedback import Feedback, SubmissionInfo, system_error_feedback
from checks.judge import judge
from grader.api.app import create_app
from grader.store import attempts, submissions
from grader.store.attempts import Remains
from tests.grader.arithmetic import BUNDLE, RIGHT, notebook

HERE = "/api/v1/assignments/tests/arithmetic"
PROBLEM = "application/problem+json"
LARGE = b"x" * (21 << 20)


def submit(client, role="lms", student="ada", content=RIGHT, **headers):
    return client.post(
        f"{HERE}/submissions",
        data={"student": student},
        files={"notebook": ("a.ipynb", content)},
        headers=client.headers_of[role] | headers,
    )


def grade(store, submission_id) -> Feedback:
    """Finish a submission as a worker would, with the feedback of a notebook that was rejected."""
    with store.read() as session:
        found = submissions.progress(session, submission_id)
    run = Run(
        status="rejected",
        seconds=0.0,
        environment="tensorflow@sha256:0",
        memory_limit="cgroup",
        detail="a test",
    )
    evidence = Evidence(notebook=found.notebook, assignment=found.version, run=run)
    info = SubmissionInfo(found.id, found.student, found.notebook)
    verdict = judge(Assignment.from_files(BUNDLE), evidence, None, info)
    with store.write() as session:
        lease = attempts.claim(session, found.attempt, seconds=60)
        remains = Remains(store.blobs.put(evidence.to_bytes()), store.blobs.put(b"executed"))
        assert attempts.finish(session, lease, verdict, remains)
    return verdict


def park(store, submission_id) -> None:
    """Give a submission up as a worker would whose sandbox fails."""
    with store.read() as session:
        found = submissions.progress(session, submission_id)
    info = SubmissionInfo(found.id, found.student, found.notebook)
    verdict = system_error_feedback(Assignment.from_files(BUNDLE), info, "a test")
    with store.write() as session:
        lease = attempts.claim(session, found.attempt, seconds=60)
        assert attempts.park(session, lease, verdict, reason="no sandbox")


@pytest.mark.parametrize("token", ["", "gr_00000000_" + "0" * 48, "Bearer", "é"])
def test_an_unknown_token_is_told_so(client, token):
    answer = client.get("/api/v1/assignments", headers={"Authorization": f"Bearer {token}".encode()})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_the_development_token_is_an_instructors(settings, store):
    chosen = settings.model_copy(
        update={"development_token": type(settings)(development_token="try").development_token}
    )
    with TestClient(create_app(chosen)) as client:
        assert client.get(f"{HERE}/report", headers={"Authorization": "Bearer try"}).status_code == 200
        assert client.get(f"{HERE}/report", headers={"Authorization": "Bearer trx"}).status_code == 401


def test_a_submission_is_accepted_with_its_place_in_the_queue(client):
    assert submit(client, student="first").status_code == 202
    answer = submit(client)
    found = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == found["links"]["self"]
    assert (found["state"], found["position"], found["student"], found["number"]) == ("queued", 2, "ada", 1)
    assert client.get(found["links"]["self"], headers=client.headers_of["lms"]).json() == found


def test_json_and_a_form_hand_in_the_same_notebook(client, store):
    body = {"student": "ada", "notebook": json.loads(RIGHT)}
    sent = client.post(f"{HERE}/submissions", json=body, headers=client.headers_of["lms"])
    assert sent.status_code == 202
    with store.read() as session:
        digests = {
            submissions.progress(session, answer.json()["id"]).notebook for answer in (sent, submit(client))
        }
    assert len(digests) == 1


def test_without_a_broker_a_submission_is_accepted_all_the_same(settings, store):
    away = type(settings)(broker_url="redis+socket:///none/there").broker_url
    chosen = settings.model_copy(
        update={
            "broker_url": away,
            "development_token": type(settings)(development_token="try").development_token,
        }
    )
    with TestClient(create_app(chosen)) as client:
        client.headers_of = {"lms": {"Authorization": "Bearer try"}}
        assert submit(client).status_code == 202
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"database": "ok", "broker": "does not answer"})


@pytest.mark.both_databases
def test_the_same_idempotency_key_gets_the_same_answer(client):
    first, again = (submit(client, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    other = submit(client, student="bob", **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:grader:problem:idempotency-key-reused")


@pytest.mark.parametrize(
    ("change", "status", "name", "says"),
    [
        ({"path": "/api/v1/assignments/none/submissions"}, 404, "unknown-assignment", "none"),
        ({"content": b"no"}, 422, "not-a-notebook", "not JSON"),
        (
            {"content": notebook("x").replace(b'"nbformat": 4', b'"nbformat": 9')},
            422,
            "not-a-notebook",
            "newer",
        ),
        ({"student": ""}, 422, "invalid-request", "student"),
        ({"key": "k" * 300}, 422, "invalid-request", "Idempotency-Key"),
        ({"content": b" " * (11 << 20)}, 413, "content-too-large", "10 MiB"),
    ],
)
def test_what_cannot_be_accepted_is_a_problem_that_says_why(client, change, status, name, says):
    headers = client.headers_of["lms"] | ({"Idempotency-Key": change["key"]} if "key" in change else {})
    answer = client.post(
        change.get("path", f"{HERE}/submissions"),
        data={"student": change.get("student", "ada")},
        files={"notebook": ("a.ipynb", change.get("content", RIGHT))},
        headers=headers,
    )
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["type"] == f"urn:grader:problem:{name}"
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"student": "ada"}', b'{"student": 1, "notebook": {}}', b"\xff", b"[" * 99_999]
)
def test_a_json_body_of_another_shape_is_a_problem(client, body):
    headers = client.headers_of["lms"] | {"Content-Type": "application/json"}
    answer = client.post(f"{HERE}/submissions", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:grader:problem:invalid-request")


@pytest.mark.parametrize(
    ("request_line", "sent", "status", "name"),
    [
        (f"POST {HERE}/submissions", {"content": LARGE}, "413 Content Too Large", "content-too-large"),
        (f"POST {HERE}/submissions", {"content": b"no form"}, "400 Bad Request", "bad-request"),
        (f"POST {HERE}/submissions", {"files": {"x": b""}}, "422 Unprocessable Content", "invalid-request"),
        ("GET /api/v1/nothing", {}, "404 Not Found", "not-found"),
        ("DELETE /api/v1/assignments", {}, "405 Method Not Allowed", "method-not-allowed"),
    ],
)  # fmt: skip
def test_a_problems_type_and_title_are_fixed_whoever_found_it(client, request_line, sent, status, name):
    method, path = request_line.split()
    headers = dict(client.headers_of["lms"])
    if "content" in sent:
        headers["Content-Type"] = "multipart/form-data; boundary=b"
    answer = client.request(method, path, headers=headers, **sent)
    found = answer.json()
    assert (f"{answer.status_code} {found['title']}", answer.headers["content-type"]) == (status, PROBLEM)
    assert found["type"] == f"urn:grader:problem:{name}"


@pytest.mark.both_databases
def test_a_database_that_is_away_is_a_503_that_says_when_to_ask_again(client, store):
    with store.write() as session:
        session.execute(text("ALTER TABLE assignments RENAME TO elsewhere"))
    answer = submit(client)
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert (answer.headers["retry-after"], answer.json()["type"]) == (
        "5",
        "urn:grader:problem:database-unavailable",
    )


def test_a_bug_of_ours_is_a_problem_too(client, monkeypatch):
    monkeypatch.setattr("grader.api.submissions.receive_notebook", lambda *_: 1 / 0)
    answer = submit(client)
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert answer.json()["type"] == "urn:grader:problem:internal-error"
    assert "division" not in answer.text


def test_a_form_without_its_fields_is_a_problem(client):
    headers = client.headers_of["lms"]
    for form in (
        {"files": {"notebook": ("a", RIGHT)}},
        {"data": {"student": "a", "notebook": "text"}, "files": {"x": ("x", b"")}},
    ):
        assert client.post(f"{HERE}/submissions", headers=headers, **form).status_code == 422


def test_no_more_than_the_bound_is_read_of_a_body_that_announces_no_length(client):
    read = []

    def endless():
        while len(read) < 400:
            read.append(1)
            yield b" " * (1 << 20)

    answer = client.post(
        f"{HERE}/submissions",
        content=endless(),
        headers=client.headers_of["lms"] | {"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


@pytest.mark.both_databases
def test_feedback_comes_when_it_is_there_and_the_notebooks_with_it(client, store):
    sent = submit(client).json()
    headers = client.headers_of["lms"]
    waiting = client.get(sent["links"]["feedback"], headers=headers)
    assert (waiting.status_code, waiting.json()["state"], waiting.headers["retry-after"]) == (
        409,
        "queued",
        "1",
    )
    assert client.get(sent["links"]["notebook"] + "?executed=true", headers=headers).status_code == 409
    verdict = grade(store, sent["id"])
    assert (
        client.get(sent["links"]["feedback"], headers=client.headers_of["instructor"]).content
        == verdict.to_json()
    )
    assert client.get(sent["links"]["self"], headers=headers).json()["state"] == "finished"
    assert client.get(sent["links"]["notebook"] + "?executed=true", headers=headers).content == b"executed"
    assert json.loads(client.get(sent["links"]["notebook"], headers=headers).content)["nbformat"] == 4


def test_only_instructors_get_the_checks_that_are_hidden_from_students(client, store, monkeypatch):
    hidden = BUNDLE["assignment.yaml"].replace(b"- id: right\n", b"- id: right\n        hidden: true\n")
    files = BUNDLE | {"assignment.yaml": hidden}
    monkeypatch.setitem(BUNDLE, "assignment.yaml", hidden)
    client.post("/api/v1/assignments", content=bundle.pack(files), headers=client.headers_of["instructor"])
    sent = submit(client).json()
    grade(store, sent["id"])
    seen = {
        role: [
            check["id"]
            for check in client.get(sent["links"]["feedback"], headers=client.headers_of[role]).json()[
                "parts"
            ][0]["checks"]
        ]
        for role in ("lms", "instructor")
    }
    assert seen == {"lms": [], "instructor": ["right"]}


def test_events_tell_every_change_and_end_with_the_feedback(client, store):
    sent = submit(client).json()

    def work() -> None:
        time.sleep(0.5)
        grade(store, sent["id"])

    worker = threading.Thread(target=work)
    worker.start()
    told = events(client, sent)
    worker.join()
    assert [(kind, data.get("state")) for kind, data in told if kind != "part"] == [
        ("progress", "queued"), ("progress", "running"), ("progress", "finished"), ("feedback", None),
    ]  # fmt: skip
    assert [data["part"]["id"] for kind, data in told if kind == "part"] == ["part1", "part2"]
    assert told[-1][1]["schema"] == "feedback/1"


def events(client, sent, **headers):
    with client.stream("GET", sent["links"]["events"], headers=client.headers_of["lms"] | headers) as stream:
        assert stream.status_code == 200
        lines = [line for line in stream.iter_lines() if line.startswith(("event:", "data:"))]
    return [
        (kind.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for kind, data in zip(lines[::2], lines[1::2], strict=True)
    ]


@pytest.mark.both_databases
def test_an_instructor_publishes_and_everybody_sees_it_listed(client):
    changed = BUNDLE | {
        "assignment.yaml": BUNDLE["assignment.yaml"].replace(b"id: tests/arithmetic", b"id: a/b/c")
    }
    answer = client.post(
        "/api/v1/assignments", content=bundle.pack(changed), headers=client.headers_of["instructor"]
    )
    assert (answer.status_code, answer.json()["id"]) == (201, "a/b/c")
    listed = client.get("/api/v1/assignments", headers=client.headers_of["lms"]).json()["assignments"]
    assert [one["id"] for one in listed] == ["a/b/c", "tests/arithmetic"]


def test_an_authors_mistakes_are_all_named(client):
    bad = BUNDLE | {"assignment.yaml": b"id: x\ntitle: ''\n"}
    answer = client.post(
        "/api/v1/assignments", content=bundle.pack(bad), headers=client.headers_of["instructor"]
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:grader:problem:bad-assignment")
    assert len(answer.json()["mistakes"]) > 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"environment: tensorflow", b"environment: tensorflwo", "did you mean 'tensorflow'"),
        (b"environment: tensorflow", b"environment: tensorflow\ncompat: [gensim2]", "did you mean 'gensim3'"),
    ],
)
def test_an_assignment_for_an_environment_that_is_not_there_is_refused(client, old, new, says):
    bad = BUNDLE | {"assignment.yaml": BUNDLE["assignment.yaml"].replace(old, new)}
    answer = client.post(
        "/api/v1/assignments", content=bundle.pack(bad), headers=client.headers_of["instructor"]
    )
    assert answer.status_code == 422
    assert [says in mistake for mistake in answer.json()["mistakes"]] == [True]


@pytest.mark.both_databases
def test_the_report_shows_every_submission_and_counts_statuses(client, store):
    graded = submit(client, student="=HYPERLINK()").json()
    submit(client, student="bob")
    verdict = grade(store, graded["id"])
    headers = client.headers_of["instructor"]
    report = client.get(f"{HERE}/report", headers=headers).json()
    assert report["states"] == {"finished": 1, "queued": 1}
    assert [part["statuses"] for part in report["parts"]] == [{part.status: 1} for part in verdict.parts]
    assert [row["run_status"] for row in report["submissions"]] == ["rejected", None]
    lines = client.get(f"{HERE}/grades.csv", headers=headers).text.splitlines()
    assert (
        lines[0]
        == "student,submission,number,state,score,max_score,part1 score,part1 status,part2 score,part2 status"
    )
    assert lines[1].startswith("'=HYPERLINK(),")
    assert lines[2].startswith("bob,")
    assert lines[2].endswith(",queued,,,,,,")


def test_what_nobody_judged_is_a_zero_nowhere(client, store):
    sent = submit(client).json()
    park(store, sent["id"])
    headers = client.headers_of["instructor"]
    line = client.get(f"{HERE}/grades.csv", headers=headers).text.splitlines()[1]
    assert line.endswith(",parked,,3,,unjudged,,unjudged")
    row = client.get(f"{HERE}/report", headers=headers).json()["submissions"][0]
    assert (row["score"], [part["score"] for part in row["parts"]]) == (None, [None, None])
    pages = [sent["links"]["page"], client.get(f"{HERE}/report-page", headers=headers).json()["page"]]
    for page in pages:
        shown = client.get(page).text
        assert "not yet judged" in shown
        assert not re.search(r"\b0\s*(<[^>]*>\s*)*(of|/)", shown)


@pytest.mark.both_databases
def test_a_student_opens_the_page_without_a_token(client, store):
    sent = submit(client, student="<b>Ada</b>").json()
    waiting = client.get(sent["links"]["page"])
    assert 'http-equiv="refresh"' in waiting.text
    assert 'Number <strong data-field="position">1</strong> in the queue' in waiting.text
    grade(store, sent["id"])
    page = client.get(sent["links"]["page"])
    assert (page.status_code, 'http-equiv="refresh"' in page.text) == (200, False)
    assert "&lt;b&gt;Ada" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


def test_a_changed_link_or_another_page_does_not_open(client):
    one, other = submit(client).json(), submit(client).json()
    assert client.get(one["links"]["page"][:-1] + "x").status_code == 403
    assert client.get(one["links"]["page"].replace(one["id"], other["id"])).status_code == 403
    assert client.get(one["links"]["page"].split("?")[0]).status_code == 403


def test_the_report_page_opens_by_its_link_only(client, store):
    grade(store, submit(client).json()["id"])
    page = client.get(f"{HERE}/report-page", headers=client.headers_of["instructor"]).json()["page"]
    text = client.get(page).text
    assert 'id="newest">Submissions</h2>' in text
    [student] = re.findall(r'<th scope="row"><a href="(/feedback/[^"]*)"><bdi>ada<', text)
    assert client.get(unescape(student)).status_code == 200
    assert client.get("/reports/tests/arithmetic").status_code == 403


@pytest.mark.both_databases
def test_the_service_says_that_it_lives_and_is_ready(client):
    assert client.get("/livez").text == "ok\n"
    assert client.get("/readyz").json() == {"database": "ok", "broker": "ok"}


def test_the_style_sheet_is_served(client):
    assert client.get("/static/grader.css").headers["content-type"].startswith("text/css")
