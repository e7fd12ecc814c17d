"""Control groups: which driver a host gets, and what each one does to processes that take too much."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, need
from worker.sandbox.cgroups import Driver, Group, Version1, Version2, Watchdog, choose_driver

# Waits for a line, so that it is in its group before it begins; then a grandchild takes so many MiB.
HUNGRY = """
import subprocess, sys
sys.stdin.readline()
take = f"import time; held = b'x' * ({sys.argv[1]} << 20); print('fed', flush=True); time.sleep(30)"
between = f"import subprocess; subprocess.run([{sys.executable!r}, '-c', {take!r}])"
subprocess.run([sys.executable, "-c", between])
"""
FORKING = """
import os, sys, time
sys.stdin.readline()
children = 0
try:
    while children < 60:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        children += 1
except OSError:
    pass
print(children, flush=True)
"""
# Each process starts the next one a moment later: a family that never stands still.
GROWING = """
import os, time
for generation in range(120):
    if generation == 10:
        print("begun", flush=True)
    time.sleep(0.002)
    if os.fork():
        time.sleep(30)
print("grown", flush=True)
time.sleep(30)
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python programs of which none is left after the test."""
    started = []

    def begin(program: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            continue
        finally:
            process.communicate()


def run_in(group: Group, process: subprocess.Popen[str]) -> None:
    group.add(process.pid)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def membership(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text()


def becomes_true(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def hierarchy() -> Driver:
    """This host's real driver, where it has one."""
    driver = choose_driver()
    need(not isinstance(driver, Watchdog), "control groups that can be written")
    return driver


@pytest.fixture(params=["real", "watchdog"])
def driver(request: pytest.FixtureRequest) -> Driver:
    if request.param == "watchdog":
        return Watchdog()
    return request.getfixturevalue("hierarchy")


@pytest.fixture
def group(driver: Driver) -> Iterator[Group]:
    made = driver.create(secrets.token_hex(6), 120, 100)
    yield made
    made.close()


def test_a_process_that_takes_too_much_memory_is_killed_and_the_group_says_so(
    group: Group, start: Start
) -> None:
    hungry = start(HUNGRY, "300")
    run_in(group, hungry)
    assert becomes_true(group.out_of_memory)


def test_a_process_within_its_memory_is_left_alone(group: Group, start: Start) -> None:
    modest = start(HUNGRY, "30")
    run_in(group, modest)
    assert said(modest) == "fed"
    time.sleep(0.3)  # three looks of the watchdog
    assert not group.out_of_memory()
    assert modest.poll() is None


def test_nobody_slips_out_of_a_family_that_grows_while_it_is_put_into_its_group(
    hierarchy: Driver, start: Start
) -> None:
    group = hierarchy.create(secrets.token_hex(6), 400, 400)
    try:
        growing = start(GROWING)
        assert said(growing) == "begun"
        group.add(growing.pid)
        assert said(growing) == "grown"
        started = [child.pid for child in psutil.Process(growing.pid).children(recursive=True)]
        assert len(started) >= 119
        assert len({membership(pid) for pid in started}) == 1
        # The first one waits for the end of the others: its memory counts, its time does not.
        limited = [line for line in membership(growing.pid).splitlines() if "/grader-" in line]
        assert limited
        assert set(limited) <= set(membership(started[0]).splitlines())
    finally:
        group.close()


def test_a_neighbours_group_does_not_hear_of_it(driver: Driver, start: Start) -> None:
    groups = [driver.create(secrets.token_hex(6), 120, 100) for _ in range(2)]
    processes = [start(HUNGRY, size) for size in ("300", "30")]
    try:
        for group, process in zip(groups, processes, strict=True):
            run_in(group, process)
        assert becomes_true(groups[0].out_of_memory)
        assert said(processes[1]) == "fed"
        assert not groups[1].out_of_memory()
    finally:
        for group in groups:
            group.close()


def test_processes_beyond_the_limit_cannot_start(hierarchy: Driver, start: Start) -> None:
    group = hierarchy.create(secrets.token_hex(6), 500, 20)
    forking = start(FORKING)
    try:
        run_in(group, forking)
        assert said(forking) == "19"
    finally:
        group.close()


SPINNING = """
import os, sys
sys.stdin.readline()
for _ in range(int(sys.argv[1]) - 1):
    if os.fork() == 0: break
while True: pass
"""


