"""The worker's task around a run: who stores what when our side fails. The run itself is a stand-in here."""

from __future__ import annotations

import errno
import threading
import time
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from checks.evidence import Evidence, Run
from checks.feedback import Feedback
from grader.receive import Sent, receive_notebook
from grader.store import BlobMissingError, BlobsAwayError, attempts, feedback, submissions
from grader.store.silence import Silence
from grader.store.tables import Attempt
from tests.grader.arithmetic import RIGHT
from worker import app, tasks
from worker.again import KILLED
from worker.attempt import Attempt as Done
from worker.attempt import Progress
from worker.errors import InfrastructureError

SERVER = SimpleNamespace(environment=SimpleNamespace(digest="sha256:0"))


@pytest.fixture
def attempt(store) -> str:
    receipt = receive_notebook(store, Sent("tests/arithmetic", "ada", RIGHT))
    with store.read() as session:
        return submissions.progress(session, receipt.submission).attempt


@pytest.fixture
def runs(monkeypatch):
    """Replace the run of a notebook by a function; ``runs.does`` is what it does."""

    def completed(notebook, assignment, files, server, *, reference=False, progress=None) -> Done:
        run = Run(status="completed", seconds=0.0, environment="tensorflow@sha256:0", memory_limit="cgroup")
        return Done(Evidence(notebook="sha256:0", assignment=assignment.version, run=run), b"executed")

    made = SimpleNamespace(does=completed, completed=completed)

    def current(*args, **kwargs) -> Done:
        return made.does(*args, **kwargs)

    monkeypatch.setattr(tasks, "run_attempt", current)
    return made


def work(store, attempt, settings) -> bool:
    taken = tasks.take(store, attempt, settings)
    if taken is None:
        return False
    with taken:
        taken.run(lambda _name: SERVER)
    return True


def row(store, attempt) -> Attempt:
    with store.read() as session:
        return session.get_one(Attempt, attempt)


def verdict(store, attempt) -> Feedback | None:
    with store.read() as session:
        document = feedback.latest(session, attempt)
    return Feedback.from_json(document) if document else None


def test_a_run_becomes_feedback_evidence_and_an_executed_notebook(store, attempt, settings, runs):
    assert work(store, attempt, settings)
    found = row(store, attempt)
    assert (found.state, verdict(store, attempt).submission.student) == ("finished", "ada")
    assert Evidence.from_bytes(store.blobs.get(found.evidence)).run.status == "completed"
    assert store.blobs.get(found.executed) == b"executed"


def test_a_message_that_comes_again_changes_nothing(store, attempt, settings, runs):
    assert work(store, attempt, settings)
    before = verdict(store, attempt)
    assert not work(store, attempt, settings)
    assert verdict(store, attempt) == before


@pytest.mark.parametrize("fault", [InfrastructureError("no sandbox"), BlobMissingError("no blob")])
def test_our_fault_is_tried_again_and_then_parked_with_every_part_unjudged(
    store, attempt, settings, runs, fault
):
    def fail(*_args, **_kwargs):
        raise fault

    runs.does = fail
    states = []
    for _ in range(settings.max_claims):
        assert work(store, attempt, settings)
        states.append(row(store, attempt).state)
    assert states == ["queued", "queued", "parked"]
    assert str(fault) in row(store, attempt).reason
    assert {part.status for part in verdict(store, attempt).parts} == {"unjudged"}
    assert str(fault) not in verdict(store, attempt).parts[0].message, "students need not read our errors"
    assert not work(store, attempt, settings)


def test_a_fault_that_goes_away_costs_nothing(store, attempt, settings, runs):
    def fail_once(*args, **kwargs):
        runs.does = runs.completed
        raise InfrastructureError("a cable was out")

    runs.does = fail_once
    work(store, attempt, settings)
    work(store, attempt, settings)
    assert (row(store, attempt).state, row(store, attempt).claims, row(store, attempt).reason) == (
        "finished",
        2,
        None,
    )


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("INSERT", {}, Exception("database or disk is full")),
        caused(InfrastructureError("no socket"), OSError(errno.ENOSPC, "No space left on device")),
        caused(BlobsAwayError("a blob could not be stored"), ConnectionError("the object store is away")),
    ],
    ids=["disk", "database", "disk behind another", "object store"],
)
def test_want_of_storage_is_waited_out_however_long_it_lasts(store, attempt, settings, runs, fault):
    def fail(*_args, **_kwargs):
        raise fault

    runs.does = fail
    for _ in range(settings.max_claims + 2):
        assert work(store, attempt, settings)
        assert (row(store, attempt).state, verdict(store, attempt)) == ("queued", None)
    runs.does = runs.completed
    assert work(store, attempt, settings)
    assert row(store, attempt).state == "finished"


