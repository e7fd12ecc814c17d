"""Regrades over HTTP and on pages: previewed by a worker, applied, undone; one at a time; nothing is lost."""

from __future__ import annotations

import re
import time

import pytest

from checks import bundle
from grader import regrade, regrade_relay
from grader.store import regrade_jobs, regrades, webhooks
from grader.store.regrades import How
from grader.store.tables import AuditEntry, Regrade, WebhookMessage
from tests.grader.arithmetic import SPEC
from tests.grader.test_regrade import REFERENCE, STRICTER, klass, mark, now, version  # noqa: F401

HERE = "/api/v1/assignments/tests/arithmetic"
PAGES = "/assignments/tests/arithmetic"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Post:
    """A broker that remembers."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send_regrade(self, regrade_id: str, queue: str) -> None:
        self.sent.append((regrade_id, queue))

    def depth(self, _queue: str) -> int:
        return 0


@pytest.fixture
def instructor(client):
    client.headers.update(client.headers_of["instructor"])
    return client


def begin(client, **body):
    return client.post(f"{HERE}/regrade", json=body)


def work(store, made: str) -> None:
    """What a worker does."""
    assert regrade.preview(store, made, lambda _: REFERENCE)
    regrade.apply_if_asked(store, made)


def publish(client, spec: str) -> str:
    return client.post("/api/v1/assignments", content=bundle.pack(version(spec))).json()["version"]


@pytest.fixture
def previewed(instructor, store, klass) -> str:  # noqa: F811
    publish(instructor, STRICTER)
    made = begin(instructor, preview=True).json()["id"]
    work(store, made)
    return made


def test_a_regrade_is_accepted_previewed_by_a_worker_applied_and_undone(instructor, store, klass):  # noqa: F811
    wanted = publish(instructor, STRICTER)
    accepted = begin(instructor, preview=True, version=wanted)
    assert accepted.status_code == 202
    told = accepted.json()
    assert (told["state"], told["version"]) == ("previewing", wanted)
    where = accepted.headers["location"].removeprefix("http://testserver")
    work(store, told["id"])
    found = instructor.get(where).json()
    assert (found["state"], found["rises"], found["falls"], found["unchanged"]) == ("previewed", 1, 1, 1)
    assert {each["student"] for each in found["movers"]} == {"right", "odd"}
    assert now(store, klass["right"]).score == 3.0
    assert instructor.post(f"{where}/apply").json()["state"] == "applied"
    assert now(store, klass["right"]).score == 2.0
    assert instructor.post(f"{where}/undo").json()["state"] == "undone"
    assert now(store, klass["right"]).score == 3.0
    assert [each["state"] for each in instructor.get(f"{HERE}/regrades").json()["regrades"]] == ["undone"]


def test_without_a_preview_it_is_in_force_as_soon_as_it_is_judged(instructor, store, klass):  # noqa: F811
    publish(instructor, STRICTER)
    made = begin(instructor).json()["id"]
    work(store, made)
    assert instructor.get(f"{HERE}/regrades/{made}").json()["state"] == "applied"
    assert now(store, klass["odd"]).score == 3.0


def test_movers_come_page_by_page(instructor, previewed):
    path = f"{HERE}/regrades/{previewed}"
    first = instructor.get(path, params={"limit": 1}).json()
    second = instructor.get(path, params={"limit": 1, "offset": first["next"]}).json()
    assert (first["next"], second["next"]) == (1, None)
    assert {each["movers"][0]["student"] for each in (first, second)} == {"right", "odd"}


def test_one_regrade_of_an_assignment_at_a_time(instructor, store, klass):  # noqa: F811
    first = begin(instructor, preview=True).json()["id"]
    refused = begin(instructor, preview=True)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:grader:problem:regrade-running")
    assert first in refused.json()["detail"]
    assert instructor.post(f"{HERE}/regrades/{first}/discard").json()["state"] == "discarded"
    assert begin(instructor, preview=True).status_code == 202


def test_a_preview_that_was_discarded_while_it_was_made_ends_without_a_trace(instructor, store, klass):  # noqa: F811
    made = begin(instructor, preview=True).json()["id"]

    def discarded(_: regrade.Loaded):
        regrade.discard(store, made)
        return REFERENCE

    assert regrade.preview(store, made, discarded) is False
    assert instructor.get(f"{HERE}/regrades/{made}").json()["state"] == "discarded"


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        ({"version": "sha256:nothing"}, 422, "unknown-version"),
        ({"preview": "perhaps"}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_regraded_is_a_problem(instructor, body, status, name):
    answer = begin(instructor, **body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:grader:problem:{name}")


@pytest.mark.parametrize(("step", "says"), [("undo", "it is"), ("run-again", "")])
def test_a_step_out_of_order_is_a_conflict(instructor, klass, step, says):  # noqa: F811
    made = begin(instructor, preview=True).json()["id"]
    answer = instructor.post(f"{HERE}/regrades/{made}/{step}")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:grader:problem:regrade-state")
    assert "the regrade is previewing" in answer.json()["detail"]


def test_a_verdict_since_the_preview_is_a_conflict_and_loses_nothing(instructor, store, klass, previewed):  # noqa: F811
    mark(store, klass["odd"], "part1", 0.5)
    answer = instructor.post(f"{HERE}/regrades/{previewed}/apply")
    assert (answer.status_code, "odd" in answer.json()["detail"]) == (409, True)
    assert instructor.get(f"{HERE}/regrades/{previewed}").json()["state"] == "previewed"


def test_only_verdicts_that_say_something_else_are_told_and_logged(instructor, store, klass, previewed):  # noqa: F811
    with store.write() as session:
        webhooks.create(session, "tests", "https://lms.example.edu/x", ["feedback.changed"], by="ada")
        earlier = session.query(AuditEntry).filter_by(action="verdict.written").count()
    regrade.apply(store, previewed, by="ada")
    with store.read() as session:
        written = session.query(AuditEntry).filter_by(action="verdict.written").all()[earlier:]
        told = session.query(WebhookMessage).all()
        (applied,) = session.query(AuditEntry).filter_by(action="regrade.applied")
    assert {each.subject for each in written} == {klass["right"], klass["odd"]}
    assert {each.event for each in told} == {"feedback.changed"}
    assert len(told) == 2
    assert ('"verdicts":3' in applied.after, applied.subject) == (True, previewed)


def test_what_has_to_run_again_is_queued_once_and_does_not_stop_the_others(instructor, store, klass):  # noqa: F811
    more = "{squares: {role: answer, starter: null}, numbers: {role: set-up}}"
    publish(instructor, SPEC.replace("{squares: {role: answer, starter: null}}", more))
    made = begin(instructor, preview=True).json()["id"]
    work(store, made)
    assert [instructor.post(f"{HERE}/regrades/{made}/run-again").json()["queued"] for _ in range(2)] == [3, 0]
    assert instructor.post(f"{HERE}/regrades/{made}/apply").json()["state"] == "applied"


class TestLeases:
    def test_the_relay_sends_a_waiting_regrade_once_to_the_batch_queue(self, store, klass):  # noqa: F811
        made = regrade.begin_in_worker(store, "tests/arithmetic", None, by="ada", then_apply=False)
        post = Post()
        assert [regrade_relay.send_due(store, post) for _ in range(2)] == [1, 0]
        assert post.sent == [(made, "tensorflow.batch")]

    def test_a_regrade_of_a_command_line_is_nobody_elses_and_fails_when_it_falls_silent(self, store):
        made = regrade.begin(store, "tests/arithmetic", None, How("ada"))
        self._outlast(store, made)
        assert regrade_relay.send_due(store, Post()) == 0
        found = regrade.report(store, made)
        assert (found.state, "fell silent" in found.detail) == ("failed", True)

    def test_a_killed_workers_preview_is_taken_up_again_and_after_too_many_tries_fails(self, store, klass):  # noqa: F811
        made = regrade.begin_in_worker(store, "tests/arithmetic", None, by="ada", then_apply=False)
        post = Post()
        for _ in range(regrade_jobs.MAX_CLAIMS):
            assert regrade_relay.send_due(store, post) == 1
            with store.write() as session:
                owner = regrade_jobs.claim(session, made, seconds=60)
                assert owner is not None
                assert regrade_jobs.claim(session, made, seconds=60) is None
            self._outlast(store, made)
        found = regrade.report(store, made)
        assert (found.state, "given up after 3 tries" in found.detail) == ("failed", True)

    def test_who_lost_the_lease_writes_nothing_more(self, store, klass):  # noqa: F811
        made = regrade.begin_in_worker(store, "tests/arithmetic", None, by="ada", then_apply=False)

        def overtaken(_: regrade.Loaded):
            self._outlast(store, made)
            with store.write() as session:
                assert regrade_jobs.claim(session, made, seconds=60)
            return REFERENCE

        assert regrade.preview(store, made, overtaken) is False
        with store.read() as session:
            assert regrades.lines(session, made) == []

    def test_a_message_that_got_lost_is_sent_again(self, store, monkeypatch):
        regrade.begin_in_worker(store, "tests/arithmetic", None, by="ada", then_apply=False)
        post = Post()
        regrade_relay.send_due(store, post)
        monkeypatch.setattr(regrade_jobs, "LOST_SECONDS", -1.0)
        regrade_relay.sweep(store, post)
        regrade_relay.send_due(store, post)
        assert len(post.sent) == 2

    def test_a_lost_message_is_found_although_the_clock_was_put_back_since(self, store):
        made = regrade.begin_in_worker(store, "tests/arithmetic", None, by="ada", then_apply=False)
        post = Post()
        regrade_relay.send_due(store, post)
        with store.write() as session:
            session.get_one(Regrade, made).message_at = time.time() + 86_400
        regrade_relay.sweep(store, post)
        assert regrade_relay.send_due(store, post) == 1

    def _outlast(self, store, made: str) -> None:
        with store.write() as session:
            seen = regrade_jobs.beat(session, made)
            assert seen is not None
            assert regrade_jobs.take_back(session, seen)


class TestPages:
    @pytest.fixture
    def page(self, client):
        """A browser that signed in."""
        token = client.headers_of["instructor"]["Authorization"].removeprefix("Bearer ")
        assert client.post("/login", data={"token": token}, follow_redirects=False).status_code == 303
        client.headers["accept"] = "text/html"
        return client

    def csrf(self, text: str) -> str:
        return re.search(r'name="csrf" value="([^"]+)"', text)[1]

    def test_the_whole_way_on_pages(self, page, store, klass):  # noqa: F811
        publish_headers = page.headers_of["instructor"]
        page.post(
            "/api/v1/assignments", content=bundle.pack(version(STRICTER)), headers=publish_headers
        ).raise_for_status()
        choice = page.get(f"{PAGES}/regrades").text
        assert "in force" in choice
        assert "<ins>+" in choice
        begun = page.post(f"{PAGES}/regrades", data={"csrf": self.csrf(choice)}, follow_redirects=False)
        assert begun.status_code == 303
        where = begun.headers["location"]
        assert 'http-equiv="refresh"' in page.get(where).text
        work(store, where.rpartition("/")[2])
        shown = page.get(where).text
        assert "Nobody's mark has changed yet" in shown.replace("&#39;", "'")
        assert "right: failed → passed" in shown
        applied = page.post(f"{where}/apply", data={"csrf": self.csrf(shown)})
        assert "These verdicts are in force" in applied.text
        assert now(store, klass["odd"]).score == 3.0
        undone = page.post(f"{where}/undo", data={"csrf": self.csrf(applied.text)})
        assert "This was taken back" in undone.text
        refused = page.post(f"{where}/apply", data={"csrf": self.csrf(applied.text)})
        assert (refused.status_code, "the regrade is undone" in refused.text) == (409, True)

    def test_a_form_of_another_site_changes_nothing(self, page, store, previewed):
        page.headers.pop("authorization", None)
        answer = page.post(f"{PAGES}/regrades/{previewed}/apply", data={"csrf": "guessed"})
        assert answer.status_code == 403
        assert regrade.report(store, previewed).state == "previewed"

    def test_who_is_not_signed_in_is_sent_to_the_form(self, client):
        answer = client.get(f"{PAGES}/regrades", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].startswith("/login")) == (303, True)
