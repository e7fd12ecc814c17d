"""Every endpoint with every role, also across courses; rate limits; what a student's link opens."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from checks import bundle
from grader.api.app import create_app
from grader.api.limits import Buckets
from grader.api.recent import KEEP_SECONDS, RecentTokens
from grader.store import submissions, tokens
from grader.store.tokens import BadCourseError, Caller, UnknownTokenError
from tests.grader.arithmetic import BUNDLE, RIGHT
from tests.grader.test_api import HERE, PROBLEM, grade, submit

SUBMISSION = "/api/v1/submissions/{sid}"
WEBHOOKS = "/api/v1/courses/tests/webhooks"
REGRADE = f"{HERE}/regrades/none"
MARK = f"{SUBMISSION}/parts/part1/mark"
WHO = ("nobody", "revoked", "student", "monitor", "other_lms", "other_instructor", "lms", "instructor", "all")
# What each answers, in the order of WHO: nobody; a revoked token; the student's link to {sid}; a monitor's
# token; tokens of another course (lms, instructor); tokens of the course (lms, instructor); an instructor's
# token for every course. 404 across courses: what is out of scope is not there.
ROUTES = [
    ("GET", "/api/v1/assignments", "401 401 401 403 200 200 200 200 200"),
    ("POST", "/api/v1/assignments", "401 401 401 403 403 422 403 422 422"),
    ("POST", f"{HERE}/submissions", "401 401 401 403 404 404 415 415 415"),
    ("GET", f"{HERE}/report", "401 401 401 403 403 404 403 200 200"),
    ("GET", f"{HERE}/grades.csv", "401 401 401 403 403 404 403 200 200"),
    ("POST", f"{HERE}/grades.csv", "401 401 401 403 403 404 403 422 422"),
    ("GET", f"{HERE}/feedback.zip", "401 401 401 403 403 404 403 200 200"),
    ("POST", f"{HERE}/feedback.zip", "401 401 401 403 403 404 403 422 422"),
    ("POST", f"{HERE}/regrade", "401 401 401 403 403 404 403 422 422"),
    ("GET", f"{HERE}/regrades", "401 401 401 403 403 404 403 200 200"),
    ("GET", REGRADE, "401 401 401 403 403 404 403 404 404"),
    ("POST", f"{REGRADE}/apply", "401 401 401 403 403 404 403 404 404"),
    ("POST", f"{REGRADE}/undo", "401 401 401 403 403 404 403 404 404"),
    ("POST", f"{REGRADE}/discard", "401 401 401 403 403 404 403 404 404"),
    ("POST", f"{REGRADE}/run-again", "401 401 401 403 403 404 403 404 404"),
    ("PUT", MARK, "401 401 401 403 403 404 403 422 422"),
    ("DELETE", MARK, "401 401 401 403 403 404 403 404 404"),
    ("GET", f"{HERE}/report-page", "401 401 401 403 403 404 403 200 200"),
    ("GET", f"{HERE}/audit", "401 401 401 403 403 404 403 200 200"),
    ("GET", f"{HERE}/due", "401 401 401 403 403 404 403 200 200"),
    ("PUT", f"{HERE}/due", "401 401 401 403 403 404 403 422 422"),
    ("DELETE", f"{HERE}/due", "401 401 401 403 403 404 403 204 204"),
    ("PUT", f"{HERE}/extensions", "401 401 401 403 403 404 403 422 422"),
    ("DELETE", f"{HERE}/extensions", "401 401 401 403 403 404 403 422 422"),
    ("GET", SUBMISSION, "401 401 200 403 404 404 200 200 200"),
    ("GET", f"{SUBMISSION}/feedback", "401 401 200 403 404 404 200 200 200"),
    ("GET", f"{SUBMISSION}/notebook", "401 401 200 403 404 404 200 200 200"),
    ("GET", f"{SUBMISSION}/events", "401 401 200 403 404 404 200 200 200"),
    ("GET", WEBHOOKS, "401 401 401 403 403 404 403 200 200"),
    ("POST", WEBHOOKS, "401 401 401 403 403 404 403 422 422"),
    ("DELETE", f"{WEBHOOKS}/none", "401 401 401 403 403 404 403 404 404"),
    ("GET", f"{WEBHOOKS}/none/deliveries", "401 401 401 403 403 404 403 404 404"),
    ("POST", f"{WEBHOOKS}/none/send-again", "401 401 401 403 403 404 403 404 404"),
    ("POST", f"{WEBHOOKS}/none/deliveries/none/send-again", "401 401 401 403 403 404 403 404 404"),
    ("GET", "/metrics", "401 401 401 200 403 403 403 403 200"),
]
OPEN = {"/livez", "/readyz"}


@pytest.fixture
def everybody(client, store):
    """By name: what a request of theirs carries; with the graded submission's id as ``sid``."""
    sent = submit(client).json()
    grade(store, sent["id"])
    with store.write() as session:
        made = {
            "revoked": tokens.create(session, "instructor", "gone"),
            "monitor": tokens.create(session, "monitor", "prometheus"),
            "other_lms": tokens.create(session, "lms", "b", "other"),
            "other_instructor": tokens.create(session, "instructor", "b", "other"),
            "lms": tokens.create(session, "lms", "a", "tests"),
            "instructor": tokens.create(session, "instructor", "a", "tests"),
            "all": tokens.create(session, "instructor", "everybody"),
        }
        tokens.revoke(session, made["revoked"].split("_")[1])
    carried = {name: {"headers": {"Authorization": f"Bearer {text}"}} for name, text in made.items()}
    query = dict(pair.split("=") for pair in urlsplit(sent["links"]["page"]).query.split("&"))
    return carried | {"nobody": {}, "student": {"params": query}, "sid": sent["id"]}