def test_a_failure_that_cannot_even_be_written_down_leaves_the_lease_to_run_out(
    store, attempt, settings, runs, monkeypatch
):
    def fail(*_args, **_kwargs):
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    runs.does = fail
    monkeypatch.setattr(attempts, "release", fail)
    assert work(store, attempt, settings)
    assert (row(store, attempt).state, verdict(store, attempt)) == ("running", None)


@pytest.mark.parametrize(
    ("endings", "status", "made"),
    [
        ([KILLED, ("completed", "")], "completed", 2),
        ([KILLED, KILLED], "kernel_died", 2),
        ([("kernel_died", "the notebook ended its own kernel (exit code 3)")], "kernel_died", 1),
        ([("out_of_memory", "too much")], "out_of_memory", 1),
    ],
    ids=["killed from outside", "kills itself", "leaves by itself", "a limit"],
)
def test_a_killed_kernel_is_not_taken_for_the_notebooks_doing_before_it_happens_again(  # noqa: PLR0917
    store, attempt, settings, runs, endings, status, made
):
    with store.read() as session:
        job = attempts.job(session, attempt)
    obtained = []

    def ends(notebook, assignment, files, server, *, reference=False, progress=None) -> Done:
        if reference:
            return runs.completed(notebook, assignment, files, server)
        kind, detail = endings[len(obtained)]
        obtained.append(kind)
        run = Run(status=kind, seconds=0.0, environment="", memory_limit="cgroup", detail=detail)
        return Done(Evidence(notebook="sha256:0", assignment=job.version, run=run), b"executed")

    runs.does = ends
    assert work(store, attempt, settings)
    assert (verdict(store, attempt).run.status, len(obtained)) == (status, made)


def test_a_bug_of_ours_is_no_verdict_either_and_is_not_hidden(store, attempt, settings, runs):
    def bug(*_args, **_kwargs):
        raise KeyError("ours")

    runs.does = bug
    with pytest.raises(KeyError):
        work(store, attempt, settings)
    assert (row(store, attempt).state, verdict(store, attempt)) == ("queued", None)
    assert "KeyError" in row(store, attempt).reason


def test_a_notebook_that_kills_its_workers_is_parked_without_another_try(store, attempt, settings, runs):
    for _ in range(settings.max_claims):
        with store.write() as session:
            attempts.claim(session, attempt, seconds=60)
            assert attempts.take_back(session, attempts.beats(session)[0])
    runs.does = None
    assert work(store, attempt, settings)
    assert row(store, attempt).state == "parked"


def test_the_lease_is_kept_alive_while_the_notebook_runs(store, attempt, settings, runs):
    ended = threading.Event()

    def slow(*args, **kwargs):
        silence = Silence(settings.lease_seconds)
        ends = time.monotonic() + 3 * settings.lease_seconds
        while time.monotonic() < ends:
            with store.read() as session:
                assert silence.look(attempts.beats(session)) == []
            time.sleep(0.05)
        ended.set()
        return runs.completed(*args, **kwargs)

    runs.does = slow
    work(store, attempt, settings)
    assert ended.is_set()
    assert row(store, attempt).state == "finished"


def test_a_worker_that_lost_its_lease_stores_nothing(store, attempt, settings, runs):
    def stolen(*args, **kwargs):
        with store.write() as session:
            session.get_one(Attempt, attempt).owner = "another"
        return runs.completed(*args, **kwargs)

    runs.does = stolen
    work(store, attempt, settings)
    assert (row(store, attempt).owner, verdict(store, attempt)) == ("another", None)


def test_the_reference_run_is_made_once_for_a_version(store, settings, runs):
    made = []

    def counted(*args, **kwargs):
        made.append(kwargs.get("reference", False))
        return runs.completed(*args, **kwargs)

    runs.does = counted
    for name in "abc":
        receipt = receive_notebook(store, Sent("tests/arithmetic", name, RIGHT))
        with store.read() as session:
            work(store, submissions.progress(session, receipt.submission).attempt, settings)
    assert sorted(made) == [False, False, False, True]


