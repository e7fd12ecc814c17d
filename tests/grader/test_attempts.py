"""The life of an attempt, on the real database."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo, system_error_feedback
from grader.receive import Sent, receive_notebook
from grader.store import attempts, events, feedback, submissions
from grader.store.attempts import Remains
from tests.grader.arithmetic import BUNDLE, RIGHT

REMAINS = Remains(evidence="sha256:" + "0" * 64, executed="sha256:" + "1" * 64)


@pytest.fixture
def attempt(store) -> str:
    receipt = receive_notebook(store, Sent("tests/arithmetic", "ada", RIGHT))
    with store.read() as session:
        return submissions.progress(session, receipt.submission).attempt


def verdict():
    return system_error_feedback(Assignment.from_files(BUNDLE), SubmissionInfo("s", "ada", "n"), "a test")


def state(store, attempt_id):
    with store.read() as session:
        return session.get_one(attempts.Attempt, attempt_id)


def claim(store, attempt_id, seconds=60.0):
    with store.write() as session:
        return attempts.claim(session, attempt_id, seconds=seconds)


def test_of_many_workers_with_one_message_one_gets_the_attempt(store, attempt):
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda _: claim(store, attempt), range(8)))
    assert [lease.claims for lease in leases if lease is not None] == [1]


def take_back(store):
    """What the reconciler does with every lease once it finds it silent."""
    with store.write() as session:
        return [beat.attempt for beat in attempts.beats(session) if attempts.take_back(session, beat)]


def test_a_lease_that_was_taken_back_is_anothers_and_its_old_owner_can_do_nothing_more(store, attempt):
    old = claim(store, attempt)
    assert claim(store, attempt) is None, "a message too many takes nothing away"
    assert take_back(store) == [attempt]
    new = claim(store, attempt)
    assert new.claims == 2
    with store.write() as session:
        assert not attempts.renew(session, old, seconds=60)
        assert not attempts.report(session, old, phase="running", cell=1, cells=2)
        assert not attempts.report_part(session, old, verdict().parts[0])
        assert not attempts.finish(session, old, verdict(), REMAINS)
        assert not attempts.park(session, old, verdict(), reason="late")
        assert not attempts.release(session, old, reason="late", pause=0)
        assert feedback.latest(session, attempt) is None
    assert state(store, attempt).owner == new.owner


def test_a_finished_attempt_is_finished_once_and_never_claimed_again(store, attempt):
    lease = claim(store, attempt)
    with store.write() as session:
        assert attempts.finish(session, lease, verdict(), REMAINS)
        assert not attempts.finish(session, lease, verdict(), REMAINS)
    assert claim(store, attempt) is None
    with store.read() as session:
        assert session.query(feedback.FeedbackRow).count() == 1
        assert [row.status for row in session.query(feedback.PartRow)] == ["unjudged", "unjudged"]


def test_a_released_attempt_is_due_again_after_its_pause(store, attempt, monkeypatch):
    lease = claim(store, attempt)
    with store.write() as session:
        attempts.release(session, lease, reason="a cable was out", pause=50)
    with store.read() as session:
        assert attempts.unsent(session) == []
    later = time.time() + 51
    monkeypatch.setattr(attempts.time, "time", lambda: later)
    with store.read() as session:
        assert [one for one, _ in attempts.unsent(session)] == [attempt]
    assert state(store, attempt).reason == "a cable was out"


def test_a_parked_attempt_leaves_every_part_unjudged_and_says_why(store, attempt):
    lease = claim(store, attempt)
    with store.write() as session:
        assert attempts.park(session, lease, verdict(), reason="poison")
    assert (state(store, attempt).state, state(store, attempt).reason) == ("parked", "poison")
    with store.read() as session:
        assert b'"unjudged"' in feedback.latest(session, attempt)


def test_a_lease_that_is_renewed_in_the_last_moment_is_kept(store, attempt):
    lease = claim(store, attempt)
    with store.read() as session:
        (seen,) = attempts.beats(session)
    with store.write() as session:
        assert attempts.renew(session, lease, seconds=60)
        assert not attempts.take_back(session, seen)
    assert state(store, attempt).state == "running"


def test_a_host_hands_back_its_own_attempts_and_the_try_does_not_count(store, attempt):
    other = receive_notebook(store, Sent("tests/arithmetic", "bob", RIGHT)).submission
    with store.read() as session:
        elsewhere = submissions.progress(session, other).attempt
    with store.write() as session:
        attempts.claim(session, attempt, seconds=60, host="here")
        attempts.claim(session, elsewhere, seconds=60, host="there")
        assert attempts.hand_back(session, "her", reason="stopped") == []
        assert attempts.hand_back(session, "here", reason="stopped") == [attempt]
    assert (state(store, attempt).state, state(store, attempt).claims) == ("queued", 0)
    assert state(store, elsewhere).state == "running"


def test_a_try_that_failed_for_want_of_storage_does_not_count(store, attempt):
    lease = claim(store, attempt)
    with store.write() as session:
        attempts.release(session, lease, reason="disk full", pause=0, counted=False)
    assert claim(store, attempt).claims == 1


def test_what_is_told_is_numbered_in_its_order_and_forgotten_only_after_the_end(store, attempt):
    lease = claim(store, attempt)
    with store.write() as session:
        attempts.report(session, lease, phase="running", cell=1, cells=2)
        attempts.report_part(session, lease, verdict().parts[0])
    with store.read() as session:
        told = events.after(session, attempt, 0)
        assert [(event.number, event.kind) for event in told] == [
            (2, "progress"),
            (3, "progress"),
            (4, "part"),
        ]
        assert [event.number for event in events.after(session, attempt, 3)] == [4]
        assert len(events.latest_parts(session, attempt)) == 1
    with store.write() as session:
        assert events.forget(session, before=time.time() + 1) == 0
        attempts.finish(session, lease, verdict(), REMAINS)
        assert events.forget(session, before=time.time() - 60) == 0
        assert events.forget(session, before=time.time() + 1) == 4


def test_every_visible_change_raises_the_revision_and_a_heartbeat_does_not(store, attempt):
    revisions = [state(store, attempt).revision]
    lease = claim(store, attempt)
    for step in (
        lambda session: attempts.report(session, lease, phase="running", cell=1, cells=2),
        lambda session: attempts.renew(session, lease, seconds=60),
        lambda session: attempts.release(session, lease, reason="", pause=0),
    ):
        revisions.append(state(store, attempt).revision)
        with store.write() as session:
            assert step(session)
    revisions.append(state(store, attempt).revision)
    assert revisions == [1, 2, 3, 3, 4]


def test_positions_count_those_in_front(store, attempt):
    others = [receive_notebook(store, Sent("tests/arithmetic", name, RIGHT)).submission for name in "bc"]
    claim(store, attempt)
    with store.read() as session:
        assert [submissions.progress(session, one).position for one in others] == [1, 2]


def test_of_two_submissions_of_one_moment_one_is_first(store, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1.0e9)
    made = [receive_notebook(store, Sent("tests/arithmetic", name, RIGHT)).submission for name in "abc"]
    with store.read() as session:
        places = [submissions.progress(session, one).position for one in made]
    assert sorted(places) == [1, 2, 3]
