from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from grader.settings import Settings
from grader.store import open_store
from grader.store.database import NewerDatabaseError, _alembic, connect, is_current, migrate
from grader.store.tables import Assignment, Base
from grader.store.waiting import Line, queue_up
from tests.postgres import Server


def test_the_migrations_make_the_tables_that_the_code_uses(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, settings) -> Settings:
    """Settings with a database that holds nothing yet."""
    if request.param == "sqlite":
        return settings
    server: Server = request.getfixturevalue("postgres")
    return settings.model_copy(update={"database_url": SecretStr(server.fresh(migrated=False))})


def test_the_migrations_lead_there_and_back(empty):
    engine = connect(empty.database)
    empty.make_folders()
    migrate(engine)
    with engine.execution_options(writes=True).begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_several_processes_may_migrate_at_once(empty):
    def start() -> bool:
        opened = open_store(empty)
        migrate(opened.engine)
        with opened.engine.connect() as connection:
            return is_current(connection)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: start(), range(4)))


def test_a_new_sqlite_database_that_somebody_else_begins_to_write_is_waited_for(tmp_path):
    file = tmp_path / "new.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE somebodys (x)")
        other.execute("BEGIN IMMEDIATE")  # SQLite refuses to switch to WAL at once, whatever the busy timeout
        committing = threading.Timer(0.2, other.execute, ["COMMIT"])
        committing.start()
        engine = connect(f"sqlite:///{file}")
        with engine.connect() as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        committing.join()
        engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(store):
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabaseError, match=r"has the schema 9999, and the newest .* knows is 0"):
        migrate(store.engine)
    with store.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_is_durable_and_keeps_its_references(store):
    with store.engine.connect() as connection:
        pragmas = [
            connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    with pytest.raises(IntegrityError), store.write() as session:
        session.add(Assignment(id="x", version="sha256:none", published_at=0))


def test_an_error_undoes_the_whole_transaction(store):
    def fail_halfway() -> None:
        with store.write() as session:
            session.execute(text("DELETE FROM assignments"))
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with store.read() as session:
        assert session.scalar(text("SELECT count(*) FROM assignments")) == 1


def test_writers_that_queue_up_wait_for_each_other_instead_of_failing(store):
    with store.write() as session:
        session.execute(text("CREATE TABLE counted (n INTEGER)"))
        session.execute(text("INSERT INTO counted VALUES (0)"))

    def add_one(_: int) -> None:
        with store.write() as session:
            queue_up(session.connection(), Line.ACCEPTANCE)
            count = session.scalar(text("SELECT n FROM counted"))
            session.execute(text("UPDATE counted SET n = :n"), {"n": count + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(80)))
    with store.read() as session:
        assert session.scalar(text("SELECT n FROM counted")) == 80
