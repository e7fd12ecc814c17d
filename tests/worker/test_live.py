"""Parts judged while their notebook still runs."""

from __future__ import annotations

import threading

import nbformat
import pytest

from checks.assignment import Assignment
from checks.evidence import Evidence, Run
from tests.grader.arithmetic import BUNDLE
from worker.collect import FrameLabel
from worker.live import LiveJudge
from worker.so_far import evidence_so_far

ASSIGNMENT = Assignment.from_files(BUNDLE)


def cells(*sources, errors=()):
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_markdown_cell("text")]
    for number, source in enumerate(sources):
        outputs = [nbformat.v4.new_output("error", ename="NameError", evalue="x", traceback=[])]
        made.cells.append(nbformat.v4.new_code_cell(source, outputs=outputs if number in errors else []))
    return made


@pytest.mark.parametrize(
    ("run", "statuses", "running"),
    [
        (1, ["ok", "ok", "not_run", "not_run"], 1),
        (2, ["ok", "ok", "error", "not_run"], 3),
        (3, ["ok", "ok", "error", "ok"], 4),
    ],
)
def test_the_cells_so_far_are_those_that_have_begun(run, statuses, running):
    notebook = cells("a = 1", " ", "b", "c", errors=(2,) if run > 1 else ())
    made = evidence_so_far(notebook, "sha256:0", FrameLabel("part1", "check", run), b"frame")
    assert made.snapshots[0].cell == running
    assert [cell.status for cell in made.cells] == statuses


def empty() -> Evidence:
    run = Run(status="completed", seconds=0.0, environment="", memory_limit="")
    return Evidence(notebook="", assignment=ASSIGNMENT.version, run=run)


def test_an_equal_verdict_is_told_once_and_a_broken_snapshot_stops_nothing():
    told, judged = [], threading.Semaphore(0)

    def evidence():
        judged.release()
        return empty()

    def broken():
        judged.release()
        raise ValueError("no frame")

    with LiveJudge(ASSIGNMENT, None, lambda part: told.append(part.id)) as live:
        for part, make in (("part1", evidence), ("part1", broken), ("part1", evidence), ("part2", evidence)):
            live.captured(part, make)
            assert judged.acquire(timeout=10)
    assert told.count("part1") == 1


def test_what_waits_at_the_end_is_not_judged_any_more():
    begun, go = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert go.wait(10)
        return empty()

    told = []
    with LiveJudge(ASSIGNMENT, None, lambda part: told.append(part.id)) as live:
        live.captured("part1", slow)
        assert begun.wait(10)
        live.captured("part2", empty)
        threading.Timer(0.3, go.set).start()
    assert told == ["part1"]
