"""Leases of regrade previews and of webhook deliveries: silence ends them, and no clock does."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo, system_error_feedback
from grader import regrade, regrade_relay
from grader.delivery.deliverer import Deliverer
from grader.receive import Sent, receive_notebook
from grader.regrade_relay import RegradeWatch, watch_leases
from grader.store import attempts, lease_watch, open_store, outbox, regrade_jobs, submissions, webhooks
from grader.store.backoff import Backoff
from grader.store.lease_watch import LeaseWatch
from grader.store.outbox import Outcome
from grader.store.regrades import How, RegradeBusyError
from grader.store.tables import Regrade, WebhookMessage
from grader.store.webhooks import EVENTS
from tests.grader.arithmetic import BUNDLE, RIGHT

DAY = 86_400.0
LEASE = 1.0
BACKOFF = Backoff(5, 10)
ASSIGNMENT = "tests/arithmetic"


class OfRegrades:
    """A regrade that one worker previews."""

    def __init__(self, store):
        self.store = store
        self.id = regrade.begin_in_worker(store, ASSIGNMENT, None, by="ada", then_apply=False)
        with store.write() as session:
            self.owner = regrade_jobs.claim(session, self.id, seconds=60)

    def watch(self):
        return watch_leases(self.store, lease_seconds=LEASE)

    def renew(self, session):
        regrade_jobs.renew(session, self.id, self.owner, seconds=60)

    def held(self):
        with self.store.read() as session:
            return session.get_one(Regrade, self.id).owner == self.owner

    def taken_by_another(self):
        with self.store.write() as session:
            return regrade_jobs.claim(session, self.id, seconds=60) is not None


class OfDeliveries:
    """A webhook message that one deliverer sends."""

    def __init__(self, store):
        self.store = store
        self.endpoint = an_event(store)
        with store.write() as session:
            self.sent = outbox.claim(session, self.endpoint, BACKOFF, seconds=60)

    def watch(self):
        return LeaseWatch(self.store, seconds=LEASE, beats=outbox.beats, take_back=outbox.take_back)

    def renew(self, session):
        assert outbox.renew(session, self.sent, seconds=60)

    def held(self):
        with self.store.read() as session:
            return session.get_one(WebhookMessage, self.sent.id).owner == self.sent.owner

    def taken_by_another(self):
        with self.store.write() as session:
            again = outbox.claim(session, self.endpoint, BACKOFF, seconds=60)
        return again is not None and again.id == self.sent.id


KINDS = pytest.mark.parametrize("kind", [OfRegrades, OfDeliveries])


@KINDS
@pytest.mark.parametrize("jump", [-DAY, 0, DAY])
def test_a_clock_that_jumps_keeps_no_dead_owners_lease(store, kind, jump, monkeypatch):
    lease = kind(store)
    watch = lease.watch()
    watch.look()
    put_clock(monkeypatch, jump)
    assert not lease.taken_by_another(), "one look tells nothing"
    look_until(watch, lambda: not lease.held())
    assert lease.taken_by_another()


@KINDS
@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_jumps_ends_no_living_owners_lease(store, kind, jump, monkeypatch):
    lease = kind(store)
    watch = lease.watch()
    with living(lease):
        watch.look()
        put_clock(monkeypatch, jump)
        assert not lease.taken_by_another()
        look_for(watch, seconds=3 * LEASE)
        assert lease.held()
        assert not lease.taken_by_another()


@KINDS
def test_what_was_renewed_since_it_was_seen_is_not_taken_back(store, kind):
    lease = kind(store)
    stale = lease.watch()
    with stale._store.read() as session:
        [seen] = stale._beats(session)
    with store.write() as session:
        lease.renew(session)
    with store.write() as session:
        assert not stale._take_back(session, seen)
    assert lease.held()


@KINDS
def test_an_owner_is_not_blamed_for_a_database_that_made_everybody_wait(store, kind, monkeypatch):
    monkeypatch.setattr(lease_watch, "PATIENCE_SECONDS", 0.2)
    lease = kind(store)
    watch = lease.watch()
    watch.look()
    with ThreadPoolExecutor(1) as pool, store.write() as session:
        lease.renew(session)
        time.sleep(0.6 * LEASE)  # more than half a lease: from now on looking means trying to write
        looked = pool.submit(look_for, watch, seconds=LEASE)
        time.sleep(1.6 * LEASE)
        if store.engine.dialect.name == "sqlite":
            assert not looked.done()
    assert lease.held()


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_deliverer_frees_what_a_dead_one_held_and_sends_it(store, settings, jump, monkeypatch):
    held = OfDeliveries(store)
    sender = Remembering()
    deliverer = Deliverer(store, sender, settings.model_copy(update={"lease_seconds": LEASE}))
    assert deliverer.look() == []
    put_clock(monkeypatch, jump)
    deadline = time.monotonic() + 20
    while deliverer.look() != [held.endpoint]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert deliverer.drain(held.endpoint) == 1
    assert sender.sent == [held.sent.id]


def test_a_try_that_takes_longer_than_a_lease_keeps_it(store, settings):
    endpoint = an_event(store)
    sender = Remembering(seconds=4 * LEASE)
    chosen = settings.model_copy(update={"lease_seconds": LEASE})
    slow, other = Deliverer(store, sender, chosen), Deliverer(store, sender, chosen)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(slow.drain, endpoint)
        while not sending.done():
            due = other.look()
            assert due == [] or not sender.sent
            time.sleep(0.05)
        assert sending.result() == 1
    assert len(sender.sent) == 1


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_the_services_watch_gives_a_dead_workers_preview_to_the_next(store, jump, monkeypatch):
    held = OfRegrades(store)
    watching = RegradeWatch(store, sweep_seconds=0.05, lease_seconds=LEASE)
    put_clock(monkeypatch, jump)
    watching.start()
    try:
        until(lambda: not held.held())
    finally:
        watching.stop()
    post = Post()
    assert regrade_relay.send_due(store, post) == 1
    assert post.sent == [held.id]


class TestAtACommandLine:
    """No service may run there that would end what a killed command left behind."""

    @pytest.mark.parametrize("jump", [-DAY, DAY])
    def test_a_regrade_of_a_killed_command_stands_in_the_way_for_one_lease(self, store, jump, monkeypatch):
        dead, told = regrade.begin(store, ASSIGNMENT, None, How("ada")), []
        put_clock(monkeypatch, jump)
        made = begin_alone(store, told)
        assert told == [dead]
        with store.read() as session:
            assert session.get_one(Regrade, dead).state == "failed"
            assert session.get_one(Regrade, made).state == "previewing"

    @pytest.mark.parametrize("jump", [-DAY, DAY])
    def test_one_that_lives_is_left_alone(self, store, jump, monkeypatch):
        lease = OfRegrades(store)
        with living(lease):
            put_clock(monkeypatch, jump)
            with pytest.raises(RegradeBusyError, match=lease.id):
                begin_alone(store, [])
        assert lease.held()

    def test_one_that_somebody_interrupted_stands_in_nobodys_way(self, store):
        def interrupted(_loaded):
            raise KeyboardInterrupt

        made = begin_alone(store, [])
        with pytest.raises(KeyboardInterrupt):
            regrade.preview(store, made, interrupted)
        told: list[str] = []
        assert begin_alone(store, told) != made
        assert told == []

    def test_one_that_waits_for_a_worker_is_told_at_once(self, store):
        regrade.begin_in_worker(store, ASSIGNMENT, None, by="ada", then_apply=False)
        told: list[str] = []
        with pytest.raises(RegradeBusyError):
            begin_alone(store, told)
        assert told == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_lock_that_ends_just_when_a_lease_does_blames_nobody(store, settings):
    """The owner could not renew until now, and does so at its next heartbeat."""
    lease, other = OfRegrades(store), open_store(settings)
    with ThreadPoolExecutor(1) as pool:
        looked = pool.submit(look_for, lease.watch(), seconds=2 * LEASE)
        with other.write() as session:
            session.connection()
            time.sleep(1.2 * LEASE)
        while not looked.done():
            time.sleep(0.2 * LEASE)
            with other.write() as session:
                lease.renew(session)
        looked.result()
    other.close()
    assert lease.held()


class Remembering:
    """A sender whose receivers take everything, after some seconds."""

    def __init__(self, seconds=0.0):
        self.sent: list[str] = []
        self._seconds = seconds

    def send(self, message):
        time.sleep(self._seconds)
        self.sent.append(message.id)
        return Outcome(time.time(), self._seconds, status=204)


class Post:
    """A broker that remembers."""

    def __init__(self):
        self.sent: list[str] = []

    def send_regrade(self, regrade_id, _queue):
        self.sent.append(regrade_id)


def an_event(store, url="https://hooks.example/in"):
    """A webhook with one event that waits for it; returns the webhook's id."""
    receipt = receive_notebook(store, Sent(ASSIGNMENT, "ada", RIGHT))
    info = SubmissionInfo(receipt.submission, "ada", "sha256:0")
    with store.write() as session:
        made, _ = webhooks.create(session, "tests", url, EVENTS, by="a test")
        found = submissions.progress(session, receipt.submission)
        lease = attempts.claim(session, found.attempt, seconds=60)
        verdict = system_error_feedback(Assignment.from_files(BUNDLE), info, "a test")
        assert attempts.park(session, lease, verdict, reason="a test")
    return made.id


def begin_alone(store, told):
    return regrade.begin_alone(store, ASSIGNMENT, None, How("ada"), lease_seconds=LEASE, waiting=told.append)


def put_clock(monkeypatch, jump):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)


@contextmanager
def living(lease):
    """An owner that renews."""
    stop = threading.Event()

    def beat():
        while not stop.wait(LEASE / 5):
            with lease.store.write() as session:
                lease.renew(session)

    with ThreadPoolExecutor(1) as pool:
        beating = pool.submit(beat)
        try:
            yield
        finally:
            stop.set()
            beating.result()


def look_for(watch, *, seconds):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        watch.look()
        time.sleep(0.05)


def look_until(watch, reached):
    def looked():
        watch.look()
        return reached()

    until(looked)


def until(reached):
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)
