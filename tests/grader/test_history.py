"""What is kept for ever: versions of assignments, and each verdict with the evidence that it was made of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from checks import bundle
from checks.assignment import Assignment
from checks.evidence import Evidence, Run
from checks.feedback import Feedback, SubmissionInfo
from checks.judge import judge
from grader.receive import Sent, publish_bundle, receive_notebook
from grader.store import assignments, attempts, feedback, submissions
from grader.store.acceptance import New, accept
from grader.store.attempts import Remains
from grader.store.tables import Attempt, FeedbackRow, PartRow
from tests.grader.arithmetic import BUNDLE, RIGHT

HERE = "tests/arithmetic"
CHANGED = BUNDLE | {"assignment.yaml": BUNDLE["assignment.yaml"].replace(b"points: 2", b"points: 5")}


def verdict_of(files, info: SubmissionInfo) -> tuple[Feedback, Evidence]:
    """As a worker would judge a notebook that it could not run."""
    assignment = Assignment.from_files(files)
    run = Run(status="rejected", seconds=0.0, environment="tensorflow@sha256:0", memory_limit="cgroup")
    evidence = Evidence(notebook=info.notebook, assignment=assignment.version, run=run)
    return judge(assignment, evidence, None, info), evidence


@pytest.fixture
def graded(store) -> tuple[str, Feedback]:
    """A finished attempt and its verdict."""
    found = receive_notebook(store, Sent(HERE, "ada", RIGHT)).progress
    verdict, evidence = verdict_of(BUNDLE, SubmissionInfo(found.id, "ada", found.notebook))
    remains = Remains(store.blobs.put(evidence.to_bytes()), store.blobs.put(b"executed"))
    with store.write() as session:
        lease = attempts.claim(session, found.attempt, seconds=60)
        assert attempts.finish(session, lease, verdict, remains)
    return found.attempt, verdict


def test_an_attempt_says_what_its_verdict_was_made_of(store, graded):
    attempt, verdict = graded
    with store.read() as session:
        kept = session.get_one(Attempt, attempt)
        row = session.query(FeedbackRow).one()
    evidence = Evidence.from_bytes(store.blobs.get(kept.evidence))
    assert (row.evidence, row.version) == (kept.evidence, verdict.assignment.version)
    assert (evidence.assignment, evidence.run.environment) == (row.version, verdict.run.environment)


def test_judging_again_adds_a_verdict_and_leaves_the_earlier_ones(store, graded, monkeypatch):
    attempt, first = graded
    publish_bundle(store, CHANGED)
    later, _ = verdict_of(CHANGED, SubmissionInfo(first.submission.id, "ada", first.submission.notebook))
    # Also where the clock was set back meanwhile.
    monkeypatch.setattr("grader.store.tables.time.time_ns", lambda: 1)
    for verdict in (later, first, later):
        with store.write() as session:
            feedback.add(session, attempt, verdict, evidence="sha256:0")
    with store.read() as session:
        rows = session.query(FeedbackRow).order_by(FeedbackRow.id).all()
        assert session.query(PartRow).count() == 4 * len(first.parts)
        assert Feedback.from_json(feedback.latest(session, attempt)) == later
    assert [row.version for row in rows] == [one.assignment.version for one in (first, later, first, later)]
    assert [row.max_score for row in rows] == [3.0, 6.0, 3.0, 6.0]
    assert Feedback.from_json(rows[0].document) == first


def test_other_bytes_are_another_version_and_the_old_ones_can_be_had_for_ever(store):
    with store.read() as session:
        old = assignments.current(session, HERE)
    new = publish_bundle(store, CHANGED)
    assert new.version != old.version
    with store.read() as session:
        kept = {version: assignments.archive_of(session, version) for version in (old.version, new.version)}
    assert bundle.unpack(store.blobs.get(kept[old.version])) == BUNDLE
    assert bundle.unpack(store.blobs.get(kept[new.version])) == CHANGED


def test_a_version_that_is_there_is_never_given_other_bytes_or_words(store):
    with store.read() as session:
        before = assignments.current(session, HERE)
    with store.write() as session:
        assignments.publish(
            session, HERE, version=before.version, title="Forged", environment="python", archive="sha256:1"
        )
    with store.read() as session:
        assert assignments.current(session, HERE) == before


def test_going_back_to_an_old_version_keeps_both(store):
    with store.read() as session:
        old = assignments.current(session, HERE)
    publish_bundle(store, CHANGED)
    assert publish_bundle(store, BUNDLE).version == old.version


def test_many_may_publish_the_same_at_once(store):
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: publish_bundle(store, CHANGED).version, range(12)))
    assert len(set(made)) == 1


def test_places_in_a_long_queue_are_right_and_looked_up_in_an_index(store):
    made = []
    for _ in range(4):
        with store.write() as session:
            made += accept(session, [New(HERE, f"student {number}", "sha256:0") for number in range(250)])
    assert [one.progress.position for one in made] == list(range(1, 1001))
    for number in (0, 400, 999):
        with store.write() as session:
            assert attempts.claim(session, made[number].progress.attempt, seconds=60)
    with store.read() as session:
        now = [submissions.progress(session, made[number].submission).position for number in (1, 401, 998)]
        claimed = submissions.progress(session, made[400].submission).position
    assert (now, claimed) == ([1, 400, 997], 0)
    assert "ix_attempts_state_queue" in explain(store, made[998].progress.attempt)


def explain(store, attempt: str) -> str:
    """How the database finds a place in the queue."""
    asked = submissions._POSITION.params(attempt=attempt)
    question = asked.compile(store.engine, compile_kwargs={"literal_binds": True})
    with store.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}").all())
        # So few rows are read as quickly without any index; what counts is that there is one that fits.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return str(connection.exec_driver_sql(f"EXPLAIN {question}").all())
