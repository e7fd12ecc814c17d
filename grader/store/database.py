"""Connections, transactions and migrations."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from grader.settings import Settings
from grader.store.acceptance import accept
from grader.store.blobs import Blobs, open_blobs
from grader.store.together import Together
from grader.store.waiting import Line, queue_up

BUSY_SECONDS = 30
SWITCHING_SECONDS = 0.02


class NewerDatabaseError(Exception):
    """The database has a schema that this code does not know: a newer version of the service made it."""


class Store:
    """The open database and the blobs; safe to share between threads, not across a fork."""

    def __init__(self, engine: Engine, blobs: Blobs) -> None:
        self.engine = engine
        self.blobs = blobs
        self.known_assignments: set[str] = set()
        self.acceptance = Together(self.write, accept)
        self._writing = engine.execution_options(writes=True)
        self._turn = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: committed at the end, undone on any error."""
        session = Session(self._writing, expire_on_commit=False)
        with self._turn_to_write(), session, session.begin():
            yield session

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """Let this process's threads queue for SQLite's one lock.

        SQLite itself would have each of them look again and again after growing pauses, and whoever has
        waited longest waits longest. Who gets no turn in time leaves it to SQLite to say that it is locked.
        """
        if self.engine.dialect.name != "sqlite":
            yield
            return
        mine = self._turn.acquire(timeout=BUSY_SECONDS)
        try:
            yield
        finally:
            if mine:
                self._turn.release()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_store(settings: Settings) -> Store:
    """Connect to the settings' database and blobs; does not migrate."""
    settings.make_folders()
    return Store(connect(settings.database), open_blobs(settings.blobs))


def connect(url: str) -> Engine:
    """An engine; on SQLite with write-ahead log, foreign keys and honest transactions.

    ``postgresql://`` means the driver psycopg 3, whatever SQLAlchemy's default is.
    """
    if not url.startswith("sqlite"):
        return create_engine(_with_driver(url), pool_pre_ping=True, pool_size=10, max_overflow=40)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to this code's schema; several processes may do so at once.

    Raises NewerDatabaseError, and changes nothing then.
    """
    with engine.connect() as connection:
        if is_current(connection):
            return
    with engine.execution_options(writes=True).begin() as connection:
        queue_up(connection, Line.MIGRATION)
        _require_known(connection)
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """Whether the database has this code's schema."""
    return MigrationContext.configure(connection).get_current_revision() == _known()[0]


def _require_known(connection: Connection) -> None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in _known():
        where = connection.engine.url.render_as_string(hide_password=True)
        raise NewerDatabaseError(
            f"the database {where} has the schema {found}, and the newest that this grader knows is "
            f"{_known()[0]}: start the version that used it last, or a newer one (nothing was changed)"
        )


@cache
def _known() -> tuple[str, ...]:
    """The schemas that this code knows, the newest first; finding them out means running every migration's
    module, and ``/readyz`` asks every few seconds."""
    return tuple(one.revision for one in ScriptDirectory.from_config(_alembic()).walk_revisions())


def _with_driver(url: str) -> URL:
    given = make_url(url)
    plain = given.drivername in {"postgresql", "postgres"}
    return given.set(drivername="postgresql+psycopg") if plain else given


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # The driver would begin transactions behind our back, and never around DDL or reads: see _begin_sqlite.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}").close()
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Use the write-ahead log; a new database is switched to it, by one of all that may open it at once.

    SQLite does not wait where two would switch, whatever the busy timeout: each holds what the other needs
    (SQLITE_BUSY, sqlite3_busy_handler). So it is asked again until the other has done it.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(SWITCHING_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a reader that turns writer is refused whatever the busy timeout says."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
