"""Queries of students in the real sandbox, on a shown database and on a hidden one."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import indent

import pytest

from checks.assignment import Assignment
from checks.feedback import PartFeedback, SubmissionInfo
from checks.judge import judge
from tests.conftest import need
from tests.grader.arithmetic import notebook
from worker.attempt import Attempt, run_attempt
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import WarmServer, require_sandbox

pytestmark = pytest.mark.sandbox
HEAD = """\
id: tests/queries
title: Queries
environment: python
module: learntools.tests.queries
inputs: {../input/shop.db: ../data/shop.db}
limits: {seconds: 120, cell_seconds: 60}
parts:
"""
DATABASES = """\
databases:
  - {id: shop, input: ../input/shop.db}
  - id: other
    hidden: true
    script: |
      CREATE TABLE sale (item TEXT, price REAL, day INTEGER);
      INSERT INTO sale VALUES ('pen', 2.5, 1), ('ink', 2.5, 2), ('pen', 1, 3), (NULL, 4, 4);
"""
SHOP = """\
CREATE TABLE sale (item TEXT, price REAL, day INTEGER);
INSERT INTO sale VALUES ('pen', 2, 1), ('ink', 5, 1), ('pen', 3, 2), ('pad', 5, 2);
"""
IMPORTS = "from learntools.core import binder; binder.bind(globals())\nfrom learntools.tests.queries import *"
SUMS = "SELECT item, SUM(price) AS total FROM sale GROUP BY item"
SORTED = "SELECT item, price FROM sale ORDER BY price DESC"


@dataclass(frozen=True)
class Case:
    """A part of its own; ``check`` is more of the YAML of ``sql``."""

    name: str
    author: str
    student: str
    status: str
    words: str = ""
    check: str = ""


CASES = [
    Case("right", SUMS, "select ITEM, sum(price) as TOTAL from sale group by 1 -- done", "correct"),
    Case("in_any_order", SUMS, SUMS + " ORDER BY total DESC", "correct"),
    Case("with", SUMS, f"WITH s AS ({SUMS}) SELECT * FROM s;", "correct"),
    Case("no_null", SUMS, SUMS.replace("GROUP", "WHERE item NOT NULL GROUP"), "incorrect", "gives 2 rows on another database; that is not the right number"),
    Case("wrong", SUMS, SUMS.replace("SUM", "MAX"), "incorrect", "gives 3 rows on shop, but not all of them are right"),
    Case("other_name", SUMS, SUMS.replace("total", "sum"), "incorrect", "gives the columns item, sum; their names"),
    Case("any_name", SUMS, SUMS.replace("total", "sum"), "correct", check="columns: {names: any}"),
    Case("columns_swapped", SUMS, "SELECT SUM(price) AS total, item FROM sale GROUP BY item", "partial", "columns in another order: total, item"),
    Case("one_column", SUMS, "SELECT item FROM sale", "incorrect", "gives item on shop; other columns"),
    Case("ties", SORTED, SORTED + ", item", "correct", check="order: {by: [price]}"),
    Case("unsorted", SORTED, SORTED.replace("DESC", "ASC"), "partial", "the right rows on shop, but not in the order", "order: {by: [price]}"),
    Case("exactly_sorted", SORTED + ", item DESC", SORTED + ", item", "partial", "not in the order", "order: same"),
    Case("syntax", SUMS, "SELEC item FROM sale", "incorrect", "begins with SELEC: only queries that read are run"),
    Case("no_table", SUMS, "SELECT item FROM sales", "incorrect", "could not be run on shop: no such table: sales"),
    Case("writes", SUMS, "DELETE FROM sale", "incorrect", "begins with DELETE: only queries that read"),
    Case("writes_later", SUMS, "WITH s AS (SELECT 1) DELETE FROM sale", "incorrect", "begins with WITH: only queries that read"),
    Case("two", SUMS, SUMS + "; DROP TABLE sale", "incorrect", "more than one statement"),
    Case("extension", SUMS, "SELECT load_extension('x')", "incorrect", "could not be run on shop"),
    Case("endless", SUMS, "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n", "incorrect", "did not come to an end on shop within 0.5 seconds", "seconds: 0.5"),
    Case("many", SUMS, "SELECT a.item, b.price AS total FROM sale a, sale b, sale c", "incorrect", "more rows on shop than are looked at", "rows: 50"),
    Case("large", SUMS, "SELECT hex(zeroblob(4000000)) AS item, 1 AS total FROM sale a, sale b, sale c", "incorrect", "more rows on shop than are looked at"),
    Case("huge", SUMS, "SELECT hex(zeroblob(40000000)) AS item, 1 AS total", "incorrect", "could not be run on shop: string or blob too big"),
    Case("uses", SUMS, "SELECT DISTINCT item, (SELECT SUM(price) FROM sale s WHERE s.item IS t.item) AS total, 'GROUP BY' AS g FROM sale t -- GROUP BY", "incorrect", "does without GROUP BY", "uses: [GROUP BY]"),
    Case("forbids", SUMS, SUMS + " LIMIT 3", "incorrect", "uses LIMIT, which the exercise rules out", "forbids: [LIMIT]"),
    Case("number", SUMS, "3", "incorrect", "is no query"),
    Case("empty", SUMS, "-- nothing yet", "incorrect", "holds no query yet"),
]  # fmt: skip


class Run:
    """All cases in one notebook, run and judged once."""

    def __init__(self, server: WarmServer, folder: Path) -> None:
        self._server = server
        with sqlite3.connect(folder / "shop.db") as connection:
            connection.executescript(SHOP)
        connection.close()
        self.files = {
            "assignment.yaml": (HEAD + "".join(map(_part, CASES))).encode(),
            "starter.ipynb": notebook("pass"),
            "reference.ipynb": _notebook("author"),
            "inputs/data/shop.db": (folder / "shop.db").read_bytes(),
        }
        self.assignment = Assignment.from_files(self.files)

    def run(self, cells: bytes, *, reference: bool = False) -> Attempt:
        return run_attempt(cells, self.assignment, self.files, self._server, reference=reference)

    @cached_property
    def attempt(self) -> Attempt:
        return self.run(_notebook("student"))

    @cached_property
    def reference(self) -> Attempt:
        return self.run(_notebook("author"), reference=True)

    def parts(self, attempt: Attempt) -> dict[str, PartFeedback]:
        info = SubmissionInfo("s", "ada", "sha256:0", 1)
        feedback = judge(self.assignment, attempt.evidence, self.reference.evidence, info)
        return {part.id: part for part in feedback.parts}


def _part(case: Case) -> str:
    check = indent(f"of: q_{case.name}\nexpected: reference\n{DATABASES}{case.check}", " " * 10)
    head = f"  - id: p_{case.name}\n    title: {case.name}\n    variables: {{q_{case.name}: {{}}}}\n"
    return f"{head}    checks:\n      - sql:\n{check}\n"


def _notebook(source: str) -> bytes:
    cells = [f"q_{case.name} = {_literal(getattr(case, source))}\np_{case.name}.check()" for case in CASES]
    return notebook(IMPORTS, *cells)


def _literal(text: str) -> str:
    return text if text.isdigit() else repr(text)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    problem = ""
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox ({problem})")
    with WarmServer(load_environment("python"), tmp_path_factory.mktemp("warm")) as server:
        yield Run(server, tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_query_is_judged_by_its_results(case: Case, run: Run) -> None:
    part = run.parts(run.attempt)[f"p_{case.name}"]
    assert (part.status, case.words in part.message) == (case.status, True), part.message


def test_the_authors_own_queries_are_right(run: Run) -> None:
    parts = run.parts(run.reference)
    wrong = {name for name, part in parts.items() if part.status != "correct"}
    assert wrong == set()


def test_queries_do_not_disturb_the_notebook(run: Run) -> None:
    assert run.attempt.evidence.run.status == "completed"
