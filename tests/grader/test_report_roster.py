"""What the instructor's pages read, on both databases: lines, cells, answers, courses."""

from __future__ import annotations

from checks.assignment import Assignment
from grader import courses, roster
from grader.answer_groups import groups, read_missing
from grader.store.tokens import Caller
from tests.browser import klass
from tests.grader.arithmetic import BUNDLE

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
