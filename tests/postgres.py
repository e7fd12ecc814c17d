"""A private PostgreSQL server for the tests: its own folder, a unix socket only, gone at the end.

Each test gets a database of its own, copied from a migrated template.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from grader.store.database import connect, migrate

START_SECONDS = 60.0
SUPERUSER = "grader"
TEMPLATE = "migrated"
# PostgreSQL refuses to run as root; any account without rights will do.
UNPRIVILEGED = 65534
INITDB = ("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
# No port; and tests need not survive a power failure.
SETTINGS = ("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")


def find_programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; None where PostgreSQL's server is not installed."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Server:
    """A running server; ``fresh`` makes databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database, as an operator writes it."""
        return f"postgresql://{SUPERUSER}@/{name}?host={self._folder}"

    def fresh(self, *, migrated: bool = True) -> str:
        """The URL of a new database, with the service's schema or empty."""
        name, template = f"test_{next(self._numbers)}", TEMPLATE if migrated else "template0"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rpartition("/")[0] and url.split("@/")[1].split("?", maxsplit=1)[0]
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def make_template(self) -> None:
        """Migrate once; copying is quicker than migrating."""
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        engine = connect(self.url(TEMPLATE))
        try:
            migrate(engine)
        finally:
            engine.dispose()

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self._run(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: sql.Composable) -> None:
        place = f"host={self._folder} user={SUPERUSER} dbname=postgres"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def serve(programs: Path) -> Iterator[Server]:
    """Initialise and run a server, until the block ends."""
    # Not below pytest's folder: the server's account could not enter it, and socket paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="grader-pg-"))
    account = {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []} if os.getuid() == 0 else {}
    if account:
        os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
    data = str(folder / "data")
    try:
        subprocess.run(
            [programs / "initdb", "--pgdata", data, "--username", SUPERUSER, *INITDB],
            check=True,
            capture_output=True,
            cwd=folder,
            **account,
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *SETTINGS],
                stdout=log,
                stderr=log,
                cwd=folder,
                **account,
            )
        try:
            server = Server(folder)
            _await(server, process, folder / "log")
            server.make_template()
            yield server
        finally:
            # SIGINT is PostgreSQL's fast shutdown.
            process.send_signal(2)
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
