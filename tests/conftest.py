"""What many tests share: the real sandbox, started once for the whole session."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres as postgresql
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import WarmServer, require_sandbox

ROOT = Path(__file__).parent.parent
# What is imported and collected stays to the end. Looking through it for garbage, again and again, costs a
# tenth of the time.
gc.disable()
# How long an example takes says how busy the machine is, and is no property of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """From here on garbage is looked for, among what the tests themselves make."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests begin first, so that no processor waits for the last of them at the end."""
    long = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "samples")))}
    items.sort(key=lambda item: item.path not in long)


def need(present: bool, what: str) -> None:
    """Skip with a reason where a component is missing on a laptop; fail where it is missing in CI."""
    if not present:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {what}")
        pytest.skip(f"{what} is missing: run script/bootstrap")


def _sandbox_problem() -> str:
    try:
        require_sandbox()
        load_environment("tensorflow")
    except SandboxUnavailable as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def warm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmServer]:
    """The TensorFlow environment's warm server."""
    problem = _sandbox_problem()
    need(not problem, f"the sandbox ({problem})")
    with WarmServer(load_environment("tensorflow"), tmp_path_factory.mktemp("warm")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_binary() -> str:
    """A Redis or Valkey server's program."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    need(found is not None, "redis-server or valkey-server")
    return str(found)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """A PostgreSQL server of this session's own."""
    programs = postgresql.find_programs()
    need(programs is not None, "PostgreSQL's server (initdb, postgres)")
    assert programs is not None
    with postgresql.serve(programs) as server:
        yield server
