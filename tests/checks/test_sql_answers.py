"""The kind ``sql``: answers that are right though written otherwise, and wrong ones that look right."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import time
from typing import Any

import pytest

from checks.assignment import Assignment
from checks.compare.sql_words import statements, writes
from checks.evidence import values as v
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, node, small_assignment, snapshot
from tests.checks.test_sql import result

INF = float("inf")
TABLE = [["ann", 3, 2.5], ["bob", 1, None], ["cem", 3, 0.3]]


def assignment(settings: str, columns: str, rows: Any) -> Assignment:
    text = str(rows).replace("None", "null").replace("inf", ".inf").replace("nan", ".nan")
    return small_assignment(
        f"    variables: {{q: {{}}}}\n    checks:\n      - sql: {{of: q, {settings}databases: "
        f"[{{id: one, script: 'SELECT 1', expected: {{columns: {columns}, rows: {text}}}}}]}}\n"
    )


def status(found: Assignment, query: str, columns: list[str], rows: list[list[Any]]) -> str:
    """The part's status where the query gave these columns and rows."""
    (plan,) = found.plan().parts[0].queries
    cells = {name: [node(row[at]) for row in rows] for at, name in enumerate(columns)}
    made = v.Called(case="one", steps=(v.Step(ended="returned", result=result(cells)),))
    taken = [
        snapshot("q1", "check", 0, {"q": query}),
        snapshot("q1()", "check", 0, {plan.key: v.Sequence(items=(made,))}),
    ]
    return judge(found, evidence([cell(0, "q1.check()")], taken), None, SUBMISSION).parts[0].status


NAMES = ["name", "n", "x"]
RESULTS: list[tuple[str, str, list[str], list[list[Any]], str]] = [
    ("as asked", "", NAMES, TABLE, "correct"),
    ("rows in another order", "", NAMES, TABLE[::-1], "correct"),
    ("names in capitals", "", ["NAME", "N", "X"], TABLE, "correct"),
    ("float noise", "", NAMES, [*TABLE[:2], ["cem", 3, 0.1 + 0.2]], "correct"),
    ("whole floats", "", NAMES, [["ann", 3.0, 2.5], ["bob", 1.0, None], ["cem", 3, 0.3]], "correct"),
    ("ties in another order", "order: {by: [n]}, ", NAMES, [TABLE[2], TABLE[0], TABLE[1]], "partial"),
    ("columns in any order", "columns: {order: any}, ", ["x", "n", "name"], [row[::-1] for row in TABLE], "correct"),
    ("other names where any will do", "columns: {names: any}, ", ["a", "b", "c"], TABLE, "correct"),
    ("columns in another order", "", ["x", "n", "name"], [row[::-1] for row in TABLE], "partial"),
    ("other names", "", ["name", "n", "y"], TABLE, "incorrect"),
    ("NULL as 0", "", NAMES, [TABLE[0], ["bob", 1, 0], TABLE[2]], "incorrect"),
    ("NULL as an empty text", "", NAMES, [TABLE[0], ["bob", 1, ""], TABLE[2]], "incorrect"),
    ("numbers as texts", "", NAMES, [["ann", "3", 2.5], *TABLE[1:]], "incorrect"),
    ("a row twice, another missing", "", NAMES, [TABLE[0], TABLE[0], TABLE[2]], "incorrect"),
    ("a row too much", "", NAMES, [*TABLE, TABLE[0]], "incorrect"),
    ("a row too few", "", NAMES, TABLE[:2], "incorrect"),
    ("texts in capitals", "", NAMES, [["Ann", 3, 2.5], *TABLE[1:]], "incorrect"),
    ("a blank behind a text", "", NAMES, [["ann ", 3, 2.5], *TABLE[1:]], "incorrect"),
    ("values of two rows exchanged", "", NAMES, [["ann", 1, 2.5], ["bob", 3, None], TABLE[2]], "incorrect"),
    ("a little beside", "", NAMES, [["ann", 3, 2.5001], *TABLE[1:]], "incorrect"),
    ("infinite for a number", "", NAMES, [["ann", 3, INF], *TABLE[1:]], "incorrect"),
    ("a column too much", "", [*NAMES, "m"], [[*row, 1] for row in TABLE], "incorrect"),
    ("no rows", "", NAMES, [], "incorrect"),
    ("another order where it counts", "order: same, ", NAMES, TABLE[::-1], "partial"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "columns", "rows", "wanted"), [row[1:] for row in RESULTS], ids=[row[0] for row in RESULTS])  # fmt: skip
def test_results(settings: str, columns: list[str], rows: list[list[Any]], wanted: str) -> None:
    found = assignment(settings, "[name, n, x]", TABLE)
    assert status(found, "SELECT 1", columns, rows) == wanted


TIED = [["a", 1], ["b", 1], ["c", 2]]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [(TIED, "correct"), ([TIED[1], TIED[0], TIED[2]], "correct"), (TIED[::-1], "partial"), ([["a", 2], ["b", 1], ["c", 1]], "incorrect")],
)  # fmt: skip
def test_ties_may_stand_in_any_order(rows: list[list[Any]], wanted: str) -> None:
    assert (
        status(assignment("order: {by: [n]}, ", "[name, n]", TIED), "SELECT 1", ["name", "n"], rows) == wanted
    )


