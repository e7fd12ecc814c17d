"""Waiting for each other on a database whose writers do not queue by themselves."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def queue_up(session: Session, what: int) -> None:
    """Wait until every other transaction that called this for ``what`` has ended.

    On SQLite a write transaction holds the whole database, so there is nothing to wait for.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(what)))
