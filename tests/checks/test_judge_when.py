"""Which snapshot decides, what counts as not attempted, and what as stopped by the student's own code."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

from collections.abc import Sequence

import pytest

from checks.assignment import Assignment
from checks.evidence import CellRun, Evidence, Snapshot
from checks.evidence import values as v
from checks.feedback import PartFeedback
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, notebook, small_assignment, snapshot, table

ONE_PART = """
    variables: {x: {starter: null}}
    hints: [think]
    checks:
      - equal: {of: x, to: {value: 3}}
"""
ONE = small_assignment(ONE_PART)
COLUMN = small_assignment("""
    variables: {t: {}}
    not_attempted: {unstored: {table: t, column: norm}}
    checks:
      - table: {of: t, columns: [norm]}
""")
CREATED = small_assignment("""
    variables: {model: {}}
    not_attempted: {unassigned: bias}
    checks:
      - equal: {of: model, to: {value: 3}}
""")
NAME_ERROR = ("NameError", "name 'df' is not defined")


def part(assignment: Assignment, found: Evidence) -> PartFeedback:
    return judge(assignment, found, None, SUBMISSION).parts[0]


def asked(
    cells: Sequence[CellRun], snapshots: Sequence[Snapshot] = (), status: str = "completed"
) -> PartFeedback:
    return part(ONE, evidence(cells, snapshots, status))


ANSWER = cell(3, "x = 3\nq1.check()")


def taken(trigger: str, at: int, value: object) -> Snapshot:
    return snapshot("q1", trigger, at, {"x": value})


SNAPSHOTS = [
    (
        "the check before a later binding",
        [taken("check", 3, 3), taken("bound", 5, 9), taken("end", 7, 9)],
        "correct",
        3,
    ),
    ("a wrong check before a right binding", [taken("check", 3, 9), taken("bound", 5, 3)], "incorrect", 3),
    ("the binding without a check", [taken("bound", 5, 3), taken("end", 7, 9)], "correct", 5),
    ("the end without anything else", [taken("end", 7, 3)], "correct", 7),
    (
        "the end after a placeholder changed in place",
        [taken("bound", 5, None), taken("end", 7, 3)],
        "correct",
        7,
    ),
    ("the placeholder when checked", [taken("check", 3, None), taken("end", 7, 3)], "not_attempted", 3),
]


@pytest.mark.parametrize(
    ("snapshots", "status", "at"), [row[1:] for row in SNAPSHOTS], ids=[row[0] for row in SNAPSHOTS]
)
def test_snapshot_that_decides(snapshots: list[Snapshot], status: str, at: int) -> None:
    found = asked([ANSWER], snapshots)
    assert (found.status, found.cell) == (status, at)


def test_part_that_nothing_assigns_is_not_attempted() -> None:
    assert asked([cell(1, "y = 1")]).status == "not_attempted"


def test_commented_out_answer_is_not_attempted() -> None:
    assert asked([cell(1, "# x = 3")]).status == "not_attempted"


AS_GIVEN = [
    ("the literal", ["x = None\nq1.check()"], "not_attempted"),
    ("the literal with an annotation", ["x: list = None\nq1.check()"], "not_attempted"),
    ("the literal in an earlier cell", ["x = None", "y = f()\nq1.check()"], "not_attempted"),
    ("no assignment at all", ["exec(z)\nq1.check()"], "not_attempted"),
    ("a call that gives nothing", ["x = print(f())\nq1.check()"], "incorrect"),
    ("first the literal, then a call", ["x = None", "x = print(f())\nq1.check()"], "incorrect"),
    ("the literal, then a loop", ["x = None\nfor a in b:\n    x = a\nq1.check()"], "incorrect"),
    ("a name of None", ["x = y\nq1.check()"], "incorrect"),
    ("a literal after the check", ["x = print(f())\nq1.check()", "x = None"], "incorrect"),
]


@pytest.mark.parametrize(
    ("sources", "status"), [row[1:] for row in AS_GIVEN], ids=[row[0] for row in AS_GIVEN]
)
def test_placeholder_is_untouched_where_it_was_written_down(sources: list[str], status: str) -> None:
    cells = [cell(number, source) for number, source in enumerate(sources)]
    at = next(number for number, source in enumerate(sources) if "check" in source)
    found = asked(cells, [taken("check", at, None)])
    assert found.status == status
    assert ("x is None" in found.message) == (status == "incorrect")


def test_starters_own_expression_is_no_answer() -> None:
    source = "x = dict().get(0)\nq1.check()"
    assignment = small_assignment(ONE_PART, starter=notebook("import this", source))
    found = evidence([cell(3, source + "  # nothing yet")], [taken("check", 3, None)])
    assert part(assignment, found).status == "not_attempted"


def test_crash_in_its_own_cell_is_an_error_with_the_exception() -> None:
    found = asked([cell(1, "ok = 1"), cell(3, "x = df[0]\nq1.check()", NAME_ERROR)])
    assert (found.status, found.cell, found.hints) == ("error", 3, ("think",))
    assert "NameError in code cell 2, line 2: name 'df' is not defined" in found.message


def test_error_tells_the_earlier_crash_behind_it() -> None:
    setup = cell(0, "df = load()", ("FileNotFoundError", "no *file* <here>"))
    found = asked([setup, cell(3, "x = df[0]\nq1.check()", NAME_ERROR)])
    assert found.status == "error"
    assert r"FileNotFoundError in code cell 1, line 2: no \*file\* &lt;here&gt;" in found.message


def test_crash_before_the_cell_is_an_error_when_nothing_was_bound() -> None:
    found = asked([cell(0, "import nothing", ("ImportError", "no")), cell(3, "if nothing:\n    x = 3")])
    assert (found.status, found.cell) == ("error", 0)


def test_part_whose_cell_is_gone_is_not_attempted_whatever_crashed() -> None:
    cells = [cell(0, "import nothing", ("ImportError", "no")), cell(3, "print(x)", ("NameError", "name 'x'"))]
    assert asked(cells).status == "not_attempted"


def test_cell_with_the_check_speaks_before_another_of_its_cells() -> None:
    cells = [cell(3, "x = (\nq1.check()", ("SyntaxError", "never closed")), cell(5, "x = y + 1", NAME_ERROR)]
    assert "SyntaxError" in asked(cells).message


def test_crash_on_the_way_to_the_check_while_the_placeholder_stands() -> None:
    cells = [cell(2, "x = None\nq1.check()"), cell(3, "x = df[0]\nq1.check()", NAME_ERROR)]
    found = asked(cells, [taken("check", 2, None)])
    assert (found.status, found.cell) == ("error", 3)


def test_crash_after_the_check_in_the_same_cell_leaves_it_not_attempted() -> None:
    cells = [cell(2, "x = None\nq1.check()\nx.y", ("AttributeError", "no y"))]
    assert asked(cells, [taken("check", 2, None)]).status == "not_attempted"


def test_crash_after_an_answer_is_of_no_interest() -> None:
    cells = [ANSWER, cell(5, "x = df\nq1.check()", NAME_ERROR)]
    assert asked(cells, [taken("check", 3, 3)]).status == "correct"


def test_syntax_error_in_its_cell_is_an_error() -> None:
    found = asked([cell(3, "x = (\nq1.check()", ("SyntaxError", "'(' was never closed"))])
    assert (found.status, found.cell) == ("error", 3)
    assert "SyntaxError" in found.message


@pytest.mark.parametrize("status", ["time_limit", "out_of_memory", "output_limit", "kernel_died"])
def test_limit_before_the_part_is_an_error_that_tells_the_cell(status: str) -> None:
    cells = [cell(1, "loop()", status="stopped"), cell(3, "x = 3\nq1.check()", status="not_run")]
    found = asked(cells, status=status)
    assert (found.status, found.cell) == ("error", 1)
    assert "code cell 1" in found.message


def test_limit_after_the_part_changes_nothing() -> None:
    cells = [ANSWER, cell(5, "loop()", status="stopped")]
    assert asked(cells, [taken("check", 3, 3)], status="time_limit").status == "correct"


def test_assigned_where_it_never_gets_a_value_is_incorrect() -> None:
    assert (
        asked([cell(3, "def f():\n    x = 3\nq1.check()")], [snapshot("q1", "check", 3, {})]).status
        == "incorrect"
    )


def test_value_that_cannot_be_read_is_incorrect_and_says_why() -> None:
    found = asked([ANSWER], [taken("check", 3, v.Broken(why="more than 32 MiB of numbers"))])
    assert found.status == "incorrect"
    assert "more than 32 MiB" in found.message


def test_frame_that_is_none_is_the_students_error_and_spares_other_parts() -> None:
    bad = Snapshot(part="q1", trigger="check", cell=3, frame=b"EVF1 forged")
    found = asked([ANSWER], [bad, taken("end", 5, 3)])
    assert found.status == "error"


def test_rejected_run_is_an_error_that_says_why() -> None:
    found = part(ONE, evidence(status="rejected", detail="not a *notebook*"))
    assert found.status == "error"
    assert r"not a \*notebook\*" in found.message


def test_system_error_is_unjudged_and_costs_nothing_for_good() -> None:
    found = part(ONE, evidence([ANSWER], [taken("check", 3, 3)], status="system_error", detail="no sandbox"))
    assert (found.status, found.max_score) == ("unjudged", 1.0)
    assert "no sandbox" in found.message


# --- a column that has to be added ---------------------------------------------------------------------------------

PLAIN, WITH = table({"k": [1, 2]}), table({"k": [1, 2], "norm": [1.0, 2.0]})
ASK = "# TODO\nq1.check()"
SETUP = cell(1, "t = read()\nt['key'] = 1")
COLUMN_CASES: list[tuple[str, list[CellRun], list[tuple[str, int, v.AnyNode]], str]] = [
    ("untouched", [SETUP, cell(4, ASK)], [("check", 4, PLAIN)], "not_attempted"),
    ("its cell deleted", [SETUP], [("bound", 1, PLAIN), ("end", 1, PLAIN)], "not_attempted"),
    ("nothing at all", [], [], "not_attempted"),
    ("no cell but its own", [cell(4, ASK)], [], "not_attempted"),
    ("no table, but a cell that stores", [cell(4, "t['norm'] = n\nq1.check()")], [], "incorrect"),
    ("no table, though a cell names it", [cell(1, "def f():\n    t = read()"), cell(4, ASK)], [], "incorrect"),
    ("added", [SETUP, cell(4, "t['norm'] = n\nq1.check()")], [("check", 4, WITH)], "correct"),
    ("added in place, check deleted", [SETUP, cell(4, "t['norm'] = n")], [("bound", 1, PLAIN), ("end", 4, WITH)], "correct"),
    ("added in another cell", [SETUP, cell(3, "t['norm'] = n"), cell(4, ASK)], [("check", 4, WITH)], "correct"),
    ("wrong name in another cell", [SETUP, cell(3, "t['Norm'] = n"), cell(4, ASK)], [("check", 4, PLAIN)], "incorrect"),
    ("to another table", [SETUP, cell(3, "u['norm'] = n"), cell(4, ASK)], [("check", 4, PLAIN)], "incorrect"),
    ("by assign elsewhere", [SETUP, cell(3, "u = t.assign(norm=n)"), cell(4, ASK)], [("check", 4, PLAIN)], "incorrect"),
    ("only read elsewhere", [SETUP, cell(4, ASK), cell(6, "t.sort_values(by='norm')")], [("check", 4, PLAIN)], "not_attempted"),
    ("other code in its cell", [SETUP, cell(4, "n + 1\nq1.check()")], [("check", 4, PLAIN)], "incorrect"),
    ("crash in its cell", [SETUP, cell(4, "t['norm'] = n[0]\nq1.check()", NAME_ERROR)], [("bound", 1, PLAIN)], "error"),
    ("no Python", [SETUP, cell(4, "t['norm' = n\nq1.check()", ("SyntaxError", "no"))], [("bound", 1, PLAIN)], "error"),
    ("crash in the set-up", [cell(1, "t = read()", NAME_ERROR), cell(4, ASK, NAME_ERROR)], [], "error"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "taken_", "status"), [row[1:] for row in COLUMN_CASES], ids=[row[0] for row in COLUMN_CASES]
)
def test_column_to_add(cells: list[CellRun], taken_: list[tuple[str, int, v.AnyNode]], status: str) -> None:
    snapshots = [snapshot("q1", trigger, at, {"t": value}) for trigger, at, value in taken_]
    assert part(COLUMN, evidence(cells, snapshots)).status == status


# --- a name that has to be created -------------------------------------------------------------------------------------

UNBOUND = ("NameError", "name 'bias' is not defined")
TYPE_ERROR = ("TypeError", "not a tensor")
CREATED_CASES: list[tuple[str, list[CellRun], list[Snapshot], str]] = [
    ("untouched", [cell(1, "# bias =\nmodel = add(bias)", UNBOUND)], [], "not_attempted"),
    ("the cell deleted", [cell(1, "y = 1")], [], "not_attempted"),
    ("assigned", [cell(1, "bias = 1\nmodel = add(bias)", TYPE_ERROR)], [], "error"),
    ("by a walrus", [cell(1, "model = add((bias := 1))", TYPE_ERROR)], [], "error"),
    ("in a tuple", [cell(1, "bias, z = 1, 2\nmodel = add(bias)", TYPE_ERROR)], [], "error"),
    ("in a loop", [cell(1, "for bias in y: pass\nmodel = add(bias)", TYPE_ERROR)], [], "error"),
    ("by with", [cell(1, "with y as bias: pass\nmodel = add(bias)", TYPE_ERROR)], [], "error"),
    ("in a cell that is no Python", [cell(1, "bias = (\nmodel = add(bias)", ("SyntaxError", "no"))], [], "error"),
    ("only in a comment of such a cell", [cell(0, "( # bias", ("SyntaxError", "no")), cell(1, "model = add(bias)", UNBOUND)], [], "not_attempted"),
    ("under another name, and crashed", [cell(1, "b = f()\nmodel = add(b)", TYPE_ERROR)], [], "error"),
    ("answered", [cell(1, "bias = 1\nmodel = add(bias)")], [snapshot("q1", "bound", 1, {"model": 3})], "correct"),
    ("answered under another name", [cell(1, "model = add(f())")], [snapshot("q1", "bound", 1, {"model": 3})], "correct"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "snapshots", "status"),
    [row[1:] for row in CREATED_CASES],
    ids=[row[0] for row in CREATED_CASES],
)
def test_name_to_create(cells: list[CellRun], snapshots: list[Snapshot], status: str) -> None:
    assert part(CREATED, evidence(cells, snapshots)).status == status
