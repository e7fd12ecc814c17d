"""The warm server's life: replaced when worn out or when its environment changed, one owner, no silence."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import worker.environment
from tests.conftest import ROOT, need
from tests.worker.runs import run_cells
from worker.environment import load_environment
from worker.errors import InfrastructureError, SandboxUnavailable
from worker.jail import Upkeep
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
    with WarmServer(load_environment("python"), tmp_path, Upkeep(recycle_after=1)) as server:
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


OWNER = """
import os, sys, time
from pathlib import Path
from worker.environment import load_environment
from worker.jail import Upkeep
from worker.warm import WarmServer
server = WarmServer(load_environment("python"), Path(sys.argv[1]), Upkeep(recycle_after=1))
server.start()
ready, forked = os.pipe()
child = os.fork()
if child == 0:
    os.write(forked, b"f")  # what a fork has to let go of has been let go of
    if sys.argv[2] == "stops":
        server.stop()
    time.sleep(60)
    os._exit(0)
os.read(ready, 1)
print(child, server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(params=["lingers", "stops"])
def owner(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A process that owns the warm server of ``tmp_path``, its forked child, and the jail.

    The child does nothing, or stops its copy of the server, as a pool's child may do at its end.
    """
    command = [sys.executable, "-c", OWNER, str(tmp_path), request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        child, jail = map(int, process.stdout.readline().split())
        yield process, child, jail
        process.kill()
        os.kill(child, signal.SIGKILL)


def test_a_killed_owner_is_followed_by_another_while_its_children_linger(
    tmp_path: Path, owner: tuple[subprocess.Popen[str], int, int]
) -> None:
    process, child, _ = owner
    process.kill()
    process.wait()
    with WarmServer(load_environment("python"), tmp_path) as server:
        assert run_cells(server, "print('next')").printed[0].strip() == "next"
    assert psutil.pid_exists(child)


def test_a_server_drains_although_its_owner_has_children(
    tmp_path: Path, owner: tuple[subprocess.Popen[str], int, int]
) -> None:
    _, child, jail = owner
    run_cells(WarmServer(load_environment("python"), tmp_path), "x = 1")
    assert _until(lambda: not psutil.pid_exists(jail))
    assert psutil.pid_exists(child)


def test_the_log_of_a_server_stays_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.jail._MAX_LOG", 4096)
    with WarmServer(load_environment("python"), tmp_path) as server:
        log = server.runtime / "server.log"
        with log.open("a") as file:
            file.write("noise\n" * 2000)
        assert _until(lambda: log.stat().st_size == 0)
        assert (server.runtime / "server.log.1").stat().st_size >= 12000
        with log.open("a") as file:
            file.write("the end\n")
        assert server.last_words() == "the end"


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


def test_a_stand_in_for_a_long_path_goes_with_its_last_server(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    first, second = (WarmServer(load_environment(name), deep) for name in ("python", "tensorflow"))
    stand_in = first.runtime.parent
    assert stand_in == second.runtime.parent != deep
    first._prepare()
    second._prepare()
    first.stop()
    assert stand_in.exists()
    second.stop()
    assert not stand_in.exists()


def test_a_restart_that_fails_is_tried_again_until_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.warm._RETRY_SECONDS", 0.2)
    with WarmServer(load_environment("python"), tmp_path) as server:
        assert server.pid is not None
        with monkeypatch.context() as broken:
            broken.setattr("worker.jail.sys.executable", "/nonexistent/python")
            os.kill(server.pid, signal.SIGKILL)
            assert _until(lambda: server.failure is not None)
        assert _until(lambda: server.failure is None)
        assert run_cells(server, "print('again')").printed[0].strip() == "again"


def test_a_launcher_that_cannot_run_is_told_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.jail.sys.executable", "/nonexistent/python")
    with pytest.raises(InfrastructureError, match="could not be launched"):
        WarmServer(load_environment("python"), tmp_path).start()


def test_none_of_the_hosts_variables_comes_near_the_jail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED_SECRET", "4711-4711")
    with WarmServer(load_environment("python"), tmp_path) as server:
        outcome = run_cells(server, "import os\nprint(dict(os.environ))")
        assert server.pid is not None
        tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        environments = [environment for process in tree if (environment := _environment_of(process))]
    assert "HOME" in outcome.printed[0]
    assert "4711" not in outcome.printed[0]
    assert environments
    assert not any(b"4711" in environment for environment in environments)


def _environment_of(process: psutil.Process) -> bytes:
    try:
        return Path(f"/proc/{process.pid}/environ").read_bytes()
    except OSError:  # sealed, or gone in the meantime
        return b""


def test_a_kernel_that_does_not_answer_is_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("worker.attempt.PATIENCE", (0.001, 0.001, 30.0))
    with WarmServer(load_environment("python"), tmp_path) as server:
        assert run_cells(server, "print('here')").printed[0].strip() == "here"
        assert list(server.runtime.glob("k-*")) == []
    assert caplog.text.count("trying another kernel") == 2


def test_three_kernels_that_do_not_answer_are_our_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.PATIENCE", (0.001, 0.001, 0.001))
    with (
        WarmServer(load_environment("python"), tmp_path) as server,
        pytest.raises(InfrastructureError, match="did not answer"),
    ):
        run_cells(server, "print('here')")