@pytest.mark.parametrize(
    ("method", "path", "expected"), ROUTES, ids=[f"{route[0]} {route[1]}" for route in ROUTES]
)
def test_each_role_gets_what_it_may(client, everybody, method, path, expected):
    path = path.replace("{sid}", everybody["sid"])
    answers = {who: client.request(method, path, **everybody[who]) for who in WHO}
    assert {who: answer.status_code for who, answer in answers.items()} == dict(
        zip(WHO, map(int, expected.split()), strict=True)
    )
    for answer in answers.values():
        if answer.is_error:
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json()["status"] == answer.status_code


def test_every_route_of_the_api_is_in_the_table_of_roles(client):
    documented = {
        (
            method.upper(),
            path.replace("{assignment_id}", "tests/arithmetic")
            .replace("{submission_id}", "{sid}")
            .replace("{course}", "tests")
            .replace("{webhook_id}", "none")
            .replace("{delivery_id}", "none")
            .replace("{regrade_id}", "none")
            .replace("{part}", "part1"),
        )
        for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items()
        for method in methods
        if path not in OPEN
    }
    assert documented == {(method, path) for method, path, _ in ROUTES}


@pytest.mark.both_databases
def test_a_token_lists_the_assignments_of_its_course_only(client, everybody):
    other = BUNDLE | {
        "assignment.yaml": BUNDLE["assignment.yaml"].replace(b"id: tests/arithmetic", b"id: other/sums")
    }
    published = client.post("/api/v1/assignments", content=bundle.pack(other), **everybody["all"])
    assert published.status_code == 201
    listed = {
        who: [one["id"] for one in client.get("/api/v1/assignments", **everybody[who]).json()["assignments"]]
        for who in ("lms", "other_lms", "all")
    }
    assert listed == {
        "lms": ["tests/arithmetic"],
        "other_lms": ["other/sums"],
        "all": ["other/sums", "tests/arithmetic"],
    }


def test_nobody_publishes_into_another_course(client, everybody, store):
    answer = client.post("/api/v1/assignments", content=bundle.pack(BUNDLE), **everybody["other_instructor"])
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:grader:problem:wrong-course")
    assert client.post(
        "/api/v1/assignments", content=bundle.pack(BUNDLE), **everybody["instructor"]
    ).status_code == 201  # fmt: skip


def test_across_courses_is_answered_word_for_word_as_what_is_not_there(client, everybody):
    there = client.get(f"/api/v1/submissions/{everybody['sid']}", **everybody["other_lms"]).json()
    nowhere = client.get("/api/v1/submissions/nowhere", **everybody["other_lms"]).json()
    assert there["detail"].replace(everybody["sid"], "nowhere") == nowhere["detail"]
    assert there["type"] == nowhere["type"] == "urn:grader:problem:unknown-submission"


def test_a_students_link_opens_nothing_but_its_own_submission(client, everybody):
    other = submit(client, student="bob").json()["id"]
    link = everybody["student"]["params"]
    for changed in (
        {"path": other},
        {"path": everybody["sid"], "expires": int(link["expires"]) + 86_400},
        {"path": everybody["sid"], "signature": "0" * 64},
    ):
        params = {name: changed.get(name, link[name]) for name in ("expires", "signature")}
        answer = client.get(f"/api/v1/submissions/{changed['path']}/feedback", params=params)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:grader:problem:link-refused")


def test_a_student_gets_feedback_as_students_see_it(client, everybody):
    path = f"/api/v1/submissions/{everybody['sid']}/feedback"
    assert client.get(path, **everybody["student"]).content == client.get(path, **everybody["lms"]).content