def test_many_spinning_processes_of_one_submission_take_no_more_than_its_share(
    hierarchy: Driver, start: Start
) -> None:
    """Against sixteen processes in one group, a single one of another group has half a processor and more."""
    cpu = getattr(hierarchy, "_cpu", None)
    need(cpu is not None, "a writable control group of processor time")
    groups = [hierarchy.create(secrets.token_hex(6), 500, 50) for _ in range(2)]
    try:
        many, single = start(SPINNING, "16"), start(SPINNING, "1")
        for group, process in zip(groups, (many, single), strict=True):
            run_in(group, process)
        time.sleep(2)
        used = sum(psutil.Process(single.pid).cpu_times()[:2])
        rivals = [psutil.Process(many.pid), *psutil.Process(many.pid).children()]
        assert used > 4 * max(sum(each.cpu_times()[:2]) for each in rivals)
    finally:
        for group in groups:
            group.close()


def test_closing_kills_what_is_left_and_removes_the_group(hierarchy: Driver, start: Start) -> None:
    label = secrets.token_hex(6)
    group = hierarchy.create(label, 500, 50)
    assert folders(label)
    modest = start(HUNGRY, "10")
    run_in(group, modest)
    assert said(modest) == "fed"
    group.close()
    assert modest.wait(5) == -9
    assert folders(label) == []


def test_the_groups_of_a_killed_process_are_removed_by_the_next_one(hierarchy: Driver) -> None:
    mine, lost = secrets.token_hex(6), secrets.token_hex(6)
    program = "import os, sys; from worker.sandbox.cgroups import choose_driver; "
    program += "choose_driver().create(sys.argv[1], 100, 10); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", program, lost], cwd=ROOT, check=False)
    group = hierarchy.create(mine, 100, 10)
    assert folders(lost)
    choose_driver().sweep()
    assert folders(lost) == []
    assert folders(mine)
    group.close()


def folders(label: str) -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"**/grader-*-{label}"))


def test_the_watchdog_ends_with_its_group(start: Start) -> None:
    group = Watchdog().create("x", 100, 10)
    run_in(group, start(HUNGRY, "10"))
    group.close()
    group.close()
    assert not group.out_of_memory()


# Which driver: trees and memberships as other hosts have them.

UNIFIED = "0::/service/grader\n"
SEPARATE = "7:memory:/box\n6:cpu,cpuacct:/\n3:pids:/other/box\n1:name=systemd:/\n"


def unified_tree(root: Path, delegated: str, enabled: str) -> Path:
    (root / "service/grader").mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    for folder in ("service", "service/grader"):
        (root / folder / "cgroup.subtree_control").write_text("\n")
    (root / delegated / "cgroup.subtree_control").write_text(enabled)
    return root


def choose(root: Path, tmp_path: Path, membership: str) -> Driver:
    file = tmp_path / "membership"
    file.write_text(membership)
    return choose_driver(root, file)


@pytest.mark.parametrize("delegated", ["service", "service/grader"], ids=["the parent", "our own group"])
def test_the_unified_hierarchy_is_used_where_it_is_delegated(tmp_path: Path, delegated: str) -> None:
    root = unified_tree(tmp_path / "cgroup", delegated, "cpu memory pids\n")
    driver = choose(root, tmp_path, UNIFIED)
    assert isinstance(driver, Version2)
    driver.create("a1", 64, 9)
    made = root / delegated / f"grader-{os.getpid()}-a1"
    assert (made / "memory.max").read_text() == str(64 << 20)
    assert (made / "cpu.max").read_text() == "200000 100000"


def test_a_unified_hierarchy_without_the_control_of_processor_time_is_used_all_the_same(
    tmp_path: Path,
) -> None:
    root = unified_tree(tmp_path / "cgroup", "service", "memory pids\n")
    (root / "service/cgroup.subtree_control").chmod(0o444)
    assert isinstance(choose(root, tmp_path, UNIFIED), Version2)


@pytest.mark.parametrize("enabled", ["cpu\n", "memory\n", "pids cpuset\n"])
def test_a_unified_hierarchy_that_does_not_count_both_is_no_use(tmp_path: Path, enabled: str) -> None:
    root = unified_tree(tmp_path / "cgroup", "service", enabled)
    assert isinstance(choose(root, tmp_path, UNIFIED), Watchdog)
    assert list(root.glob("**/grader-*")) == []


