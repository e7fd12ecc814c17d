"""What the instructor's pages read, on both databases: lines, cells, answers, courses."""

from __future__ import annotations

import msgspec
import pytest

from checks.assignment import Assignment
from checks.feedback import Feedback
from grader import courses, roster
from grader.answer_groups import groups, read_missing
from grader.receive import Sent, receive_notebook
from grader.store import feedback
from grader.store.tables import Attempt
from grader.store.tokens import Caller
from tests.browser import klass
from tests.grader.arithmetic import BUNDLE, RIGHT
from tests.grader.test_regrade import grade

HERE = "tests/arithmetic"


def test_a_class_is_read_as_it_was_graded(store):
    pool = klass.sums()
    assignment = Assignment.from_files(BUNDLE)
    klass.fill(store, assignment, pool, names=klass.NAMES[:9])
    assert read_missing(store, assignment) == 0
    with store.read() as session:
        everybody = roster.students(roster.lines(session, HERE))
        cells = roster.cells(session, HERE)
        found = groups(session, assignment)
        listed = courses.seen_by(session, Caller("t", "instructor", "tests"))
        elsewhere = courses.seen_by(session, Caller("t", "instructor", "other"))
    assert [each.name for each in everybody] == sorted(klass.NAMES[:9], key=str.casefold)
    assert {each.standing for each in everybody} >= {"complete", "open", "unjudged"}
    for each in everybody:
        own = cells[each.counts.feedback]
        assert {cell.part for cell in own} == {"part1", "part2"}
        if each.counts.score is not None:
            assert each.counts.score == sum(cell.score for cell in own)
            assert each.standing == ("complete" if each.counts.score == 3 else "open")
        else:
            assert {cell.score for cell in own} == {None}
    counts = {part.id: part for part in roster.part_counts(everybody, cells)}
    assert counts["part1"].total == len(everybody)
    assert {group.status for group in found["part1"]} <= {"incorrect", "partial"}
    assert sum(len(group.submissions) for group in found["part1"]) >= len(found["part1"]) > 1
    assert [one.id for one in listed[0].assignments] == [HERE]
    assert listed[0].assignments[0].students == 9
    assert elsewhere == []


def judged(store, *statuses: str) -> str:
    """One more submission of ada's, whose newest verdict has parts of these statuses (none: no verdict)."""
    if not statuses:
        return receive_notebook(store, Sent(HERE, "ada", RIGHT)).submission
    made = grade(store, "ada", [0, 1, 4])
    with store.write() as session:
        attempt = session.query(Attempt).filter_by(submission_id=made).one().id
        row = feedback.latest_row(session, attempt)
        before = Feedback.from_json(row.document)
        parts = tuple(
            msgspec.structs.replace(part, status=status, score=0.0)
            for part, status in zip(before.parts, statuses, strict=True)
        )
        feedback.add(session, attempt, msgspec.structs.replace(before, parts=parts), evidence=row.evidence)
    return made


def fail(store, submission: str) -> None:
    """Given up by the service's fault, without a verdict."""
    with store.write() as session:
        session.query(Attempt).filter_by(submission_id=submission).one().state = "parked"


def run_again(store, submission: str) -> None:
    """A second attempt, which waits."""
    with store.write() as session:
        row = session.query(Attempt).filter_by(submission_id=submission).one()
        session.add(Attempt(id="f" * 32, submission_id=submission, number=2, queue=row.queue, created_at=1.0))


REVIEW, RIGHT_ONES = ("needs_review", "correct"), ("correct", "correct")


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("history", "counts"),
    [
        ([RIGHT_ONES], None),
        ([REVIEW], 0),
        ([("needs_review", "needs_review")], 0),
        ([("needs_review", "unjudged")], None),
        ([REVIEW, RIGHT_ONES], None),
        ([RIGHT_ONES, REVIEW], 1),
        ([REVIEW, REVIEW], 1),
        ([REVIEW, ()], None),
        ([REVIEW, "failed"], 0),
        ([REVIEW, (), "failed"], 0),
        ([REVIEW, "failed", ()], None),
        ([REVIEW, RIGHT_ONES, "failed"], None),
        ([REVIEW, "again"], None),
        ([REVIEW, REVIEW, "again"], None),
    ],
)
def test_who_waits_for_a_person_is_who_the_roster_says(store, history, counts):
    made: list[str] = []
    for each in history:
        if each == "again":
            run_again(store, made[-1])
        else:
            made.append(judged(store, *(() if each == "failed" else each)))
            if each == "failed":
                fail(store, made[-1])
    grade(store, "bob", [0, 1, 4])
    with store.read() as session:
        found = roster.to_mark(session, HERE)
        everybody = roster.students(roster.lines(session, HERE))
        assert roster.to_mark(session, "tests/other") == []
    assert found == ([] if counts is None else [("ada", made[counts])])
    assert found == [
        (each.name, each.counts.submission) for each in everybody if each.standing == "needs_review"
    ]
