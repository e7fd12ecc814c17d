"""A notebook handed in again: judged on its earlier run where the assignment allows it.

The run itself is a stand-in that counts.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from checks.assignment import Assignment
from checks.evidence import Evidence, Run, digest
from checks.feedback import Feedback
from grader.notebooks import normal_form
from grader.receive import Sent, publish_bundle, receive_notebook
from grader.store import feedback
from grader.store.tables import Attempt
from tests.grader.arithmetic import BUNDLE, RIGHT, WRONG
from worker import tasks
from worker.attempt import Attempt as Done

SPEC = BUNDLE["assignment.yaml"]
HERE = "tests/arithmetic"


def bundle_with(line: bytes) -> dict[str, bytes]:
    return BUNDLE | {"assignment.yaml": SPEC.replace(b"title: Sums\n", b"title: Sums\n" + line)}


class Machine:
    """A worker whose runs are counted; ``status`` is how they end, ``environment`` what they run in."""

    def __init__(self, store, settings) -> None:
        self.store, self.settings = store, settings
        self.runs: list[str] = []
        self.status, self.environment = "completed", "sha256:one"

    def run_attempt(self, notebook, assignment, _files, _server, *, reference=False, progress=None) -> Done:
        if not reference:
            self.runs.append(digest(notebook))
        status = "completed" if reference else self.status
        run = Run(status, 7.25 + len(self.runs), f"tensorflow@{self.environment}", "cgroup")
        return Done(Evidence(digest(notebook), assignment.version, run), f"run {len(self.runs)}".encode())

    def grade(self, student: str = "ada", content: bytes = RIGHT) -> tuple[Attempt, Feedback]:
        sent = receive_notebook(self.store, Sent(HERE, student, content))
        return self.work(sent.progress.attempt)

    def work(self, attempt: str) -> tuple[Attempt, Feedback]:
        with tasks.take(self.store, attempt, self.settings) as taken:
            taken.run(lambda _: SimpleNamespace(environment=SimpleNamespace(digest=self.environment)))
        with self.store.read() as session:
            document = feedback.latest(session, attempt)
            return session.get_one(Attempt, attempt), Feedback.from_json(document)


@pytest.fixture
def machine(store, settings, monkeypatch) -> Machine:
    made = Machine(store, settings)
    monkeypatch.setattr(tasks, "run_attempt", made.run_attempt)
    publish_bundle(store, bundle_with(b"seed: 1\n"))
    return made


@pytest.mark.parametrize("student", ["ada", "bob"])
def test_the_same_notebook_again_gets_a_verdict_of_its_own_on_the_earlier_evidence(machine, student):
    first, told = machine.grade()
    second, again = machine.grade(student)
    assert machine.runs == [digest(normal_form(RIGHT))]
    assert (second.evidence, second.executed) == (first.evidence, first.executed)
    assert second.evidence is not None
    assert again.run == told.run
    assert (again.submission.student, again.submission.id) == (student, second.submission_id)
    assert again.submission.id != told.submission.id
    assert again.parts == told.parts


def test_another_notebook_is_run(machine):
    machine.grade()
    machine.grade(content=WRONG)
    assert len(machine.runs) == 2


def test_another_version_of_the_assignment_runs_it_again(machine):
    machine.grade()
    publish_bundle(machine.store, bundle_with(b"seed: 2\n"))
    machine.grade()
    assert len(machine.runs) == 2


def test_another_environment_runs_it_again_and_is_remembered(machine):
    machine.grade()
    machine.environment = "sha256:two"
    machine.grade()
    machine.grade()
    assert len(machine.runs) == 2


@pytest.mark.parametrize("status", ["time_limit", "out_of_memory", "output_limit", "kernel_died"])
def test_a_run_that_the_machine_may_have_ended_is_not_believed_twice(machine, status):
    machine.status = status
    machine.grade()
    machine.grade()
    assert len(machine.runs) == 2


def test_a_students_own_error_is_the_same_error_again(machine):
    machine.status = "cell_error"
    machine.grade()
    machine.grade()
    assert len(machine.runs) == 1


def test_damaged_evidence_costs_a_run_and_nothing_else(machine):
    first, _ = machine.grade()
    path = machine.store.blobs.folder / first.evidence[7:9] / first.evidence[9:]
    path.write_bytes(b"damaged")
    second, told = machine.grade()
    assert (len(machine.runs), told.run.status) == (2, "completed")
    assert machine.store.blobs.get(second.evidence)


def test_a_further_attempt_of_one_submission_is_a_further_run(machine):
    first, _ = machine.grade()
    with machine.store.write() as session:
        session.add(Attempt(id="again", submission_id=first.submission_id, number=2, queue="q", created_at=1))
    machine.work("again")
    assert len(machine.runs) == 2


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        (b"", False),
        (b"seed: 0\n", True),
        (b"seed: 1\nreuse_evidence: false\n", False),
        (b"reuse_evidence: true\n", True),
        (b"reuse_evidence: false\n", False),
    ],
)
def test_the_author_decides_and_else_the_seed(machine, line, allowed):
    files = bundle_with(line)
    assert Assignment.from_files(files).reuses_evidence is allowed
    publish_bundle(machine.store, files)
    machine.grade()
    machine.grade()
    assert len(machine.runs) == (1 if allowed else 2)
