"""Regrading from stored evidence: previewed without a trace, applied as a whole, undone, and nothing runs."""

from __future__ import annotations

import msgspec
import pytest

from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.feedback import Feedback, SubmissionInfo
from checks.judge import judge
from grader import regrade
from grader.receive import Sent, publish_bundle, receive_notebook
from grader.store import Store, attempts, feedback, marks, regrades
from grader.store.attempts import Remains
from grader.store.regrades import How, RegradeStateError
from grader.store.tables import Attempt, FeedbackRow, Reference, Submission
from tests.checks.making import cell, evidence, snapshot
from tests.grader.arithmetic import BUNDLE, RIGHT, SPEC

HERE = "tests/arithmetic"
SQUARES = {"right": [0, 1, 4], "odd": [1, 9], "off": [0, 1, 2]}


def version(spec: str = SPEC, **files: bytes) -> dict[str, bytes]:
    return BUNDLE | {"assignment.yaml": spec.encode()} | files


def run(squares: list[int], total: int = 42) -> Evidence:
    return evidence(
        [cell(1, "squares = 1"), cell(2, "total = 1")],
        [
            snapshot("part1", "check", 1, {"squares": squares}),
            snapshot("part2", "check", 2, {"total": total}),
        ],
    )


REFERENCE = run([0, 1, 4])


def of_version(made: Evidence, files: dict[str, bytes]) -> Evidence:
    return msgspec.structs.replace(made, assignment=Assignment.from_files(files).version)


def grade(store: Store, student: str, squares: list[int]) -> str:
    """A submission that was run and judged by the published version; returns its id."""
    sent = receive_notebook(store, Sent(HERE, student, RIGHT)).submission
    made = of_version(run(squares), BUNDLE)
    verdict = judge(Assignment.from_files(BUNDLE), made, REFERENCE, SubmissionInfo(sent, student, "sha256:n"))
    with store.write() as session:
        attempt = session.query(Attempt).filter_by(submission_id=sent).one().id
        lease = attempts.claim(session, attempt, seconds=60)
        assert lease is not None
        remains = Remains(store.blobs.put(made.to_bytes()), store.blobs.put(b"{}"))
        attempts.finish(session, lease, verdict, remains)
    return sent


def now(store: Store, submission: str) -> Feedback:
    with store.read() as session:
        attempt = session.query(Attempt).filter_by(submission_id=submission).one().id
        document = feedback.latest(session, attempt)
    assert document is not None
    return Feedback.from_json(document)


def previewed(store: Store, spec: str, **files: bytes) -> str:
    publish_bundle(store, version(spec, **files))
    made = regrade.begin(store, HERE, None, How("ada"))
    regrade.preview(store, made, lambda _: REFERENCE)
    return made


@pytest.fixture
def klass(store: Store) -> dict[str, str]:
    return {name: grade(store, name, squares) for name, squares in SQUARES.items()}


STRICTER = SPEC.replace("value: [0, 1, 4]", "value: [1, 9]")


def test_a_preview_tells_who_rises_who_falls_and_by_which_check(store, klass):
    found = regrade.report(store, previewed(store, STRICTER))
    assert (found.state, found.total, found.done) == ("previewed", 3, 3)
    assert (found.rises, found.falls, found.other, found.unchanged) == (1, 1, 0, 1)
    (moves,) = found.parts
    assert (moves.part, moves.rises, moves.falls) == ("part1", 1, 1)
    assert moves.causes == {"right: passed → failed": 1, "right: failed → passed": 1}
    assert {(each.student, each.before, each.after) for each in found.movers} == {
        ("right", 3.0, 2.0), ("odd", 2.0, 3.0),
    }  # fmt: skip


def test_a_preview_tells_how_far_it_is(store, klass, monkeypatch):
    monkeypatch.setattr(regrade, "CHUNK", 2)
    publish_bundle(store, version(STRICTER))
    made, told = regrade.begin(store, HERE, None, How("ada")), []
    regrade.preview(store, made, lambda _: REFERENCE, progress=lambda *far: told.append(far))
    assert told == [(0, 3), (2, 3), (3, 3)]


def test_a_preview_touches_no_student(store, klass):
    before = {name: now(store, each).to_json() for name, each in klass.items()}
    previewed(store, STRICTER)
    assert {name: now(store, each).to_json() for name, each in klass.items()} == before


def test_applying_puts_every_new_verdict_in_force_and_keeps_the_old_ones(store, klass):
    made = previewed(store, STRICTER)
    assert regrade.apply(store, made, by="ada") == 3
    assert {name: now(store, each).score for name, each in klass.items()} == {"right": 2, "odd": 3, "off": 2}
    with store.read() as session:
        assert session.query(FeedbackRow).count() == 6
        versions = {row.version for row in session.query(Submission)}
    assert versions == {now(store, klass["odd"]).assignment.version}


def test_undoing_gives_everybody_the_marks_from_before(store, klass):
    before = {name: now(store, each).to_json() for name, each in klass.items()}
    made = previewed(store, STRICTER)
    regrade.apply(store, made, by="ada")
    assert regrade.undo(store, made, by="ada") == 3
    assert {name: now(store, each).to_json() for name, each in klass.items()} == before
    assert regrade.report(store, made).state == "undone"


def test_what_was_undone_can_be_previewed_and_applied_again(store, klass):
    made = previewed(store, STRICTER)
    regrade.apply(store, made, by="ada")
    regrade.undo(store, made, by="ada")
    again = regrade.begin(store, HERE, None, How("ada"))
    regrade.preview(store, again, lambda _: REFERENCE)
    assert regrade.apply(store, again, by="ada") == 3


