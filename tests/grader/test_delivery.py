"""Webhooks from the verdict to the receiver: what is written, where it may go, how it is tried again."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo, system_error_feedback
from grader.api.app import create_app
from grader.delivery import deliverer as delivering
from grader.delivery import sender as sending
from grader.delivery.address import AddressRefusedError, AddressUnknownError, pinned, system_resolver, target
from grader.delivery.deliverer import Deliverer
from grader.delivery.sender import Sender
from grader.store import attempts, feedback, outbox, submissions, webhooks
from grader.store.backoff import Backoff, pause
from grader.store.outbox import Outcome, Outgoing
from grader.store.tables import AuditEntry
from grader.store.webhooks import EVENTS
from tests.grader.arithmetic import BUNDLE
from tests.grader.receiver import NAME, certificate_for, receiving
from tests.grader.test_api import grade, park, submit

BACKOFF = Backoff(5, 10)
PUBLIC = "93.184.215.14"
DAY = 86_400.0
WEBHOOKS = "/api/v1/courses/tests/webhooks"


def here(_host, _port):
    """Every name is this machine."""
    return ["127.0.0.1"]


def endpoint(store, url="https://hooks.example/in", course="tests", events=EVENTS):
    with store.write() as session:
        made, secret = webhooks.create(session, course, url, events, by="a test")
    return made.id, secret


def waiting(store):
    with store.read() as session:
        return [
            (event, json.loads(body))
            for event, body in session.execute(text("SELECT event, body FROM webhook_messages ORDER BY id"))
        ]


def message(url, *, body="{}", secret="whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", tries=0):
    return Outgoing("msg_1", "endpoint", url, secret, body, tries, "owner")


# --- written with the verdict


@pytest.mark.both_databases
def test_a_verdict_leaves_an_event_for_each_endpoint_of_its_course_that_wants_it(client, store):
    endpoint(store)
    endpoint(store, events=("submission.graded",))
    endpoint(store, events=("feedback.changed",))
    endpoint(store, course="other")
    sent = submit(client).json()
    assert waiting(store) == []
    verdict = grade(store, sent["id"])
    assert [event for event, _ in waiting(store)] == ["submission.graded"] * 2
    body = waiting(store)[0][1]
    assert (body["type"], body["data"]["submission"], body["data"]["score"]) == (
        "submission.graded",
        sent["id"],
        verdict.score,
    )
    assert body["data"]["feedback"] == f"/api/v1/submissions/{sent['id']}/feedback"
    assert body["timestamp"].startswith(time.strftime("%Y-", time.gmtime()))


def test_a_parked_submission_is_told_without_a_score(client, store):
    endpoint(store)
    park(store, submit(client).json()["id"])
    [(event, body)] = waiting(store)
    assert (event, body["data"]["state"], body["data"]["score"]) == ("submission.parked", "parked", None)


def test_a_submission_parked_without_any_verdict_is_told_too(client, store):
    endpoint(store)
    with store.read() as session:
        found = submissions.progress(session, submit(client).json()["id"])
    with store.write() as session:
        lease = attempts.claim(session, found.attempt, seconds=60)
        assert attempts.park(session, lease, None, reason="no such version")
    assert [event for event, _ in waiting(store)] == ["submission.parked"]


def test_a_verdict_on_what_had_one_is_a_change(client, store):
    endpoint(store)
    sent = submit(client).json()
    verdict = grade(store, sent["id"])
    with store.read() as session:
        found = submissions.progress(session, sent["id"])
    with store.write() as session:
        feedback.add(session, found.attempt, verdict, evidence=None, by="token 1 (Ada)")
    assert [event for event, _ in waiting(store)] == ["submission.graded", "feedback.changed"]


@pytest.mark.both_databases
def test_neither_verdict_nor_event_is_kept_where_the_transaction_fails(client, store):
    endpoint(store)
    with store.read() as session:
        found = submissions.progress(session, submit(client).json()["id"])
    info = SubmissionInfo(found.id, found.student, found.notebook)
    verdict = system_error_feedback(Assignment.from_files(BUNDLE), info, "a test")

    def fail_late():
        with store.write() as session:
            lease = attempts.claim(session, found.attempt, seconds=60)
            assert attempts.park(session, lease, verdict, reason="x")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail_late()
    assert waiting(store) == []


# --- where it may go


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example/", "https only"),
        ("ftp://hooks.example/", "https only"),
        ("https:///path", "no host"),
        ("https://me:secret@hooks.example/", "user name"),
        ("https://hooks.example:0/", "port 0"),
        ("https://hooks.example:99999/", "no URL"),
        ("https://hooks.example/a b", "printable"),
        ("https://hooks.example/\r\nX: y", "printable"),
        ("https://h\u00fcks.example/", "printable"),
        ("https://hooks.example/" + "x" * 2000, "at most"),
        ("https://127.0.0.1/", "public internet"),
        ("https://[::1]/", "public internet"),
        ("https://[::ffff:10.0.0.1]/", "public internet"),
        ("https://[fe80::1]/", "public internet"),
        ("https://169.254.169.254/latest/meta-data", "public internet"),
        ("https://[bad/", "no URL"),
    ],
)
def test_a_url_that_goes_elsewhere_than_the_public_internet_is_refused(url, says):
    with pytest.raises(AddressRefusedError, match=says):
        target(url)


# Documentation's own examples of each block (RFC 6890 and those that wrap an IPv4 address).
INWARD = [
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.8.8.8", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "239.255.255.250", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "ff0e::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1",
    # IPv4-translated (RFC 2765), site-local, segment routing, ORCHID, documentation since RFC 9637, anycast
    # of protocols, and blocks that nobody was given.
    "::ffff:0:10.0.0.1", "64:ff9b:1::a00:1", "fec0::1", "5f00::1", "2001:20::1", "3fff::1", "192.88.99.1",
    "192.0.0.9", "2001:1::1", "100:0:0:1::1", "4000::1", "::1:0:0:1",
]  # fmt: skip


@pytest.mark.parametrize("address", INWARD)
def test_a_name_with_any_address_inside_is_refused(address):
    goal = target("https://hooks.example/")
    for found in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(AddressRefusedError, match="public internet"):
            pinned(goal, lambda _host, _port, found=found: found)


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]
)
def test_a_public_address_is_connected_to_as_it_was_checked(address):
    assert pinned(target("https://hooks.example/"), lambda *_: [address, PUBLIC]) == address


def test_a_name_without_an_address_is_no_refusal_but_tried_again():
    with pytest.raises(AddressUnknownError):
        pinned(target("https://hooks.example/"), lambda *_: [])
    with pytest.raises(AddressUnknownError):
        system_resolver("no-such-name.invalid", 443)
    outcome = Sender(resolve=lambda *_: []).send(message("https://hooks.example/"))
    assert (outcome.delivered, outcome.status) == (False, None)


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(monkeypatch):
    """DNS rebinding: the second look-up would say 127.0.0.1, where a receiver waits."""
    asked, connected = [], []

    def rebinding(host, _port):
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    def refuse(address, *_args, **_kwargs):
        connected.append(address[0])
        raise ConnectionRefusedError("not from a test")

    with receiving() as receiver:
        monkeypatch.setattr(socket, "create_connection", refuse)
        outcome = Sender(resolve=rebinding).send(message(f"https://rebind.example:{receiver.port}/"))
    assert (asked, connected, receiver.got) == (["rebind.example"], [PUBLIC], [])
    assert "not from a test" in str(outcome.error)


def test_a_name_that_turns_inward_after_it_was_set_up_is_refused_at_the_try():
    outcome = Sender(resolve=here).send(message("https://hooks.example/"))
    assert "127.0.0.1 is no address of the public internet" in str(outcome.error)


# --- one try


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certificate_for(NAME, tmp_path_factory.mktemp("certificate"))


def trusting(certificate):
    return ssl.create_default_context(cafile=str(certificate))


def test_over_https_the_name_is_verified_while_the_checked_address_is_used(certificate):
    with receiving(certificate=certificate) as receiver:
        outcome = Sender(local=True, resolve=here, trust=trusting(certificate)).send(message(receiver.url))
        assert (outcome.status, outcome.error) == (204, None)
        assert receiver.names == [NAME]
        assert receiver.got[0].headers["Host"] == f"{NAME}:{receiver.port}"
        assert receiver.got[0].path == "/hook?a=b"


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_for_another_name_or_of_nobody_known_is_no_delivery(certificate, trusted):
    sender = Sender(local=True, resolve=here, trust=trusting(certificate) if trusted else None)
    with receiving(certificate=certificate) as receiver:
        url = receiver.url.replace(NAME, "other.example") if trusted else receiver.url
        outcome = sender.send(message(url))
    assert not outcome.delivered
    assert "certificate" in str(outcome.error).lower()
    assert receiver.got == []


def test_the_receiver_verifies_the_signature_with_the_schemes_own_library():
    body = json.dumps({"type": "submission.graded", "data": {"student": "Zoë"}})
    with receiving() as receiver:
        Sender(local=True, resolve=here).send(message(receiver.url, body=body))
    [got] = receiver.got
    sent = message(receiver.url)
    assert Webhook(sent.secret).verify(got.body, got.headers) == json.loads(body)
    assert got.headers["webhook-id"] == sent.id
    for secret, changed in ((sent.secret, got.body + b" "), ("whsec_" + "A" * 32, got.body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(changed, got.headers)


@tried(max_examples=30)
@given(body=st.text(), key=st.binary(min_size=24, max_size=64))
def test_every_body_is_signed_so_that_the_library_agrees(body, key):
    raw = json.dumps(body, ensure_ascii=True)
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = sending.signed("msg_x", secret, raw, datetime.now(UTC))
    assert Webhook(secret).verify(raw, headers) == body


def test_redirects_are_not_followed():
    with receiving() as inner, receiving() as receiver:
        receiver.answers = [(307, {"Location": inner.url}, b"")]
        outcome = Sender(local=True, resolve=here).send(message(receiver.url))
        assert (outcome.status, outcome.delivered, inner.got) == (307, False, [])


def test_of_a_long_answer_little_is_read_and_less_is_kept():
    with receiving() as receiver:
        receiver.answers = [(200, {}, b"a\x00" * (8 << 20))]
        outcome = Sender(local=True, resolve=here).send(message(receiver.url))
    assert outcome.delivered
    assert outcome.excerpt == "a\ufffd" * (sending.EXCERPT_CHARACTERS // 2)


def test_a_receiver_that_answers_byte_by_byte_gains_no_time(monkeypatch):
    monkeypatch.setattr(sending, "TRY_SECONDS", 0.5)
    with receiving() as receiver:
        receiver.answers, receiver.drip = [(200, {}, b"x" * 2000)], 0.05
        outcome = Sender(local=True, resolve=here).send(message(receiver.url))
    assert (outcome.delivered, outcome.status) == (False, None)
    assert "Timeout" in str(outcome.error)


# --- again and again


class Idle:
    """A deliverer that delivers nothing."""

    def __init__(self, *_):
        pass

    def start(self):
        """Do nothing."""

    def stop(self):
        """Do nothing."""


@pytest.fixture(autouse=True)
def _one_deliverer(request, monkeypatch):
    """Where a test has a deliverer of its own, the API's must not be quicker: it refuses ``http``."""
    if "local" in request.fixturenames:
        monkeypatch.setattr("grader.api.app.Deliverer", Idle)


