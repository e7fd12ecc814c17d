"""Ten thousand submissions: preview, report, apply and undo count every one, in few and small statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, func, insert, select

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo
from checks.judge import judge
from grader import regrade
from grader.store import Store
from grader.store.regrades import How
from grader.store.tables import Attempt, AuditEntry, FeedbackRow, PartRow, Submission
from tests.grader.arithmetic import BUNDLE, RIGHT
from tests.grader.test_regrade import HERE, REFERENCE, STRICTER, of_version, publish_bundle, run, version

MANY = 10_000
STEPS_EACH = 1_000  # of SQLite's virtual machine, for one submission
KINDS = ([0, 1, 4], [1, 9], [0, 1, 2], [7], [8])  # the first falls, the second rises
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def many(store: Store) -> Store:
    """As many graded submissions, inserted as rows."""
    assignment, notebook = Assignment.from_files(BUNDLE), store.blobs.put(RIGHT)
    made = [of_version(run(squares), BUNDLE) for squares in KINDS]
    evidence = [store.blobs.put(each.to_bytes()) for each in made]
    template = [judge(assignment, each, REFERENCE, SubmissionInfo("@", "@", notebook)) for each in made]
    submissions, attempts, verdicts = [], [], []
    for number in range(MANY):
        kind, name = number % len(KINDS), f"0{number:06d}"
        verdict = template[kind]
        document = verdict.to_json().replace(b'"id":"@"', f'"id":"{name}"'.encode(), 1)
        document = document.replace(b'"student":"@"', f'"student":"{name}"'.encode(), 1)
        submissions.append(
            {"id": name, "assignment_id": HERE, "version": assignment.version, "student": name, "number": 1,
             "notebook": notebook, "created_at": float(number)}
        )  # fmt: skip
        attempts.append(
            {"id": name, "submission_id": name, "number": 1, "queue": "x", "created_at": 0.0,
             "state": "finished", "evidence": evidence[kind], "finished_at": 1.0}
        )  # fmt: skip
        verdicts.append(
            {"id": name, "attempt_id": name, "version": assignment.version, "evidence": evidence[kind],
             "run_status": "completed", "score": verdict.score, "max_score": verdict.max_score,
             "document": document, "created_at": 1.0}
        )  # fmt: skip
    with store.write() as session:
        for table, rows in ((Submission, submissions), (Attempt, attempts), (FeedbackRow, verdicts)):
            session.connection().execute(insert(table), rows)
    return store


def scores(store: Store) -> dict[float, int]:
    """How many submissions have which score now."""
    newest = select(func.max(FeedbackRow.id)).group_by(FeedbackRow.attempt_id)
    with store.read() as session:
        rows = session.execute(
            select(FeedbackRow.score, func.count())
            .where(FeedbackRow.id.in_(newest))
            .group_by(FeedbackRow.score)
        )
        return {row[0]: row[1] for row in rows}


def count(store: Store, table: type) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(table))


@contextmanager
def steps(engine: Engine) -> Iterator[list[int]]:
    """Collects one item for each thousand steps that SQLite's virtual machine takes in the block."""
    taken: list[int] = []

    def watch(connection, *_told):
        connection.set_progress_handler(lambda: taken.append(1000), 1000)

    event.listen(engine, "checkout", watch)
    try:
        yield taken
    finally:
        event.remove(engine, "checkout", watch)


def test_a_class_of_ten_thousand_is_previewed_applied_and_undone(many: Store) -> None:
    store, fifth = many, MANY // 5
    publish_bundle(store, version(STRICTER))
    made = regrade.begin(store, HERE, None, How("ada"))
    before = scores(store)
    assert before == {3.0: fifth, 2.0: 4 * fifth}

    regrade.preview(store, made, lambda _: REFERENCE)
    found = regrade.report(store, made)
    assert (found.total, found.done, len(found.movers)) == (MANY, MANY, 2 * fifth)
    assert (found.rises, found.falls, found.other, found.unchanged) == (fifth, fifth, 0, 3 * fifth)
    assert scores(store) == before

    audited, statements = count(store, AuditEntry), []
    event.listen(store.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with steps(store.engine) as taken:
        assert regrade.apply(store, made, by="ada") == MANY
    assert len(statements) < 0.04 * MANY
    assert 0 < sum(taken) < STEPS_EACH * MANY
    assert scores(store) == before
    assert count(store, FeedbackRow) == 2 * MANY
    assert count(store, PartRow) == 2 * MANY
    assert count(store, AuditEntry) == audited + 2 * fifth + 1

    with steps(store.engine) as taken:
        assert regrade.undo(store, made, by="ada") == MANY
    assert 0 < sum(taken) < STEPS_EACH * MANY
    assert scores(store) == before
    with store.read() as session:
        versions = set(session.scalars(select(Submission.version)))
    assert versions == {Assignment.from_files(BUNDLE).version}