@pytest.mark.parametrize("steps", [["apply", "apply"], ["undo"], ["apply", "undo", "undo"]])
def test_a_step_out_of_order_is_refused_and_says_the_state(store, klass, steps):
    made = previewed(store, STRICTER)
    for step in steps[:-1]:
        getattr(regrade, step)(store, made, by="ada")
    with pytest.raises(RegradeStateError, match="the regrade is"):
        getattr(regrade, steps[-1])(store, made, by="ada")


def test_a_mark_given_since_the_preview_stops_all_of_it(store, klass):
    made = previewed(store, STRICTER)
    mark(store, klass["odd"], "part1", 0.5)
    with pytest.raises(RegradeStateError, match=r"another verdict since \(odd\)"):
        regrade.apply(store, made, by="ada")
    assert now(store, klass["right"]).score == 3.0
    assert regrade.report(store, made).state == "previewed"


def mark(store: Store, submission: str, part: str, score: float) -> None:
    with store.write() as session:
        marks.give(session, submission, part, score=score, reason="Well *explained*.", by="ada")
        attempt = session.query(Attempt).filter_by(submission_id=submission).one().id
        feedback.mark_again(session, attempt)


def test_a_persons_mark_survives_a_regrade_and_its_undoing(store, klass):
    mark(store, klass["off"], "part1", 0.5)
    made = previewed(store, STRICTER)
    assert regrade.report(store, made).unchanged == 1
    regrade.apply(store, made, by="ada")
    assert part1(store, klass["off"]) == ("partial", 0.5, "Marked by a person: Well *explained*.")
    regrade.undo(store, made, by="ada")
    assert part1(store, klass["off"])[:2] == ("partial", 0.5)


def test_a_withdrawn_mark_gives_the_judges_word_back(store, klass):
    before = now(store, klass["off"]).to_json()
    mark(store, klass["off"], "part1", 1.0)
    assert part1(store, klass["off"])[:2] == ("correct", 1.0)
    with store.write() as session:
        assert marks.withdraw(session, klass["off"], "part1")
        attempt = session.query(Attempt).filter_by(submission_id=klass["off"]).one().id
        feedback.mark_again(session, attempt)
    assert now(store, klass["off"]).to_json() == before


def part1(store: Store, submission: str) -> tuple[str, float, str]:
    part = now(store, submission).parts[0]
    return part.status, part.score, part.message


def test_a_version_that_looks_at_another_variable_needs_a_run_of_those_submissions(store, klass):
    more = "{squares: {role: answer, starter: null}, numbers: {role: set-up}}"
    spec = SPEC.replace("{squares: {role: answer, starter: null}}", more)
    made = previewed(store, spec)
    found = regrade.report(store, made)
    assert set(found.needs_run) == set(klass)
    assert (found.rises, found.falls, found.unchanged) == (0, 0, 0)
    assert regrade.run_again(store, made) == 3
    with store.read() as session:
        queued = session.query(Attempt).filter_by(state="queued").all()
        assert {(each.number, each.queue) for each in queued} == {(2, "tensorflow.batch")}


def test_other_data_need_a_run(store, klass):
    made = previewed(store, SPEC, **{"inputs/data/numbers.csv": b"1\n2\n40\n"})
    assert set(regrade.report(store, made).needs_run) == set(klass)


def test_new_texts_points_and_hints_need_no_run(store, klass):
    spec = SPEC.replace("points: 2", "points: 5").replace("The square of *three* is nine.", "Multiply.")
    found = regrade.report(store, previewed(store, spec))
    assert found.needs_run == ()
    assert found.rises == 3


def test_a_preview_that_fails_says_why_and_changes_nothing(store, klass):
    publish_bundle(store, version(STRICTER))
    made = regrade.begin(store, HERE, None, How("ada"))

    def broken(_: regrade.Loaded) -> None:
        raise ConnectionError("the sandbox is away")

    with pytest.raises(ConnectionError):
        regrade.preview(store, made, broken)
    found = regrade.report(store, made)
    assert (found.state, found.detail) == ("failed", "ConnectionError: the sandbox is away")
    with pytest.raises(RegradeStateError):
        regrade.apply(store, made, by="ada")


def test_a_version_of_another_assignment_is_refused(store):
    other = publish_bundle(store, version(SPEC.replace("tests/arithmetic", "tests/other")))
    with pytest.raises(regrade.RegradeError, match="no version"):
        regrade.begin(store, HERE, other.version, How("ada"))


def lend_reference(store: Store) -> None:
    made = of_version(REFERENCE, BUNDLE)
    with store.write() as session:
        session.add(
            Reference(
                version=made.assignment, environment="sha256:e", lease_until=0.0, owner=None,
                evidence=store.blobs.put(made.to_bytes()),
            )
        )  # fmt: skip


def test_the_authors_run_serves_a_version_with_the_same_solution(store, klass):
    lend_reference(store)
    published = publish_bundle(store, version(STRICTER))
    found = regrade.stored_reference(store, regrade.load(store, published.version))
    assert found is not None
    assert found.snapshots == REFERENCE.snapshots


def test_the_authors_run_does_not_serve_another_solution(store, klass):
    lend_reference(store)
    published = publish_bundle(store, version(SPEC, **{"reference.ipynb": RIGHT.replace(b"4]", b"5]")}))
    assert regrade.stored_reference(store, regrade.load(store, published.version)) is None


def test_an_unknown_regrade_is_told(store):
    with pytest.raises(regrades.UnknownRegradeError):
        regrade.report(store, "nothing")