@pytest.fixture
def local(settings):
    return settings.model_copy(update={"webhook_local": True, "webhook_retry_seconds": 0.05})


def deliveries(store, endpoint_id):
    with store.read() as session:
        return webhooks.deliveries(session, "tests", endpoint_id)


@pytest.mark.both_databases
def test_a_receiver_that_was_down_gets_every_event_under_its_one_id(client, store, local, monkeypatch):
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.05)
    with receiving() as receiver:
        port = receiver.port
    made, secret = endpoint(store, f"http://hooks.example:{port}/")
    worker = Deliverer(store, Sender(local=True, resolve=here), local)
    worker.start()
    try:
        grade(store, submit(client).json()["id"])
        deadline = time.monotonic() + 30
        while not any(one.tries for one in deliveries(store, made)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with receiving(port=port) as receiver:
            receiver.answers = [(500, {}, b"busy"), (204, {}, b"")]
            receiver.until(lambda: len(receiver.got) == 2)
            deadline = time.monotonic() + 30
            while deliveries(store, made)[0].state != "delivered":
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        worker.stop()
    [delivery] = deliveries(store, made)
    assert {got.headers["webhook-id"] for got in receiver.got} == {delivery.id}
    assert (
        Webhook(secret).verify(receiver.got[1].body, receiver.got[1].headers)["type"] == "submission.graded"
    )
    errors = [one.error for one in delivery.tries if one.status is None]
    assert errors
    assert "ConnectError" in errors[0]
    assert [(one.status, one.excerpt) for one in delivery.tries if one.status] == [(500, "busy"), (204, "")]
    assert [one.number for one in delivery.tries] == list(range(1, len(delivery.tries) + 1))
    assert delivery.next_at is None


def test_an_event_is_given_up_after_the_last_try(client, store, local):
    few = local.model_copy(update={"webhook_tries": 2, "webhook_retry_seconds": 0.001})
    with receiving() as receiver:
        receiver.answers = [(503, {}, b"")]
        made, _ = endpoint(store, receiver.url)
        grade(store, submit(client).json()["id"])
        worker = Deliverer(store, Sender(local=True, resolve=here), few)
        for _ in range(5):
            worker.drain(made)
            time.sleep(0.02)
    [delivery] = deliveries(store, made)
    assert (delivery.state, len(delivery.tries), len(receiver.got)) == ("failed", 2, 2)
    shown = client.get(WEBHOOKS, headers=client.headers_of["instructor"]).json()["webhooks"]
    assert [one["failed"] for one in shown] == [1], "instructors see that events did not arrive"
    metrics = client.get("/metrics", headers=client.headers_of["monitor"]).text
    assert 'grader_deliveries{state="failed"} 1.0' in metrics


def test_a_receiver_that_says_gone_is_left_alone(client, store, local):
    with receiving() as receiver:
        receiver.answers = [(410, {}, b"")]
        made, _ = endpoint(store, receiver.url)
        worker = Deliverer(store, Sender(local=True, resolve=here), local)
        grade(store, submit(client).json()["id"])
        worker.drain(made)
        grade(store, submit(client, student="bob").json()["id"])
        worker.drain(made)
    assert len(receiver.got) == 1
    with store.read() as session:
        assert webhooks.listed(session, "tests")[0].disabled_at is not None


@pytest.mark.both_databases
def test_one_message_is_in_one_deliverers_hands(client, store):
    made, _ = endpoint(store)
    grade(store, submit(client).json()["id"])
    with store.write() as session:
        mine = outbox.claim(session, made, BACKOFF, seconds=60)
        assert mine is not None
        assert outbox.claim(session, made, BACKOFF, seconds=60) is None
        [beat] = outbox.beats(session)
        assert outbox.take_back(session, beat)
        theirs = outbox.claim(session, made, BACKOFF, seconds=60)
        assert theirs is not None
        assert theirs.id == mine.id
        assert not outbox.settle(session, mine, Outcome(0, 0, status=200), again_in=None)
        assert outbox.settle(session, theirs, Outcome(0, 0, status=200), again_in=None)


def test_pauses_grow_to_a_day_and_are_spread():
    spread = [[pause(tries, 5) for _ in range(50)] for tries in (1, 2, 3, 9, 10**6)]
    for found, middle in zip(spread, (5, 20, 80, 86_400, 86_400), strict=True):
        assert all(middle / 2 <= one <= middle * 1.5 for one in found)
        assert max(found) - min(found) > middle / 4


def test_after_each_round_of_tries_one_gives_up():
    backoff = Backoff(5, 3)
    assert [backoff.again_in(tries) is None for tries in range(1, 7)] == [False, False, True] * 2
    for tries in (1, 4):
        assert 2.5 <= backoff.again_in(tries) <= 7.5
    assert backoff.longest() == (7.5, 30, 120)
    assert Backoff(1e-300, 10**9).longest()[-1] < 1e-200


@pytest.mark.both_databases
@pytest.mark.parametrize("tries", [1, 2, 9])
def test_a_retry_waits_no_longer_than_its_pause_although_the_clock_was_put_back(client, store, tries):
    made, _ = endpoint(store)
    grade(store, submit(client).json()["id"])
    longest = BACKOFF.longest()[tries - 1]

    def due_if_noted(ahead):
        with store.write() as session:
            told = {"tries": tries, "then": time.time() + ahead}
            session.execute(text("UPDATE webhook_messages SET tries = :tries, not_before = :then"), told)
            return list(outbox.due_endpoints(session, BACKOFF)) == [made]

    assert not due_if_noted(longest / 2)
    assert not due_if_noted(longest - 1)
    assert due_if_noted(longest / 2 + DAY)
    assert due_if_noted(longest + DAY)


# --- over the API


def test_a_webhook_is_set_up_used_and_removed_over_the_api(settings, store, monkeypatch):
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.05)
    trying = type(settings)(development_token="try", webhook_local=True)
    chosen = settings.model_copy(
        update={"development_token": trying.development_token, "webhook_local": True}
    )
    headers = {"Authorization": "Bearer try"}
    with receiving() as receiver, TestClient(create_app(chosen), headers=headers) as client:
        client.headers_of = {"lms": headers}
        url = receiver.url.replace(NAME, "127.0.0.1")
        made = client.post(WEBHOOKS, json={"url": url, "events": ["submission.graded"]})
        assert made.status_code == 201
        secret, webhook = made.json()["secret"], made.json()["id"]
        listed = client.get(WEBHOOKS).json()["webhooks"]
        assert [one["url"] for one in listed] == [url]
        assert secret not in json.dumps(listed)
        sent = submit(client).json()
        grade(store, sent["id"])
        receiver.until(lambda: bool(receiver.got))
        body = Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)
        assert body["data"]["submission"] == sent["id"]
        path = f"{WEBHOOKS}/{webhook}/deliveries"
        receiver.until(lambda: client.get(path).json()["deliveries"][0]["state"] == "delivered")
        found = client.get(path).json()["deliveries"][0]
        assert (found["id"], found["tries"][0]["status"]) == (receiver.got[0].headers["webhook-id"], 204)
        assert client.delete(f"{WEBHOOKS}/{webhook}").status_code == 204
        assert client.get(path).status_code == 404
        grade(store, submit(client, student="bob").json()["id"])
        assert len(waiting(store)) == 1


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"url": "http://hooks.example/"}, "bad-webhook-url"),
        ({"url": "https://10.0.0.1/"}, "bad-webhook-url"),
        ({"url": "https://hooks.example/", "events": []}, "invalid-request"),
        ({"url": "https://hooks.example/", "events": ["x"]}, "invalid-request"),
        ({"url": "https://hooks.example/", "secret": "mine"}, "invalid-request"),
        ({}, "invalid-request"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(client, body, name):
    answer = client.post(WEBHOOKS, json=body, headers=client.headers_of["instructor"])
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:grader:problem:{name}")


def test_a_course_has_a_bounded_number_of_webhooks(client):
    headers = client.headers_of["instructor"]
    answers = [
        client.post(WEBHOOKS, json={"url": f"https://hooks.example/{n}"}, headers=headers).status_code
        for n in range(21)
    ]
    assert answers == [201] * 20 + [409]


def given_up(client, store, local, receiver, students=("ada",)):
    """A webhook with events that nobody tries to send any more; and who could send them."""
    receiver.answers = [(503, {}, b"down")]
    made, secret = endpoint(store, receiver.url)
    for student in students:
        grade(store, submit(client, student=student).json()["id"])
    few = local.model_copy(update={"webhook_tries": 2, "webhook_retry_seconds": 0.001})
    worker = Deliverer(store, Sender(local=True, resolve=here), few)
    drain_until(worker, store, made, lambda states: set(states) == {"failed"})
    return made, secret, worker


def drain_until(worker, store, made, reached):
    deadline = time.monotonic() + 20
    while not reached([one.state for one in deliveries(store, made)]):
        assert time.monotonic() < deadline
        worker.drain(made)
        time.sleep(0.01)


@pytest.mark.both_databases
def test_an_event_that_was_given_up_is_sent_again_under_its_id(client, store, local):
    with receiving() as receiver:
        made, secret, worker = given_up(client, store, local, receiver)
        headers, path = client.headers_of["instructor"], f"{WEBHOOKS}/{made}/deliveries"
        [failed] = client.get(path, params={"state": "failed"}, headers=headers).json()["deliveries"]
        receiver.answers = [(503, {}, b"still down"), (204, {}, b"")]
        again = client.post(f"{path}/{failed['id']}/send-again", headers=headers)
        assert (again.status_code, again.json()["state"], len(again.json()["tries"])) == (202, "pending", 2)
        drain_until(worker, store, made, lambda states: states == ["delivered"])
        twice = client.post(f"{path}/{failed['id']}/send-again", headers=headers)
    assert {got.headers["webhook-id"] for got in receiver.got} == {failed["id"]}
    assert len({got.body for got in receiver.got}) == 1
    assert Webhook(secret).verify(receiver.got[-1].body, receiver.got[-1].headers)
    [delivery] = deliveries(store, made)
    assert [(one.number, one.status) for one in delivery.tries] == [(1, 503), (2, 503), (3, 503), (4, 204)]
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:grader:problem:cannot-send-again")
    assert "it is delivered" in twice.json()["detail"]
    with store.read() as session:
        [entry] = session.query(AuditEntry).filter_by(action="webhook.sent_again")
    assert (entry.subject, entry.course, failed["id"] in entry.after) == (made, "tests", True)
    assert entry.actor.startswith("token ")


@pytest.mark.both_databases
def test_every_event_that_was_given_up_is_sent_again_at_once(client, store, local):
    with receiving() as receiver:
        made, _, worker = given_up(client, store, local, receiver, students=("ada", "bob"))
        grade(store, submit(client, student="eve").json()["id"])
        headers, path = client.headers_of["instructor"], f"{WEBHOOKS}/{made}/send-again"
        assert client.post(path, headers=headers).json() == {"queued": 2}
        assert client.post(path, headers=headers).json() == {"queued": 0}
        receiver.answers = [(204, {}, b"")]
        drain_until(worker, store, made, lambda states: states == ["delivered"] * 3)
    with store.read() as session:
        assert session.query(AuditEntry).filter_by(action="webhook.sent_again").count() == 1


def test_what_belongs_to_another_webhook_or_a_receiver_that_is_gone_is_not_sent_again(client, store, local):
    with receiving() as receiver:
        made, _, _ = given_up(client, store, local, receiver)
        [failed] = deliveries(store, made)
        other, _ = endpoint(store)
        headers = client.headers_of["instructor"]
        for webhook, delivery in ((other, failed.id), (made, "msg_none")):
            answer = client.post(f"{WEBHOOKS}/{webhook}/deliveries/{delivery}/send-again", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:grader:problem:unknown-delivery")
        with store.write() as session:
            outbox.disable(session, made)
        for path in (f"{WEBHOOKS}/{made}/deliveries/{failed.id}/send-again", f"{WEBHOOKS}/{made}/send-again"):
            answer = client.post(path, headers=headers)
            assert (answer.status_code, "410" in answer.json()["detail"]) == (409, True)
    assert [one.state for one in deliveries(store, made)] == ["failed"]


@pytest.mark.both_databases
def test_an_event_that_fails_again_is_given_up_after_another_round(client, store, local):
    with receiving() as receiver:
        made, _, worker = given_up(client, store, local, receiver)
        client.post(f"{WEBHOOKS}/{made}/send-again", headers=client.headers_of["instructor"])
        drain_until(worker, store, made, lambda states: states == ["failed"])
    assert len(receiver.got) == 4


@pytest.mark.both_databases
def test_the_log_of_deliveries_comes_in_pages(client, store):
    made, _ = endpoint(store)
    for number in range(3):
        grade(store, submit(client, student=str(number)).json()["id"])
    headers, path = client.headers_of["instructor"], f"{WEBHOOKS}/{made}/deliveries?limit=2"
    first = client.get(path, headers=headers).json()
    second = client.get(f"{path}&before={first['next']}", headers=headers).json()
    assert (len(first["deliveries"]), len(second["deliveries"]), second["next"]) == (2, 1, None)
