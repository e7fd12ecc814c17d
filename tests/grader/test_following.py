"""A submission's way as server-sent events: the whole of it, from any point on, as its watcher may see it."""

from __future__ import annotations

import json
import threading
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import bundle
from checks.feedback import PartFeedback
from grader.api import following
from grader.api.following import Mark
from grader.store import attempts, submissions
from tests.grader.arithmetic import BUNDLE
from tests.grader.test_api import grade, park, submit


def stream(client, sent, role="lms", after=None):
    """The events of one connection: (kind, id, data)."""
    headers = client.headers_of[role] | ({"Last-Event-ID": after} if after else {})
    with client.stream("GET", sent["links"]["events"], headers=headers) as answer:
        assert answer.status_code == 200
        blocks = "".join(answer.iter_text()).split("\n\n")
    return [event(block) for block in blocks if block and not block.startswith(":")]


def event(block):
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return fields["event"], fields.get("id"), json.loads(fields["data"])


def run_to(store, sent, *parts):
    """Claim the submission, run a cell, and tell these parts; returns the lease."""
    with store.read() as session:
        attempt = submissions.progress(session, sent["id"]).attempt
    with store.write() as session:
        lease = attempts.claim(session, attempt, seconds=60)
        attempts.report(session, lease, phase="running", cell=1, cells=3)
        for part in parts:
            attempts.report_part(session, lease, part)
    return lease


def part(status="correct", name="part1", **more):
    return PartFeedback(name, "A list", status, 1.0, 1.0, "", **more)


def finish_running(store, sent):
    """End a running attempt with the verdict of ``grade``."""
    with store.read() as session:
        attempt = submissions.progress(session, sent["id"]).attempt
    with store.write() as session:
        for beat in attempts.beats(session):
            assert beat.attempt == attempt
            attempts.take_back(session, beat)
    return grade(store, sent["id"])


@pytest.mark.both_databases
def test_who_comes_late_is_told_all_that_happened(client, store):
    sent = submit(client).json()
    run_to(store, sent, part())
    finish_running(store, sent)
    told = stream(client, sent)
    assert [(kind, data.get("state") or data.get("provisional")) for kind, _, data in told] == [
        ("progress", "running"), ("progress", "running"), ("part", True), ("progress", "queued"),
        ("progress", "running"), ("part", False), ("part", False), ("progress", "finished"),
        ("feedback", None),
    ]  # fmt: skip
    assert told[1][2]["cells"] == {"current": 1, "total": 3}


@pytest.mark.both_databases
def test_who_comes_again_at_any_point_misses_nothing_and_the_order_is_the_same(client, store):
    sent = submit(client).json()
    run_to(store, sent, part(), part("incorrect"))
    finish_running(store, sent)
    whole = stream(client, sent)
    marks = [mark for _, mark, _ in whole if mark is not None]
    assert len(marks) == len(set(marks)) > 4
    for mark in marks[:-1]:
        at = next(number for number, one in enumerate(whole) if one[1] == mark)
        assert stream(client, sent, after=mark) == whole[at + 1 :]


def test_who_comes_again_while_nothing_has_changed_is_not_told_the_same_again(client, store):
    sent = submit(client).json()
    run_to(store, sent, part())
    with store.read() as session:
        last = f"1.{submissions.progress(session, sent['id']).revision}"
    finisher = threading.Timer(1, lambda: finish_running(store, sent))
    finisher.start()
    told = stream(client, sent, after=last)
    finisher.join()
    assert last not in {mark for _, mark, _ in told}
    assert told[-1][0] == "feedback"


def test_who_has_been_told_everything_is_told_not_to_come_back(client, store):
    sent = submit(client).json()
    grade(store, sent["id"])
    last = stream(client, sent)[-1][1]
    headers = client.headers_of["lms"] | {"Last-Event-ID": last}
    assert client.get(sent["links"]["events"], headers=headers).status_code == 204


@pytest.mark.parametrize("mark", ["", "7", "a.b", "1.-1", "9.9", "1.²", "1" * 30 + ".1"])
def test_an_id_that_is_none_of_ours_begins_at_the_beginning(client, store, mark):
    sent = submit(client).json()
    grade(store, sent["id"])
    with client.stream(
        "GET", sent["links"]["events"], headers=client.headers_of["lms"] | {"Last-Event-ID": mark.encode()}
    ) as answer:
        assert "".join(answer.iter_text()).count("event: progress") == 2


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_a_mark_is_read_as_it_was_written(attempt, number):
    assert Mark.read(str(Mark(attempt, number))) == Mark(attempt, number)


def test_a_part_is_told_while_the_notebook_runs_and_again_only_where_its_verdict_changed(client, store):
    sent = submit(client).json()
    final, _ = grade(store, submit(client).json()["id"]).parts
    run_to(store, sent, final, part("correct", "part2"))
    finish_running(store, sent)
    told = [(data["part"]["id"], data["provisional"]) for data in parts_told(client, sent)]
    assert told == [("part1", True), ("part2", True), ("part2", False)]


def parts_told(client, sent, role="lms"):
    return [data for kind, _, data in stream(client, sent, role) if kind == "part"]


def test_students_do_not_see_hidden_checks_of_a_part(client, store):
    spec = BUNDLE["assignment.yaml"].replace(
        b"      - id: right\n", b"      - id: right\n        hidden: true\n"
    )
    client.post(
        "/api/v1/assignments",
        content=bundle.pack(BUNDLE | {"assignment.yaml": spec}),
        headers=client.headers_of["instructor"],
    ).raise_for_status()
    sent = submit(client).json()
    checks = [{"id": "right", "outcome": "failed", "message": "secret", "weight": 1.0}]
    run_to(store, sent, msgspec.convert(msgspec.to_builtins(part()) | {"checks": checks}, PartFeedback))
    finish_running(store, sent)
    (seen, *_), (whole, *_) = (parts_told(client, sent, role) for role in ("lms", "instructor"))
    assert (len(seen["part"]["checks"]), len(whole["part"]["checks"])) == (0, 1)


def test_a_submission_that_was_given_up_ends_the_stream_too(client, store):
    sent = submit(client).json()
    park(store, sent["id"])
    kind, _, data = stream(client, sent)[-1]
    assert (kind, {part["status"] for part in data["parts"]}) == ("feedback", {"unjudged"})


@pytest.mark.both_databases
def test_a_new_place_in_the_queue_is_told_and_proxies_see_a_sign_of_life(client, store, monkeypatch):
    monkeypatch.setattr(following, "KEEPALIVE_SECONDS", 0.1)
    first, second = submit(client).json(), submit(client, student="bob").json()

    def work():
        time.sleep(1)
        grade(store, first["id"])
        time.sleep(1)
        grade(store, second["id"])

    worker = threading.Thread(target=work)
    worker.start()
    with client.stream("GET", second["links"]["events"], headers=client.headers_of["lms"]) as answer:
        blocks = "".join(answer.iter_text()).split("\n\n")
    worker.join()
    told = [event(block) for block in blocks if block and not block.startswith(":")]
    # In the instant in which it is taken it may be told as queued with no place any more (PostgreSQL).
    places = [data["position"] for kind, _, data in told if data.get("state") == "queued"]
    assert [place for place in places if place is not None] == [2, 1]
    assert ": ping" in blocks
