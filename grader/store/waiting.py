"""Waiting for each other on a database whose writers do not queue by themselves."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, func, select

# Advisory locks are numbers that all who use a database share; ours begin with this one ("grad").
OURS = 0x67726164


class Line(IntEnum):
    """What is done by one transaction at a time."""

    ACCEPTANCE = 1
    PUBLISHING = 2
    MIGRATION = 3
    REGRADING = 4


def queue_up(connection: Connection, line: Line) -> None:
    """Wait until every other transaction that called this for the same line has ended.

    On SQLite a write transaction holds the whole database, so there is nothing to wait for.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(OURS, int(line))))
