"""Runs a student's SQL query: read-only, within a time limit, with SQLite's own words for what went wrong.

A database is a file of the notebook's, or made in memory by a script; either way the query can only read it:
SQLite asks an authorizer about everything that a statement would do.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bounded import clean
from .values import TooMuchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .values import Node, Taker

_connect = sqlite3.connect
_clock = time.monotonic
_STEPS = 1000  # of SQLite's virtual machine, between two looks at the clock
_READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
MAX_TEXT = 1 << 16
MAX_FETCHED = 16 << 20  # bytes, of one cell and of all
_MAX_CELLS = 200_000


class NoQueryError(Exception):
    """What should be a query is none; the text says why, for the student."""


class QueryUnit:
    """The student's query (or queries) on one database. ``plan`` and ``database`` are ``checks.plan``'s, as
    data; see :class:`.calls.Unit`.
    """

    def __init__(self, plan: Mapping[str, Any], database: Mapping[str, Any]) -> None:
        self._plan, self._database = plan, database
        self.seconds = float(plan["seconds"])

    def run(self, space: dict[str, Any], taker: Taker) -> Node:
        """Run every query, each as one step; one that fails does not keep the next from being run."""
        try:
            queries = _queries(space, self._plan["of"])
            with closing(_opened(self._database)) as connection:
                left = self.seconds / max(len(queries), 1)
                steps = [_step(connection, query, left, self._plan["rows"], taker) for query in queries]
        except NoQueryError as error:
            return self.lost("refused", str(error))
        return self._node(steps)

    def lost(self, ended: str, detail: str = "") -> Node:
        """The record where the query has none of its own."""
        return self._node([{"ended": ended, "detail": detail}])

    def _node(self, steps: list[Node]) -> Node:
        return {"t": "called", "case": self._database["id"], "steps": steps}


def _queries(space: dict[str, Any], name: str) -> list[str]:
    """The text of the variable, or the texts of its list; raises NoQueryError."""
    value: Any = dict.get(space, name)
    found: list[Any] = list(value) if type(value) in (list, tuple) else [value]
    for each in found:
        if type(each) is not str:
            raise NoQueryError(f"it is {_article(type(each).__name__)}, not a text")
        if len(each) > MAX_TEXT:
            raise NoQueryError(f"it has {len(each)} characters, more than {MAX_TEXT}")
    return found


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


def _opened(database: Mapping[str, Any]) -> sqlite3.Connection:
    """The database, ready to be read; raises sqlite3.Error where the author's script or file is wrong."""
    if database["input"] is not None:
        path = Path(database["input"]).absolute()
        return _connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    connection = _connect(":memory:")
    connection.executescript(database["script"])
    return connection


def _step(connection: sqlite3.Connection, query: str, seconds: float, rows: int, taker: Taker) -> Node:
    """One query's record (``checks.evidence.values.Step``)."""
    guard = _Guard(seconds)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_FETCHED)
    connection.set_authorizer(guard.allow)
    connection.set_progress_handler(guard.is_over, _STEPS)
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(query)
            return guard.step("returned", result=_table(cursor, rows, taker))
    except TooMuchError as error:
        return guard.step("too_large", detail=str(error))
    except (sqlite3.Error, sqlite3.Warning, ValueError, UnicodeError) as error:
        ended = "refused" if guard.refused else "time_limit" if guard.over else "raised"
        names = f"sqlite3.{type(error).__name__}"
        return guard.step(ended, raised={"cls": names, "message": clean(str(error)[:2000])})
    finally:
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)


class _Guard:
    """What SQLite asks: whether a statement may do something, and whether its time is over."""

    def __init__(self, seconds: float) -> None:
        self._started = _clock()
        self._seconds = seconds
        self.refused = self.over = False

    def allow(self, action: int, *_names: str | None) -> int:
        """Reading is allowed, anything else is not."""
        if action in _READING:
            return sqlite3.SQLITE_OK
        self.refused = True
        return sqlite3.SQLITE_DENY

    def is_over(self) -> int:
        """Not zero once the time is over."""
        self.over = _clock() - self._started > self._seconds
        return int(self.over)

    def step(self, ended: str, **fields: Any) -> Node:
        """A record with the seconds that it took."""
        return {"ended": ended, "seconds": round(_clock() - self._started, 4), **fields}


def _table(cursor: sqlite3.Cursor, most: int, taker: Taker) -> Node:
    """The result as a table; of more than ``most`` rows one more than that is kept, which tells."""
    names = [str(each[0]) for each in cursor.description or ()]
    count = min(most + 1, _MAX_CELLS // max(len(names), 1))
    rows = _fetched(cursor, count)
    columns = [
        {"name": taker.node(clean(name)), "dtype": "object", "values": _column(rows, number, taker)}
        for number, name in enumerate(names)
    ]
    return {"t": "table", "cls": "sqlite3.Cursor", "columns": columns, "index": _index(len(rows), taker)}


def _fetched(cursor: sqlite3.Cursor, count: int) -> list[tuple[object, ...]]:
    """The first ``count`` rows; raises TooMuchError before they have filled the memory."""
    rows, size = [], 0
    for row in islice(cursor, count):
        size += sum(len(cell) for cell in row if isinstance(cell, (str, bytes)))
        if size > MAX_FETCHED:
            raise TooMuchError(f"more than {MAX_FETCHED >> 20} MiB of texts")
        rows.append(row)
    return rows


def _column(rows: list[tuple[object, ...]], number: int, taker: Taker) -> Node:
    return {
        "t": "array",
        "dtype": "object",
        "shape": [len(rows)],
        "items": list(_nodes(rows, number, taker)),
    }


def _nodes(rows: list[tuple[object, ...]], number: int, taker: Taker) -> Iterator[Node]:
    return (taker.node(row[number]) for row in rows)


def _index(length: int, taker: Taker) -> Node:
    numbers = b"".join(number.to_bytes(8, "little") for number in range(length))
    level = {"t": "array", "dtype": "int64", "shape": [length], "data": taker.blob(numbers)}
    return {"t": "index", "levels": [level], "names": [{"t": "none"}]}