@pytest.mark.parametrize("seen", [5.0, -INF, 1e308])
def test_infinity_equals_nothing_but_itself(seen: float) -> None:
    for settings in ("order: same, ", ""):
        found = assignment(settings, "[n]", [[INF]])
        assert status(found, "SELECT 1", ["n"], [[seen]]) == "incorrect"
        assert status(found, "SELECT 1", ["n"], [[INF]]) == "correct"


@pytest.mark.parametrize(("name", "wanted"), [("COUNT(*)", "correct"), ("count( * )", "correct"), ("Count (*)", "correct"), ("count(*)+1", "incorrect")])  # fmt: skip
def test_blanks_of_an_expression_do_not_make_another_column(name: str, wanted: str) -> None:
    assert status(assignment("", "['count(*)']", [[3]]), "SELECT 1", [name], [[3]]) == wanted


def test_accents_of_texts_that_are_written_down_may_be_typed_in_two_ways() -> None:
    assert status(assignment("", "[n]", '[["Jose\\u0301"]]'), "SELECT 1", ["n"], [["Jos\u00e9"]]) == "correct"


QUERIES: list[tuple[str, str, str]] = [
    ("", "SELECT 1;", "correct"),
    ("", "  select 1 -- one", "correct"),
    ("", "/* a; b */ SELECT 1 ; ; ", "correct"),
    ("", "WITH t AS (SELECT 1) SELECT * FROM t", "correct"),
    ("", "WITH t AS (SELECT replace('a', 'b', 'c')) SELECT * FROM t", "correct"),
    ("", "VALUES (1)", "correct"),
    ("", "SELECT ';'", "correct"),
    ("", "SELECT 1; SELECT 2", "incorrect"),
    ("", "SELECT 1; DROP TABLE t", "incorrect"),
    ("", "-- SELECT 1", "incorrect"),
    ("", "", "incorrect"),
    ("", "DELETE FROM t", "incorrect"),
    ("", "WITH t AS (SELECT 1) DELETE FROM x", "incorrect"),
    ("", "PRAGMA table_info(t)", "incorrect"),
    ("uses: [GROUP BY], ", "SELECT a FROM t group /* x */ by a", "correct"),
    ("uses: [GROUP BY], ", "SELECT a, 'GROUP BY' FROM t -- GROUP BY", "incorrect"),
    ("uses: [LEFT JOIN], ", "SELECT 1 FROM a LEFT OUTER JOIN b", "correct"),
    ("uses: [LEFT OUTER JOIN], ", "SELECT 1 FROM a LEFT JOIN b", "correct"),
    ("uses: [INNER JOIN], ", "SELECT 1 FROM a JOIN b", "correct"),
    ("uses: [INNER JOIN], ", "SELECT 1 FROM a LEFT JOIN b", "incorrect"),
    ("uses: [JOIN], ", "SELECT 1 FROM a INNER JOIN b", "correct"),
    ("uses: [JOIN], ", "SELECT 1 FROM a LEFT OUTER JOIN b", "correct"),
    ("uses: [OUTER JOIN], ", "SELECT 1 FROM a LEFT JOIN b", "correct"),
    ("uses: [OUTER JOIN], ", "SELECT 1 FROM a JOIN b", "incorrect"),
    ("uses: [LEFT JOIN], ", "SELECT 1 FROM a JOIN b", "incorrect"),
    ("forbids: [JOIN], ", "SELECT 1 FROM a LEFT JOIN b", "incorrect"),
    ("forbids: [JOIN], ", 'SELECT "join" FROM a', "correct"),
    ("forbids: [LIMIT], ", "SELECT 'LIMIT' FROM a", "correct"),
    ("uses: [OUTER], ", "SELECT 1 FROM a LEFT OUTER JOIN b", "correct"),
    ("uses: [OUTER], ", "SELECT 1 FROM a LEFT JOIN b", "correct"),
    ("uses: [OUTER], ", "SELECT 1 FROM a JOIN b", "incorrect"),
    ("uses: [LEFT OUTER], ", "SELECT 1 FROM a LEFT JOIN b", "correct"),
    ("uses: [JOIN b], ", "SELECT 1 FROM a LEFT JOIN b", "correct"),
    ("forbids: [OUTER], ", "SELECT 1 FROM a FULL OUTER JOIN b", "incorrect"),
    ("forbids: [LEFT OUTER JOIN], ", "SELECT 1 FROM a LEFT JOIN b", "incorrect"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "query", "wanted"), QUERIES)
def test_queries(settings: str, query: str, wanted: str) -> None:
    found = status(assignment(settings, "[n]", [[1]]), query, ["n"], [[1]])
    assert found == wanted or (not query and found == "not_attempted")


def test_long_query_is_read_in_a_time_that_grows_with_its_length() -> None:
    (statement,) = statements("WITH " + "a " * 30_000)
    started = time.process_time()
    assert not writes(statement)
    assert time.process_time() - started < 2