def test_the_separate_hierarchies_are_used_where_both_are_there(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    (root / "memory/box").mkdir(parents=True)
    (root / "pids/other/box").mkdir(parents=True)
    driver = choose(root, tmp_path, SEPARATE)
    assert isinstance(driver, Version1)
    driver.create("b2", 100, 7)
    assert (root / f"memory/box/grader-{os.getpid()}-b2/memory.limit_in_bytes").read_text() == str(100 << 20)
    assert (root / f"pids/other/box/grader-{os.getpid()}-b2/pids.max").read_text() == "7"


def test_a_separate_hierarchy_of_processor_time_bounds_that_too(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    for folder in ("memory/box", "pids/other/box", "cpu"):
        (root / folder).mkdir(parents=True)
    choose(root, tmp_path, SEPARATE).create("b3", 100, 7)
    made = root / f"cpu/grader-{os.getpid()}-b3"
    quota, period = (int((made / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    assert quota == 2 * period


@pytest.mark.parametrize("membership", [SEPARATE, "7:memory:/box\n", "", UNIFIED])
def test_without_a_whole_hierarchy_there_is_the_watchdog(tmp_path: Path, membership: str) -> None:
    (tmp_path / "cgroup/memory/box").mkdir(parents=True)
    assert isinstance(choose(tmp_path / "cgroup", tmp_path, membership), Watchdog)


# The unified hierarchy's files, as the kernel documents them (cgroup-v2.rst).


def test_a_unified_group_has_its_limits_and_takes_no_swap(tmp_path: Path, start: Start) -> None:
    group = Version2(tmp_path).create("c3", 256, 64)
    modest = start("import time; time.sleep(30)")
    group.add(modest.pid)
    written = {file.name: file.read_text() for file in (tmp_path / f"grader-{os.getpid()}-c3").iterdir()}
    assert written == {
        "memory.max": str(256 << 20),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "64",
        "cgroup.procs": str(modest.pid),
    }


@pytest.mark.parametrize(
    ("events", "killed"),
    [
        ("low 0\nhigh 3\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n", False),
        ("low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 1\n", True),
        ("max 9\noom 5\noom_kill 12\n", True),
        ("max 9\noom 5\n", False),
    ],
)
def test_a_unified_group_was_out_of_memory_when_something_was_killed_for_it(
    tmp_path: Path, events: str, killed: bool
) -> None:
    group = Version2(tmp_path).create("d4", 256, 64)
    (tmp_path / f"grader-{os.getpid()}-d4/memory.events").write_text(events)
    assert group.out_of_memory() is killed


def test_closing_a_unified_group_asks_the_kernel_to_kill_and_kills_what_it_lists(
    tmp_path: Path, start: Start
) -> None:
    group = Version2(tmp_path).create("e5", 256, 64)
    left = start("import time; time.sleep(30)")
    group.add(left.pid)
    group.close()
    assert (tmp_path / f"grader-{os.getpid()}-e5/cgroup.kill").read_text() == "1"
    assert left.wait(5) == -9


# The real unified hierarchy. A host that keeps memory and pids in the separate ones can still mount it,
# without these two: moving, killing and removing are tried here, the limits where a host has them.

REAL_UNIFIED = """
import os, subprocess, sys, time
from pathlib import Path
from worker.inside import linux
from worker.sandbox.cgroups import _Group2, _members
linux.unshare(linux.CLONE_NEWNS)
linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
linux.mount("none", sys.argv[1], "cgroup2")
folder = Path(sys.argv[1], "grader-test-" + str(os.getpid()))
folder.mkdir()
family = "import subprocess, time; subprocess.Popen(['sleep', '30']); time.sleep(30)"
process = subprocess.Popen([sys.executable, "-c", family])
while not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text():
    time.sleep(0.01)
group = _Group2(folder)
group.add(process.pid)
print(len(_members(folder)), group.out_of_memory() if (folder / "memory.events").exists() else False)
group.close()
print(process.wait(5), folder.exists())
"""


def test_a_real_unified_group_takes_a_whole_family_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    need(os.geteuid() == 0, "the right to mount the unified hierarchy")
    done = subprocess.run(
        [sys.executable, "-c", REAL_UNIFIED, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["2", "False", "-9", "False"], done.stderr


def test_a_group_that_cannot_be_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("worker.sandbox.cgroups._REMOVE_SECONDS", 0.1)
    group = Version2(tmp_path).create("f6", 256, 64)  # in an ordinary folder, whose files keep it
    (tmp_path / f"grader-{os.getpid()}-f6/cgroup.procs").write_text("")
    group.close()
    assert f"grader-{os.getpid()}-f6 could not be removed" in caplog.text


def test_sweeping_leaves_the_groups_of_other_containers(tmp_path: Path) -> None:
    theirs = tmp_path / "grader-4194999-g7"  # no process can have this number
    theirs.mkdir()
    (theirs / "cgroup.procs").write_text("0\n")
    Version2(tmp_path).sweep()
    assert theirs.exists()
