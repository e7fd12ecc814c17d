"""Calls and queries as the sandbox makes them: in copies of this very process."""

# ruff: noqa: E501 - code of students stands in one line, however long

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest

from checks.evidence import decode_frame
from checks.evidence import values as v
from checks.plan import CallsPlan, CasePlan, DatabasePlan, PartPlan, QueryPlan, StepPlan
from checks.spec.argument import argument_data
from worker.inside import apart
from worker.inside.calls import Calls, join
from worker.inside.frame import Label

LABEL: Label = {"part": "p()", "trigger": "check", "run": 1, "seed": 0}


def case(name: str, *arguments: object, of: str = "f", **fields: Any) -> CasePlan:
    step = StepPlan(do="call", of=of, arguments=tuple(map(argument_data, arguments)))
    return CasePlan(id=name, steps=(step,), **{"seconds": 0.5, **fields})


def made(space: dict[str, Any], *plans: CallsPlan | QueryPlan) -> list[dict[str, list[v.Called]]]:
    """What each frame that was sent holds: the calls by the plan's key."""
    calls = [plan for plan in plans if isinstance(plan, CallsPlan)]
    queries = [plan for plan in plans if isinstance(plan, QueryPlan)]
    part = msgspec.to_builtins(PartPlan("p", calls=tuple(calls), queries=tuple(queries)))
    frames: list[bytes] = []
    Calls(part, ()).make(space, lambda body, blobs: frames.append(join(LABEL, body, blobs)))
    decoded = [decode_frame(each).values for each in frames]
    return [{key: list(node.items) for key, node in values.items()} for values in decoded]  # type: ignore[union-attr, misc]


def calls(space: dict[str, Any], *cases: CasePlan, **fields: Any) -> dict[str, v.Step]:
    """The last step of each case."""
    last = made(space, CallsPlan("k", cases, **fields))[-1]["k"]
    return {each.case: each.steps[-1] for each in last}


def own(code: str) -> dict[str, Any]:
    """A notebook's variables after ``code``."""
    space: dict[str, Any] = {"os": os, "np": np, "time": time, "threading": threading}
    exec(code, space)
    return space


def test_a_copy_that_is_lost_costs_only_the_case_that_it_made() -> None:
    space = own("def f(x):\n    if x == 2: os._exit(5)\n    return np.full(x, float(x))")
    steps = calls(space, *(case(f"c{x}", x) for x in (1, 2, 3, 4)))
    assert steps["c2"] == v.Step(ended="exited", detail="exit code 5")
    arrays = {name: step.result.values for name, step in steps.items() if isinstance(step.result, v.Array)}
    assert {name: found.tolist() for name, found in arrays.items() if found is not None} == {
        "c1": [1.0],
        "c3": [3.0] * 3,
        "c4": [4.0] * 4,
    }


def test_nothing_that_calls_do_reaches_the_notebook_and_no_process_is_left() -> None:
    before = set(psutil.Process().children())
    space = own("seen = []\ndef f(x):\n    seen.append(x)\n    os.fork()\n    return len(seen)")
    steps = calls(space, case("a", 1), case("b", 2))
    assert space["seen"] == []
    assert isinstance(steps["a"].result, v.Int)
    assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize("process", ["own", "notebook"])
def test_after_two_cases_without_an_end_the_others_are_not_begun(process: str) -> None:
    space = own("def f(x):\n    while x: pass\n    return x")
    cases = [case(f"c{number}", x, seconds=0.2) for number, x in enumerate((0, 1, 0, 1, 0))]
    ended = {name: step.ended for name, step in calls(space, *cases, process=process).items()}
    assert list(ended.values()) == ["returned", "time_limit", "returned", "time_limit", "not_made"]


def test_code_that_takes_no_interruption_is_ended_from_outside() -> None:
    block = "import signal\ndef f():\n    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})\n    time.sleep(60)"
    assert calls(own(block), case("a"))["a"].ended == "time_limit"


def test_where_no_further_process_can_be_had_calls_are_made_in_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(apart, "_fork", refuse)
    assert calls(own("def f(): return os.getpid()"), case("a"))["a"].result == v.Int(v=str(os.getpid()))


def test_calls_in_the_notebooks_own_process_are_sent_one_by_one() -> None:
    frames = made(own("def f(): return 1"), CallsPlan("k", (case("a"), case("b")), process="notebook"))
    assert [len(each["k"]) for each in frames] == [0, 1, 2, 2]


