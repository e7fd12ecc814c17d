"""``sql``: the student's query, run read-only on a shown database and on hidden ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Literal

import msgspec
from msgspec.structs import replace
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from checks.compare import content
from checks.compare.results import Near, Result, in_order, picked, read_result, same_rows
from checks.compare.sql_words import first_word, folded_name, statements, uses, writes
from checks.errors import MissingReferenceError, NotMadeError
from checks.evidence import values as v
from checks.kinds.calls import digest, runs_by_case
from checks.plan import DatabasePlan, QueryPlan
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.kind import ABSENT, Kind
from checks.spec.target import ResultOperand, suggestion

Cell = None | bool | int | float | str


class Rows(Piece):
    """A result, written down: the columns' names and the rows."""

    columns: list[str] = Field(min_length=1)
    rows: list[list[Cell]]

    @model_validator(mode="after")
    def _rectangular(self) -> Rows:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise PydanticCustomError("rows", "every row needs as many values as there are columns")
        return self

    def result(self) -> Result:
        """As a query's result; truth values are numbers in SQL."""
        return Result(tuple(self.columns), tuple(tuple(map(_value, row)) for row in self.rows))


def _value(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return int(cell)
    return content.composed(cell) if isinstance(cell, str) else cell


class Database(Piece):
    """A database: an ``input`` (its path as the notebook sees it), or what a ``script`` makes in memory."""

    id: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    input: str | None = None
    script: str | None = None
    hidden: bool = Field(default=False, description="do not tell a student which database it was")
    expected: Rows | None = Field(default=None, description="the result; else the reference's")

    @model_validator(mode="after")
    def _exactly_one(self) -> Database:
        if (self.input is None) == (self.script is None):
            raise PydanticCustomError("database", "a database needs either an input or a script")
        return self


class Columns(Piece):
    """What counts of the columns: their names, their order."""

    names: Literal["ignore_case", "same", "any"] = "ignore_case"
    order: Literal["same", "any"] = "same"


class OrderBy(Piece):
    """Rows ordered by these columns; rows that agree in them may stand in any order."""

    by: list[str] = Field(min_length=1)


class Sql(Kind, Piece):
    """The result on every database must be right; a query can do nothing but read."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "stopped": "The run ended before the query in {variable} could be made.",
        "not_text": "{variable} is no query: {text}.",
        "empty": "{variable} holds no query yet.",
        "several": "{variable} holds more than one statement; write one query.",
        "writes": "{variable} begins with {word}: only queries that read are run (SELECT or WITH).",
        "refused": "{variable} would do more than read, so it was not run ({text}).",
        "uses": "{variable} does without {word}, which the exercise asks for.",
        "forbids": "{variable} uses {word}, which the exercise rules out.",
        "error": "{variable} could not be run on {database}: {text}",
        "time_limit": "{variable} did not come to an end on {database} within {seconds} seconds.",
        "exited": "{variable} ended the Python process on {database} ({text}).",
        "too_many": "{variable} gives more rows on {database} than are looked at.",
        "queries": "{variable} does not hold as many queries as asked for.",
        "column_count": "{variable} gives {columns} on {database}; other columns are asked for.",
        "column_names": "{variable} gives the columns {columns}; their names are not those asked for.",
        "column_order": "{variable} gives the right columns in another order: {columns}.",
        "row_count": "{variable} gives {rows} on {database}; that is not the right number.",
        "values": "{variable} gives {rows} on {database}, but not all of them are right.",
        "order": "{variable} gives the right rows on {database}, but not in the order asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        "variable": "the variable that holds the query",
        "database": "the database's id; of a hidden one only that it is another one",
        "text": "what SQLite says",
        "word": "the keyword that is missing, or too much",
        "columns": "the names of the result's columns",
        "rows": "how many rows there are",
        "seconds": "the time limit",
    }

    of: str = Field(description="the variable with the query, or with a list of queries")
    databases: list[Database] = Field(min_length=1, max_length=20)
    expected: ResultOperand | None = Field(
        default=None,
        description="reference: what the author's query gives; {result_of: …}: what another one gives",
    )
    order: Literal["any", "same"] | OrderBy = Field(
        default="any", description="whether the rows' order counts"
    )
    columns: Columns = Columns()
    rel: float = Field(default=1e-9, ge=0, lt=1, description="relative tolerance of numbers")
    abs: float = Field(default=1e-12, ge=0, description="absolute floor of the tolerance")
    uses: list[str] = Field(default=[], description="keywords that must be there, such as GROUP BY")
    forbids: list[str] = Field(default=[], description="keywords that must not be there")
    credit: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="the credit of the right rows in a wrong order of rows or columns",
    )
    seconds: float = Field(default=5.0, gt=0, le=600, description="the time limit on each database")
    rows: int = Field(default=10_000, ge=1, le=100_000, description="the most rows that are looked at")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A variable that the part does not watch, databases of one name, results that nobody gives."""
        if self.of not in scope.variables:
            yield (
                ("of",),
                f"{self.of!r} is none of the part's variables",
                suggestion(self.of, scope.variables),
            )
        if self.expected is not None and self.expected.reference != "":
            yield (
                ("expected",),
                "the result is either written down, or `reference` (or {result_of: …})",
                "expected: reference",
            )
        seen: set[str] = set()
        for number, database in enumerate(self.databases):
            if database.id in seen:
                yield ("databases", number, "id"), f"{database.id!r} is there already", ""
            seen.add(database.id)
            if database.expected is None and self.expected is None:
                yield ("databases", number), "nothing says what the query must give", "expected: reference"

    def work(self) -> QueryPlan:
        """The query and its databases for the sandbox; no result."""
        return self._plan

    @cached_property
    def _plan(self) -> QueryPlan:
        databases = tuple(DatabasePlan(each.id, each.input, each.script or "") for each in self.databases)
        plan = QueryPlan("", self.of, databases, self.seconds, self.rows)
        return msgspec.structs.replace(plan, key=f"sql {digest(plan)}")

    def reference_work(self) -> QueryPlan | None:
        """Another query of the author's on the same databases, where its results are what is looked at."""
        return self._others_plan

    @cached_property
    def _others_plan(self) -> QueryPlan | None:
        other = self.expected.result_of if self.expected else None
        if other is None:
            return None
        plan = msgspec.structs.replace(self._plan, key="", of=other)
        return msgspec.structs.replace(plan, key=f"sql {digest(plan)}")

    def judge(self, scene: Scene) -> Outcome:
        """First the text of the query, then its results, database by database."""
        given = scene.values.get(self.of)
        facts = {"variable": self.of, "seconds": f"{self.seconds:g}"}
        found = Outcome(0.0, "absent") if given is None else self._judge_text(given)
        if found.passed:
            found = min(self._judge_databases(scene), key=lambda outcome: outcome.credit)
        return replace(found, facts={**facts, **found.facts})

    def _judge_text(self, given: v.AnyNode) -> Outcome:
        texts = list(given.items) if isinstance(given, v.Sequence) else [given]
        for text in texts:
            if not isinstance(text, v.Text):
                return Outcome(0.0, "not_text", {"text": "it is no text"})
            outcome = self._judge_statements(text.v)
            if not outcome.passed:
                return outcome
        return PASSED if texts else Outcome(0.0, "empty")

    def _judge_statements(self, text: str) -> Outcome:
        found = statements(text)
        if not found:
            return Outcome(0.0, "empty")
        if len(found) > 1:
            return Outcome(0.0, "several")
        if writes(found[0]):
            return Outcome(0.0, "writes", {"word": first_word(found[0]) or found[0][0].text})
        for word in self.uses:
            if not uses(found[0], word):
                return Outcome(0.0, "uses", {"word": word})
        for word in self.forbids:
            if uses(found[0], word):
                return Outcome(0.0, "forbids", {"word": word})
        return PASSED

    def _judge_databases(self, scene: Scene) -> Iterator[Outcome]:
        made = runs_by_case(scene.values, self._plan.key)
        authors = (self._others_plan or self._plan).key
        theirs = runs_by_case(scene.reference, authors) if self.expected and scene.reference else {}
        for database in self.databases:
            (run, *_) = made.get(database.id, [None])
            name = "another database" if database.hidden else database.id
            outcome = Outcome(0.0, "stopped") if run is None else self._judge_run(database, run, theirs)
            yield replace(outcome, facts={"database": name, **outcome.facts})

    def _judge_run(
        self, database: Database, run: v.Called, theirs: Mapping[str, Sequence[v.Called]]
    ) -> Outcome:
        wanted = self._wanted(database, theirs)
        if len(run.steps) != len(wanted) and all(step.ended == "returned" for step in run.steps):
            return Outcome(0.0, "queries")
        outcomes = [self._judge_step(step, one) for step, one in zip(run.steps, wanted, strict=False)]
        return min(outcomes, key=lambda outcome: outcome.credit)

    def _wanted(self, database: Database, theirs: Mapping[str, Sequence[v.Called]]) -> Sequence[Result]:
        """What the queries must give; raises MissingReferenceError where the author's failed."""
        if database.expected is not None:
            return [database.expected.result()]
        runs = theirs.get(database.id)
        found = [read_result(step.result) for step in runs[0].steps] if runs else []
        known = [each for each in found if each is not None]
        if not known or len(known) != len(found):
            raise MissingReferenceError(f"the author's query gave no result on {database.id}")
        return known

    def _judge_step(self, step: v.Step, wanted: Result) -> Outcome:
        seen = read_result(step.result)
        if step.ended == "returned" and seen is not None:
            return self._judge_result(seen, wanted)
        if step.ended in ("failed", "unfit"):
            raise NotMadeError(f"a query could not be made ({step.detail})")
        if step.ended == "refused" and step.raised is None:
            return Outcome(0.0, "not_text", {"text": step.detail})
        text = step.raised.message if step.raised else step.detail
        return Outcome(0.0, _ENDINGS.get(step.ended, "error"), {"text": text})

    def _judge_result(self, seen: Result, wanted: Result) -> Outcome:
        facts = {"columns": ", ".join(seen.names), "rows": _counted(len(seen.rows))}
        if len(seen.rows) > self.rows:
            return Outcome(0.0, "too_many", facts)
        if len(seen.names) != len(wanted.names):
            return Outcome(0.0, "column_count", facts)
        positions, reason = self._matched(seen, wanted)
        if positions is None:
            return Outcome(0.0, reason, facts)
        outcome = self._judge_rows(picked(seen, positions), wanted)
        if outcome.passed and reason:
            outcome = Outcome(self.credit, reason)
        return replace(outcome, facts=facts)

    def _matched(self, seen: Result, wanted: Result) -> tuple[list[int] | None, str]:
        """Where each wanted column is, and what is wrong with their order or names."""
        if self.columns.names == "any":
            return list(range(len(wanted.names))), ""
        theirs, ours = self._names(seen), self._names(wanted)
        if theirs == ours:
            return list(range(len(ours))), ""
        if sorted(theirs) != sorted(ours) or len(set(ours)) != len(ours):
            return None, "column_names"
        return [theirs.index(name) for name in ours], "" if self.columns.order == "any" else "column_order"

    def _names(self, result: Result) -> list[str]:
        fold = self.columns.names == "ignore_case"
        return [folded_name(name) if fold else name for name in result.names]

    def _judge_rows(self, seen: Result, wanted: Result) -> Outcome:
        near = Near(self.rel, self.abs, "rel" not in self.model_fields_set)
        if len(seen.rows) != len(wanted.rows):
            return Outcome(0.0, "row_count")
        if not same_rows(seen.rows, wanted.rows, near):
            return Outcome(0.0, "values")
        if self.order == "any":
            return PASSED
        if isinstance(self.order, OrderBy):
            positions = self._positions(self.order.by, wanted)
            seen, wanted = picked(seen, positions), picked(wanted, positions)
        return PASSED if in_order(seen.rows, wanted.rows, near) else Outcome(self.credit, "order")

    def _positions(self, names: Sequence[str], wanted: Result) -> list[int]:
        known = [folded_name(name) for name in wanted.names]
        missing = [name for name in names if folded_name(name) not in known]
        if missing:
            raise MissingReferenceError(f"the expected result has no column {missing[0]} to be ordered by")
        return [known.index(folded_name(name)) for name in names]


_ENDINGS = {
    "refused": "refused",
    "time_limit": "time_limit",
    "exited": "exited",
    "too_large": "too_many",
    "not_made": "time_limit",
}


def _counted(rows: int) -> str:
    return f"{rows} row{'s' * (rows != 1)}"


KIND = Sql
