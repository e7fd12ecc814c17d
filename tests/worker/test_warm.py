"""The warm server's life: replaced when it is worn out or its environment has changed, one owner, honest failure."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import worker.environment
from tests.conftest import need
from tests.worker.runs import run_cells
from worker.environment import load_environment
from worker.errors import InfrastructureError, SandboxUnavailable
from worker.warm import WarmServer, require_sandbox

pytestmark = pytest.mark.sandbox


@pytest.fixture(autouse=True)
def _sandbox() -> None:
    problem = ""
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox ({problem})")


def _until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_a_worn_server_is_replaced_while_its_last_run_goes_on(tmp_path: Path) -> None:
    with WarmServer(load_environment("python"), tmp_path, recycle_after=1) as server:
        first, outcomes = server.pid, []
        long = threading.Thread(
            target=lambda: outcomes.append(run_cells(server, "import time\ntime.sleep(6)\nprint('finished')"))
        )
        long.start()
        assert _until(lambda: server.pid != first)
        assert run_cells(server, "print('new')").printed[0].strip() == "new"
        long.join()
        assert outcomes[0].printed[0].strip() == "finished"


def test_a_changed_environment_is_served_anew_and_named_in_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = tmp_path / "definitions"
    shutil.copytree(worker.environment.DEFINITIONS, definitions)
    monkeypatch.setattr(worker.environment, "DEFINITIONS", definitions)
    with WarmServer(load_environment("python"), tmp_path / "run") as server:
        before = run_cells(server, "x = 1").evidence.run.environment
        with (definitions / "python.toml").open("a") as file:
            file.write('COURSE = "new"\n')
        first = server.pid
        assert _until(lambda: server.pid != first)
        outcome = run_cells(server, "import os\nprint(os.environ['COURSE'])")
    assert outcome.printed[0].strip() == "new"
    assert outcome.evidence.run.environment != before


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    with (
        WarmServer(load_environment("python"), tmp_path),
        pytest.raises(InfrastructureError, match="another process"),
    ):
        WarmServer(load_environment("python"), tmp_path).start()


def test_a_package_that_cannot_be_imported_is_named_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = tmp_path / "definitions"
    shutil.copytree(worker.environment.DEFINITIONS, definitions)
    monkeypatch.setattr(worker.environment, "DEFINITIONS", definitions)
    file = definitions / "python.toml"
    file.write_text(file.read_text().replace('"numpy", "pandas"', '"numpy", "pandaz"'))
    with pytest.raises(InfrastructureError, match="pandaz"):
        WarmServer(load_environment("python"), tmp_path / "run").start()


def test_a_run_without_a_server_is_our_fault(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError):
        run_cells(WarmServer(load_environment("python"), tmp_path), "x = 1")


def test_stopping_leaves_no_folder(tmp_path: Path) -> None:
    with WarmServer(load_environment("python"), tmp_path) as server:
        run_cells(server, "x = 1", files={"../input/a.csv": b"1"})
    assert list(tmp_path.iterdir()) == []