def test_a_result_beyond_the_bounds_leaves_the_others() -> None:
    space = own("def f(x): return [str(n) * 8 for n in range(x)]")
    steps = calls(space, case("a", 3), case("b", 99_999, seconds=20.0), case("c", 2))
    assert [step.ended for step in steps.values()] == ["returned", "too_large", "returned"]
    deep = own("def f():\n    x = []\n    for _ in range(1000): x = [x]\n    return x")
    assert isinstance(calls(deep, case("a"))["a"].result, v.Broken)


def test_a_student_who_breaks_standard_output_breaks_his_own_call() -> None:
    space = own("import sys\ndef f():\n    print('seen')\n    sys.stdout.write(3)")
    step = calls(space, case("a"))["a"]
    assert (step.ended, step.printed) == ("raised", "seen\n")
    loud = calls(own("def f():\n    for _ in range(100): print('x' * 10_000)"), case("a"))["a"]
    assert len(loud.printed) == 1 << 16


def test_a_fault_of_the_graders_is_recorded_as_such() -> None:
    unknown = StepPlan(do="call", of="f", keywords={"x": {"t": "no such thing"}})
    plan = CasePlan(id="a", steps=(unknown,))
    assert calls(own("def f(x): return x"), plan)["a"].ended == "failed"
    missing = case("a", {"import": "no.such.module"})
    assert calls(own("def f(x): return x"), missing)["a"].ended == "failed"


def test_a_variable_that_cannot_be_copied_or_is_not_there_is_said() -> None:
    space = own("x = (n for n in 'a')\ndef f(x): return x")
    assert calls(space, case("a", {"variable": "x"}))["a"].detail == "x cannot be copied (TypeError)"
    assert calls(space, case("a", {"variable": "y"}))["a"].detail == "y has no value"


SCRIPT = "CREATE TABLE t (n INTEGER, s TEXT); INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, x'00ff');"


def query(text: object, database: DatabasePlan | None = None, **fields: Any) -> list[v.Step]:
    """The steps that a query leaves."""
    plan = QueryPlan("q", "q", (database or DatabasePlan("one", None, SCRIPT),), **{"seconds": 0.5, **fields})
    return list(made({"q": text}, plan)[-1]["q"][0].steps)


def cells(step: v.Step) -> list[list[v.AnyNode]]:
    assert isinstance(step.result, v.Table)
    return [list(column.values.items or ()) for column in step.result.columns]


def test_a_querys_result_is_a_table() -> None:
    (step,) = query("SELECT n, s, n / 2.0 FROM t")
    numbers, texts, halves = cells(step)
    assert numbers == [v.Int(v="1"), v.Int(v="2"), v.Int(v="3")]
    assert texts == [v.Text(v="a"), v.Nothing(), v.Bytes(v="AP8=")]
    assert halves[0] == v.Float(v=(0.5).hex())


@pytest.mark.parametrize(
    "text",
    ["UPDATE t SET n = 0", "DROP TABLE t", "ATTACH 'x.db' AS x", "PRAGMA writable_schema = 1", "WITH a AS (SELECT 1) DELETE FROM t", "BEGIN"],
)  # fmt: skip
def test_sqlite_itself_refuses_whatever_is_no_reading(text: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCRIPT)
    connection.close()
    before = path.read_bytes()
    (step,) = query(text, DatabasePlan("file", str(path)))
    assert step.ended == "refused"
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["shop.db"]


FAULTS = [
    ("SELECT x FROM t", "raised", "no such column: x"),
    ("SELECT 1; SELECT 2", "raised", "one statement at a time"),
    (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT COUNT(*) FROM n",
        "time_limit",
        "interrupted",
    ),
]


@pytest.mark.parametrize(("text", "ended", "words"), FAULTS, ids=[row[1] for row in FAULTS])
def test_what_sqlite_says_is_recorded(text: str, ended: str, words: str) -> None:
    (step,) = query(text)
    assert step.ended == ended
    assert step.raised is not None
    assert words in step.raised.message


def test_each_query_of_a_list_is_run_even_after_one_that_failed() -> None:
    steps = query(["SELECT 1", "SELECT x", "SELECT 3"])
    assert [step.ended for step in steps] == ["returned", "raised", "returned"]


@pytest.mark.parametrize("text", [3, ["SELECT 1", None], "x" * 100_000])
def test_what_is_no_query_is_said(text: object) -> None:
    (step,) = query(text)
    assert step.ended == "refused"
    assert step.detail


def test_a_result_is_cut_where_it_has_too_many_rows() -> None:
    (step,) = query("SELECT a.n FROM t a, t b, t c", rows=10)
    assert len(cells(step)[0]) == 11


def test_a_database_that_is_not_there_is_no_students_fault(tmp_path: Path) -> None:
    (step,) = query("SELECT 1", DatabasePlan("file", str(tmp_path / "none.db")))
    assert step.ended == "failed"
