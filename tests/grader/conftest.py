"""What the service's in-process tests share: settings in a folder of their own, a migrated store, the API."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from grader.api.app import create_app
from grader.receive import publish_bundle
from grader.settings import Settings
from grader.store import Store, open_store, tokens
from grader.store.database import connect, migrate
from tests.grader.arithmetic import BUNDLE


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA_DIR", "PORT", "BROKER_URL", "DATABASE_URL", "BLOBS_URL"):
        monkeypatch.delenv(f"GRADER_{name}", raising=False)
    # Outside of a project, state would be kept in the home folder.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


DATABASES = ("sqlite", "postgresql")
# What these test lies in the store or hangs on its transactions. The others see it through the API, which is
# the same on both: they run on SQLite, but for those that say ``both_databases``.
OF_THE_STORE = frozenset(
    f"tests.grader.test_{name}"
    for name in (
        *("accepting", "attempts", "database", "due", "history", "lease_watch", "receive", "references"),
        *("regrade", "relay", "reuse", "together", "work"),
    )
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What tests the store runs on both databases, unless the test itself says on which."""
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    both = metafunc.module.__name__ in OF_THE_STORE or metafunc.definition.get_closest_marker(
        "both_databases"
    )
    if "store" in metafunc.fixturenames and "database" not in chosen and both:
        metafunc.parametrize("database", DATABASES, indirect=True)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the service's schema; copying is quicker than migrating."""
    path = tmp_path_factory.mktemp("migrated") / "grader.sqlite"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The setting ``database_url``: None (SQLite), or a PostgreSQL database of the test's own."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield None
        return
    server = request.getfixturevalue("postgres")
    url = server.fresh()
    yield url
    server.drop(url)


@pytest.fixture
def settings(tmp_path: Path, database: str | None) -> Settings:
    """Settings with a broker inside this process."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database,  # type: ignore[arg-type]
        broker_url="memory://",  # type: ignore[arg-type]
        lease_seconds=0.5,
        retry_seconds=0,
        sweep_seconds=0.05,
    )


@pytest.fixture
def store(settings: Settings, migrated: Path) -> Iterator[Store]:
    """A migrated store with the tiny assignment published."""
    settings.make_folders()
    if settings.database_url is None:
        shutil.copy(migrated, settings.data_dir)
    opened = open_store(settings)
    publish_bundle(opened, BUNDLE)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, store: Store) -> Iterator[TestClient]:
    """The API; ``client.headers_of`` are the headers of a role."""
    with store.write() as session:
        made_of = {role: tokens.create(session, role, "test") for role in ("lms", "instructor", "monitor")}
    with TestClient(create_app(settings), raise_server_exceptions=False) as made:
        made.headers_of = {  # type: ignore[attr-defined]
            "nobody": {},
            **{role: {"Authorization": f"Bearer {token}"} for role, token in made_of.items()},
        }
        yield made


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """The process's logging is put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], level, config = before
    root.setLevel(level)
    structlog.configure(**config)
