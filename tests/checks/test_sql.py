"""The kind ``sql``: the query's text, and results that may stand in another order."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.compare.results import Near, in_order, same_rows
from checks.compare.sql_words import first_word, statements, uses, writes
from checks.errors import SpecError
from checks.evidence import values as v
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, small_assignment, snapshot

NEAR = Near(1e-9, 1e-12)
PART = """
    variables: {q: {}}
    checks:
      - sql: {of: q, databases: [{id: one, script: 'SELECT 1', expected: {columns: [a, b], rows: [[1, x], [2.5, null]]}}]}
"""

WRITING = [
    ("SELECT 1", False),
    ("/* a */ -- b\n select 1", False),
    ("VALUES (1)", False),
    ("WITH t AS (SELECT 1) SELECT replace('a', 'b', 'c') FROM t", False),
    ("WITH t AS (SELECT 1) INSERT INTO x SELECT * FROM t", True),
    ("with t as (select 1) delete from x", True),
    ("INSERT INTO t VALUES (1)", True),
    ("DROP TABLE t", True),
    ("PRAGMA query_only = 0", True),
    ("ATTACH 'x' AS y", True),
    ("EXPLAIN SELECT 1", True),
    ("(SELECT 1)", True),
]


@pytest.mark.parametrize(("text", "does"), WRITING)
def test_a_statement_that_does_more_than_read_is_told(text: str, does: bool) -> None:
    (statement,) = statements(text)
    assert writes(statement) is does


STATEMENTS = [
    ("SELECT ';' -- ;\n", 1),
    ("SELECT 1;", 1),
    ("SELECT 1; ;", 1),
    ("SELECT 1; SELECT 2", 2),
    ('SELECT "a;b", [c;d], `e;f`', 1),
    ("SELECT 'it''s; fine'", 1),
    ("-- nothing", 0),
    ("SELECT 'open ; end", 1),
    ("/* open ; end", 0),
]


@pytest.mark.parametrize(("text", "count"), STATEMENTS)
def test_statements_are_told_apart_outside_of_texts_and_comments(text: str, count: int) -> None:
    assert len(statements(text)) == count


USES = [
    ("SELECT a FROM t GROUP\n BY a", "group by", True),
    ("SELECT a FROM t -- GROUP BY a", "GROUP BY", False),
    ("SELECT 'GROUP BY' FROM t", "GROUP BY", False),
    ('SELECT "JOIN" FROM t', "JOIN", False),
    ("SELECT a FROM t LEFT JOIN s", "join", True),
    ("SELECT grouping FROM t", "group", False),
    ("SELECT count(*) FROM t", "COUNT", True),
    ("SELECT GROUP, BY", "GROUP BY", False),
]


@pytest.mark.parametrize(("text", "phrase", "holds"), USES)
def test_keywords_are_words_of_the_query_itself(text: str, phrase: str, holds: bool) -> None:
    (statement,) = statements(text)
    assert uses(statement, phrase) is holds
    assert first_word(statement) == "SELECT"


VALUES = st.none() | st.integers(-3, 3) | st.sampled_from([0.1, 0.5, 2.0]) | st.sampled_from(["a", "b", ""])
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=12)


@given(ROWS, st.randoms())
def test_rows_in_any_order_are_the_same_rows(rows: list[tuple[Any, ...]], chance: Any) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert same_rows(shuffled, rows, NEAR)
    nearly = [
        tuple(each * (1 + 1e-12) if isinstance(each, float) else each for each in row) for row in shuffled
    ]
    assert same_rows(nearly, rows, NEAR)


@given(ROWS, VALUES)
def test_one_other_value_is_noticed(rows: list[tuple[Any, ...]], other: Any) -> None:
    seen = [*rows, (other, "z")]
    assert not same_rows(seen, [*rows, (other, "y")], NEAR)
    assert not same_rows(rows, seen, NEAR)
    assert in_order(seen, list(seen), NEAR)
    assert not in_order(seen, [*rows, (other, "y")], NEAR)


def test_numbers_that_sort_otherwise_because_they_are_a_little_apart_are_found() -> None:
    wanted = [(0.1 + 0.2, "b"), (0.3, "a")]
    assert same_rows([(0.3, "b"), (0.1 + 0.2, "a")], wanted, NEAR)
    assert same_rows([(1 + 4.9e-10, "a"), (1 + 5.1e-10, "b")], [(1 + 5.1e-10, "a"), (1 + 4.9e-10, "b")], NEAR)


SAME = [
    (1, 1.0, True),
    (1, "1", False),
    (None, None, True),
    (None, 0, False),
    ("a", "A", False),
    (b"a", "a", False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_values_are_equal_as_in_sqlite(one: object, other: object, same: bool) -> None:
    assert NEAR.same(one, other) is same


def result(columns: dict[str, list[v.AnyNode]]) -> v.Table:
    """A result as the sandbox sends it."""
    made = tuple(
        v.Column(
            name=v.Text(v=name),
            dtype="object",
            values=v.Array(dtype="object", shape=(len(cells),), items=tuple(cells)),
        )
        for name, cells in columns.items()
    )
    length = len(next(iter(columns.values())))
    level = v.Array(dtype="object", shape=(length,), items=tuple(v.Int(v=str(n)) for n in range(length)))
    return v.Table(columns=made, index=v.Index(levels=(level,), names=(v.Nothing(),)), cls="sqlite3.Cursor")


def test_a_result_that_is_written_down_is_compared_as_sql_does() -> None:
    found = small_assignment(PART)
    (plan,) = found.plan().parts[0].queries
    table = result({"A": [v.Float(v=(2.5).hex()), v.Int(v="1")], "b": [v.Nothing(), v.Text(v="x")]})
    made = v.Sequence(items=(v.Called(case="one", steps=(v.Step(ended="returned", result=table),)),))
    taken = [snapshot("q1", "check", 0, {"q": "SELECT 1"}), snapshot("q1()", "check", 0, {plan.key: made})]
    assert (
        judge(found, evidence([cell(0, "q = 'SELECT 1'\nq1.check()")], taken), None, SUBMISSION)
        .parts[0]
        .status
        == "correct"
    )


PROBLEMS = [
    (
        "{of: x, databases: [{id: a, script: '', expected: {columns: [a], rows: []}}]}",
        "'x' is none of the part's variables",
    ),
    ("{of: q, databases: [{id: a, script: ''}]}", "nothing says what the query must give"),
    ("{of: q, databases: [{id: a}]}", "needs either an input or a script"),
    (
        "{of: q, databases: [{id: a, script: '', expected: {columns: [a], rows: [[1, 2]]}}]}",
        "as many values as there are columns",
    ),
    ("{of: q, expected: {variable: q}, databases: [{id: a, script: ''}]}", "written down, or `reference`"),
    (
        "{of: q, expected: reference, databases: [{id: a, script: ''}, {id: a, script: ''}]}",
        "'a' is there already",
    ),
]


@pytest.mark.parametrize(("sql", "what"), PROBLEMS, ids=[what for _, what in PROBLEMS])
def test_an_authors_mistake_is_told(sql: str, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        small_assignment(f"    variables: {{q: {{}}}}\n    checks:\n      - sql: {sql}\n")
    assert what in str(caught.value)