@pytest.mark.both_databases
def test_a_revoked_token_opens_nothing_from_then_on(client, store):
    with store.write() as session:
        text = tokens.create(session, "lms", "short")
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/assignments", headers=headers).status_code == 200
    with store.write() as session:
        tokens.revoke(session, text.split("_")[1])
    assert client.get("/api/v1/assignments", headers=headers).status_code == 401


@pytest.mark.both_databases
def test_a_revoked_token_hands_in_nothing_from_then_on(client, store):
    with store.write() as session:
        text = tokens.create(session, "lms", "short")
    headers = {"Authorization": f"Bearer {text}"}
    path = "/api/v1/assignments/tests/arithmetic/submissions"

    def hand_in(student):
        return client.post(
            path, headers=headers, data={"student": student}, files={"notebook": ("a.ipynb", RIGHT)}
        )

    assert hand_in("ada").status_code == 202
    with store.write() as session:
        tokens.revoke(session, text.split("_")[1])
    for _ in range(2):
        refused = hand_in("eve")
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:grader:problem:unknown-token")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    with store.read() as session:
        assert {one.student for one in submissions.listed(session, "tests/arithmetic")} == {"ada"}


def test_what_is_known_of_a_token_is_asked_again_after_a_while_or_when_it_is_over():
    now = 0.0
    recent, caller = RecentTokens(clock=lambda: now), Caller("12345678", "lms")
    recent.add("gr_text", caller)
    assert (recent.caller("gr_text"), recent.caller("gr_other")) == (caller, None)
    now = KEEP_SECONDS
    assert recent.caller("gr_text") is None
    recent.add("gr_text", caller)
    recent.forget("12345678")
    assert recent.caller("gr_text") is None


def test_the_database_keeps_no_tokens_text(store):
    with store.write() as session:
        text = tokens.create(session, "lms", "hashed", "tests")
        secret = text.rsplit("_", 1)[1]
        session.flush()
        rows = [str(row) for table in ("tokens", "audit") for row in _rows(session, table)]
    assert rows
    assert not [row for row in rows if secret in row]


def _rows(session, table):
    return session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()


@pytest.mark.parametrize("course", ["", "a/b", "../x", "-a", "é", "x" * 101])
def test_a_course_that_no_assignment_can_have_is_refused(store, course):
    with pytest.raises(BadCourseError), store.write() as session:
        tokens.create(session, "lms", "x", course)


def test_revoking_what_is_not_there_says_so(store):
    with pytest.raises(UnknownTokenError), store.write() as session:
        tokens.revoke(session, "00000000")


class TestRateLimits:
    def test_a_bucket_lets_through_its_burst_then_its_rate(self):
        now = [0.0]
        buckets = Buckets(2, clock=lambda: now[0])
        assert [buckets.take("a") for _ in range(20)] == [0.0] * 20
        assert buckets.take("a") == pytest.approx(0.5)
        assert buckets.take("b") == 0
        now[0] = 0.5
        assert (buckets.take("a"), buckets.take("a") > 0) == (0.0, True)
        now[0] = 1000.0
        assert [buckets.take("a") for _ in range(21)][19:] == [0.0, pytest.approx(0.5)]

    def test_buckets_that_are_full_again_are_forgotten(self, monkeypatch):
        monkeypatch.setattr("grader.api.limits.MANY", 10)
        now = [0.0]
        buckets = Buckets(1, clock=lambda: now[0])
        for number in range(50):
            now[0] += 100
            buckets.take(str(number))
        assert len(buckets._left) <= 11

    def test_too_many_requests_of_one_token_are_a_429_and_others_go_on(self, settings, store):
        slow = settings.model_copy(update={"token_requests_per_second": 0.2})
        with store.write() as session:
            one, other = (tokens.create(session, "lms", name) for name in "ab")
        with TestClient(create_app(slow)) as client:
            ask = lambda text: client.get("/api/v1/assignments", headers={"Authorization": f"Bearer {text}"})  # noqa: E731
            assert [ask(one).status_code for _ in range(3)] == [200, 200, 429]
            refused = ask(one)
            assert (refused.headers["content-type"], refused.json()["type"]) == (
                PROBLEM,
                "urn:grader:problem:too-many-requests",
            )
            assert 1 <= int(refused.headers["retry-after"]) <= 5
            assert ask(other).status_code == 200

    def test_too_many_requests_of_one_link_are_a_429(self, settings, store, client):
        page = submit(client).json()["links"]["page"]
        slow = settings.model_copy(update={"link_requests_per_second": 0.1})
        with TestClient(create_app(slow)) as limited:
            path = page.removeprefix("http://testserver")
            assert [limited.get(path).status_code for _ in range(2)] == [200, 429]
