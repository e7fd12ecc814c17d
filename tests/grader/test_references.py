from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from checks.evidence import Evidence, Run
from grader.store import references
from grader.store.references import ReferenceFailedError, obtain

KEY = ("sha256:version", "sha256:environment")


def evidence(status: str = "completed", ran_in: str = KEY[1]) -> Evidence:
    run = Run(status=status, seconds=1.0, environment=f"tensorflow@{ran_in}", memory_limit="cgroup")
    return Evidence(notebook="sha256:0", assignment=KEY[0], run=run)


def test_workers_that_need_it_at_once_make_it_once(store):
    made = []

    def make() -> Evidence:
        made.append(1)
        time.sleep(0.3)
        return evidence()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: obtain(store, KEY, make, lease_seconds=5, patience=10), range(6)))
    assert (found, made) == ([evidence()] * 6, [1])


@pytest.mark.parametrize("ending", ["time_limit", "out_of_memory", "kernel_died", "system_error"])
def test_a_run_that_the_machine_ended_is_not_kept(store, ending):
    with pytest.raises(ReferenceFailedError, match=ending):
        obtain(store, KEY, lambda: evidence(ending), lease_seconds=5, patience=1)
    assert obtain(store, KEY, evidence, lease_seconds=5, patience=1) == evidence()


def test_an_authors_error_is_kept_for_the_judge(store):
    obtain(store, KEY, lambda: evidence("cell_error"), lease_seconds=5, patience=1)
    assert obtain(store, KEY, evidence, lease_seconds=5, patience=1) == evidence("cell_error")


def test_after_a_failure_the_next_one_may_try(store):
    with pytest.raises(ZeroDivisionError):
        obtain(store, KEY, lambda: 1 / 0, lease_seconds=5, patience=1)  # type: ignore[arg-type, return-value]
    assert obtain(store, KEY, evidence, lease_seconds=5, patience=1) == evidence()


def test_a_maker_that_died_is_followed_by_another(store):
    with store.write() as session:
        assert references.claim(session, KEY, owner="dead", seconds=0.2)
    assert obtain(store, KEY, evidence, lease_seconds=0.5, patience=5) == evidence()


def test_a_long_run_keeps_its_lease(store):
    begun, done = Event(), Event()

    def slow() -> Evidence:
        begun.set()
        done.wait(5)
        return evidence()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(obtain, store, KEY, slow, lease_seconds=0.25, patience=1)
        begun.wait(5)
        time.sleep(0.6)
        with store.write() as session:
            taken = references.claim(session, KEY, owner="impatient", seconds=5)
        done.set()
        assert not taken
        assert running.result() == evidence()


@pytest.mark.parametrize("jump", [86_400, -86_400])
def test_a_clock_that_jumps_ends_no_run_and_keeps_none_alive(store, monkeypatch, jump):
    begun, waits, done = Event(), Event(), Event()

    def slow() -> Evidence:
        begun.set()
        done.wait(10)
        return evidence()

    def never() -> Evidence:
        waits.set()
        return evidence("cell_error")

    real = time.time
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(obtain, store, KEY, slow, lease_seconds=1, patience=20)
        begun.wait(10)
        waiting = pool.submit(obtain, store, KEY, never, lease_seconds=1, patience=20)
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        assert not waits.wait(2.5), "a run that goes on is left alone"
        done.set()
        assert running.result() == waiting.result() == evidence()
    other = (KEY[0], "sha256:other")
    with store.write() as session:
        assert references.claim(session, other, owner="dead", seconds=1)
    monkeypatch.setattr(time, "time", lambda: real() - jump)
    assert obtain(store, other, evidence, lease_seconds=0.5, patience=10) == evidence()


def test_who_moved_since_it_was_watched_is_not_overtaken(store):
    with store.write() as session:
        references.claim(session, KEY, owner="slow", seconds=5)
        seen = references.beat(session, KEY)
        references.renew(session, KEY, owner="slow", seconds=6)
    with store.write() as session:
        assert not references.claim(session, KEY, owner="hasty", seconds=5, silent=seen)
        assert references.claim(session, KEY, owner="next", seconds=5, silent=references.beat(session, KEY))


def test_waiting_for_another_one_ends(store):
    with store.write() as session:
        references.claim(session, KEY, owner="slow", seconds=60)
    with pytest.raises(ReferenceFailedError, match="did not end"):
        obtain(store, KEY, evidence, lease_seconds=5, patience=0.1)


def test_a_run_is_kept_under_the_environment_that_it_ran_in(store):
    changed = evidence(ran_in="sha256:new")
    assert obtain(store, KEY, lambda: changed, lease_seconds=5, patience=1) == changed
    assert obtain(store, (KEY[0], "sha256:new"), evidence, lease_seconds=5, patience=1) == changed
    assert obtain(store, KEY, evidence, lease_seconds=5, patience=1) == evidence()