def test_a_reference_made_in_a_changed_environment_is_not_taken_for_the_old_one(store, settings, runs):
    made = []

    def counted(*args, **kwargs):
        made.append(kwargs.get("reference", False))
        return runs.completed(*args, **kwargs)

    runs.does = counted
    for name, served in (("ada", "sha256:0"), ("bob", "sha256:1"), ("cy", "sha256:0")):
        receipt = receive_notebook(store, Sent("tests/arithmetic", name, RIGHT))
        with store.read() as session:
            attempt = submissions.progress(session, receipt.submission).attempt
        server = SimpleNamespace(environment=SimpleNamespace(digest=served))
        with tasks.take(store, attempt, settings) as taken:
            taken.run(lambda _name, server=server: server)
    assert made == [True, False, True, False, False]


def test_only_who_makes_the_reference_is_shown_to_do_so(store, settings, runs, monkeypatch):
    told = []
    monkeypatch.setattr(tasks.Teller, "give", lambda _self, progress: told.append(progress.phase))
    for name in "ab":
        receipt = receive_notebook(store, Sent("tests/arithmetic", name, RIGHT))
        with store.read() as session:
            work(store, submissions.progress(session, receipt.submission).attempt, settings)
    assert told == ["reference"]


def test_progress_that_cannot_be_stored_does_not_stop_the_run(store, attempt, settings, runs, monkeypatch):
    failed = threading.Event()

    def fail(*_args, **_kwargs):
        failed.set()
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    def watched(*args, progress=lambda _: None, **kwargs):
        progress(Progress("running", 3, 7))
        assert failed.wait(20)
        return runs.completed(*args, **kwargs)

    monkeypatch.setattr(attempts, "report", fail)
    runs.does = watched
    work(store, attempt, settings)
    assert row(store, attempt).state == "finished"


def test_a_bug_in_telling_costs_one_piece_of_news_and_neither_the_others_nor_the_run(
    store, attempt, settings, runs, monkeypatch
):
    told, later = [], threading.Event()

    def fail_once(_session, _lease, **step):
        told.append(step["cell"])
        if len(told) == 1:
            raise KeyError("a bug")
        later.set()

    def watched(*args, progress=None, **kwargs):
        if progress is not None:
            progress(Progress("running", 1, 7))
            while not told:
                time.sleep(0.01)
            progress(Progress("running", 2, 7))
            assert later.wait(20)
        return runs.completed(*args, **kwargs)

    monkeypatch.setattr(attempts, "report", fail_once)
    runs.does = watched
    work(store, attempt, settings)
    assert row(store, attempt).state == "finished"


def test_work_that_cannot_begin_keeps_no_lease(store, attempt, settings, monkeypatch):
    def no_thread(_self):
        raise RuntimeError("can't start new thread")

    taken = tasks.take(store, attempt, settings)
    monkeypatch.setattr(tasks.Teller, "__enter__", no_thread)
    with pytest.raises(RuntimeError), taken:
        pass
    assert not taken._heart._thread.is_alive()


def test_a_worker_follows_its_environment(monkeypatch, tmp_path):
    served = iter(["old", "new"])
    monkeypatch.setattr(
        "worker.app.load_environment", lambda name: SimpleNamespace(name=name, digest=next(served))
    )
    assert [app.warm_server("x").environment.digest for _ in range(2)] == ["old", "new"]


def test_those_who_watch_see_the_cell_that_runs_although_another_began_a_moment_before(
    store, attempt, settings, runs
):
    seen = []

    def watched(*args, progress=None, **kwargs):
        if progress is None:  # the author's run, which nobody watches
            return runs.completed(*args, **kwargs)
        for cell in (1, 2, 3):
            progress(Progress("running", cell, 7))
        deadline = time.monotonic() + 20
        while row(store, attempt).cell != 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        seen.append((row(store, attempt).phase, row(store, attempt).cell, row(store, attempt).cells))
        return runs.completed(*args, **kwargs)

    runs.does = watched
    work(store, attempt, settings)
    assert seen[-1] == ("running", 3, 7)


def test_a_notebook_does_not_wait_until_its_progress_is_stored(store, attempt, settings, runs, monkeypatch):
    told, ran = [], threading.Event()

    def slow(_session, _lease, **step):
        told.append(step["cell"])
        assert ran.wait(20), "the run waits for the database"

    def watched(*args, progress=lambda _: None, **kwargs):
        for cell in range(1, 100):
            progress(Progress("running", cell, 99))
        ran.set()
        return runs.completed(*args, **kwargs)

    monkeypatch.setattr(attempts, "report", slow)
    runs.does = watched
    work(store, attempt, settings)
    assert row(store, attempt).state == "finished"
    assert len(told) <= 2
