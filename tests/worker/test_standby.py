"""Kernels that stand by: there before they are asked for, sealed before they hear of a submission."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import need
from tests.worker.runs import run_cells
from worker.environment import INSIDE, load_environment
from worker.errors import SandboxUnavailable
from worker.jail import Upkeep
from worker.warm import WarmServer, require_sandbox

pytestmark = pytest.mark.sandbox
Family = tuple[psutil.Process, psutil.Process, psutil.Process]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmServer]:
    problem = ""
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox ({problem})")
    folder = tmp_path_factory.mktemp("standby")
    with WarmServer(load_environment("python"), folder, Upkeep(standby=2)) as started:
        yield started


def until(true: Callable[[], object], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(true())


def serving(server: WarmServer) -> psutil.Process:
    """The warm server itself, inside its jail."""
    assert server.pid is not None
    inside = psutil.Process(server.pid).children(recursive=True)
    return next(process for process in inside if "_grader_inside.server" in process.cmdline()[:4])


def families(server: WarmServer) -> list[Family]:
    """Watcher, pid 1 and kernel of every submission's processes that are complete."""
    found = []
    for watcher in serving(server).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ends meanwhile is none
            below = watcher.children(recursive=True)
            if len(below) == 2 and below[1].num_threads() > 1:  # its sockets' threads run: it is initialised
                found.append((watcher, below[0], below[1]))
    return found


def seal_of(process: psutil.Process) -> dict[str, int]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {name: int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")}


SEALED = {"CapEff": 0, "CapPrm": 0, "CapBnd": 0, "NoNewPrivs": 1, "Seccomp": 2}


def test_as_many_kernels_as_are_wanted_stand_by_and_a_used_one_is_replaced(server: WarmServer) -> None:
    assert until(lambda: len(families(server)) == 2)
    before = {watcher.pid for watcher, _, _ in families(server)}
    assert run_cells(server, "print('served')").printed[0].strip() == "served"
    assert until(lambda: len(families(server)) == 2)
    after = {watcher.pid for watcher, _, _ in families(server)}
    assert len(before & after) == 1


def test_a_kernel_that_stands_by_is_sealed_before_it_hears_of_a_submission(server: WarmServer) -> None:
    assert until(lambda: len(families(server)) == 2)
    for _, init, kernel in families(server):
        assert seal_of(kernel) == SEALED
        assert seal_of(init)["CapEff"] != 0  # for the inputs, which only a request names


def test_with_the_submission_pid_1_has_given_up_its_rights_too(server: WarmServer) -> None:
    assert until(lambda: len(families(server)) == 2)
    standing = {kernel.pid: init for _, init, kernel in families(server)}
    run = threading.Thread(target=run_cells, args=(server, "import time\ntime.sleep(1.5)"))
    run.start()
    assert until(lambda: any(seal_of(init) == SEALED for init in standing.values()), 5)
    run.join()


def test_each_serves_one_submission_and_remembers_nothing_of_another(server: WarmServer) -> None:
    assert until(lambda: len(families(server)) == 2)  # both were forked before the first run
    cell = """
    import builtins, os, random, numpy
    seen, builtins.note = hasattr(builtins, 'note'), 'mine'
    open('/tmp/note', 'a').write('x')
    print(seen, os.path.getsize('/tmp/note'), random.random(), numpy.random.rand())
    """
    said = [run_cells(server, cell).printed[0].split() for _ in range(4)]
    assert [line[:2] for line in said] == [["False", "1"]] * 4
    assert len({line[2] for line in said}) == len({line[3] for line in said}) == 4


def test_it_shows_the_submissions_own_inputs_and_no_trace_of_others(server: WarmServer) -> None:
    run_cells(server, "pass", files={"../input/theirs.csv": b"a"})
    outcome = run_cells(
        server,
        """
        import json, os
        mounts = [line.split()[4] for line in open('/proc/self/mountinfo')]
        print(json.dumps([sorted(os.listdir('../input')), os.path.exists('/tmp/inputs'), mounts]))
        """,
        files={"../input/own.csv": b"b"},
    )
    shown, others, mounts = json.loads(outcome.printed[0])
    assert shown == ["own.csv"]
    assert not others
    assert [mount for mount in mounts if "input" in mount] == ["/home/student/input"]


@pytest.mark.parametrize("victim", [0, 1, 2], ids=["watcher", "pid 1", "kernel"])
def test_one_that_dies_while_it_stands_by_is_replaced_before_it_is_used(
    server: WarmServer, victim: int
) -> None:
    assert until(lambda: len(families(server)) == 2)
    killed = families(server)
    for family in killed:
        family[victim].send_signal(signal.SIGKILL)
    assert until(lambda: not any(process.is_running() for family in killed for process in family))
    assert run_cells(server, "print('on')").printed[0].strip() == "on"
    assert until(lambda: len(families(server)) == 2)


def test_without_standby_a_kernel_is_forked_when_one_is_asked_for(tmp_path: Path) -> None:
    with WarmServer(load_environment("python"), tmp_path, Upkeep(standby=0)) as server:
        assert run_cells(server, "print('served')").printed[0].strip() == "served"
        assert until(lambda: serving(server).children() == [])
        time.sleep(0.6)
        assert serving(server).children() == []


def test_those_that_stand_by_end_with_a_drained_server(tmp_path: Path) -> None:
    with WarmServer(load_environment("python"), tmp_path, Upkeep(recycle_after=1, standby=2)) as server:
        assert until(lambda: len(families(server)) == 2)
        old = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        run_cells(server, "pass")
        assert until(lambda: not any(process.is_running() for process in old))


def test_those_that_stand_by_end_when_the_server_is_killed(tmp_path: Path) -> None:
    with WarmServer(load_environment("python"), tmp_path, Upkeep(standby=2)) as server:
        assert until(lambda: len(families(server)) == 2)
        standing = [process for family in families(server) for process in family]
        os.kill(serving(server).pid, signal.SIGKILL)
        assert until(lambda: not any(process.is_running() for process in standing), 2.0)


def test_one_that_does_not_get_ready_is_replaced_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inside = tmp_path / "inside"
    shutil.copytree(INSIDE, inside, ignore=shutil.ignore_patterns("__pycache__"))
    _change(inside / "standby.py", "_INITIALISING_SECONDS = 20.0", "_INITIALISING_SECONDS = 8.0")
    mark_inside = "os.path.exists('/tmp/inputs/hang')"
    hang = f"        import time\n        while {mark_inside}: time.sleep(600 - os.nice(7))\n"
    _change(inside / "kernel.py", "        tell_ready(control)\n", hang + "        tell_ready(control)\n")
    monkeypatch.setattr("worker.jail.INSIDE", inside)
    made = WarmServer(load_environment("python"), tmp_path / "run", Upkeep(standby=2))
    mark = made.inputs / "hang"  # not simply below tmp_path: a long path gets a short stand-in
    mark.parent.mkdir(parents=True)
    mark.touch()
    with made as server:
        assert until(lambda: [kernel.nice() for _, _, kernel in families(server)] == [7, 7])
        hanging = [watcher for watcher, _, _ in families(server)]
        mark.unlink()
        assert until(lambda: not any(watcher.is_running() for watcher in hanging), 40.0)
        assert until(lambda: len(families(server)) == 2)
        assert run_cells(server, "print('on')").printed[0].strip() == "on"
    assert "trying another kernel" not in caplog.text


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
