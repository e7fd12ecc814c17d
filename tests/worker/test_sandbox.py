"""The sandbox's promises, each tried from the inside by code that wants to break it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from checks.plan import Limits
from tests.conftest import ROOT
from tests.worker.runs import TinyAssignment, run_cells
from worker.attempt import run_attempt
from worker.environment import load_environment
from worker.errors import InfrastructureError, SandboxUnavailable
from worker.sandbox.cgroups import Driver, Group
from worker.warm import WarmServer, require_sandbox

pytestmark = pytest.mark.sandbox

MARK = os.getpid()  # sets our processes apart from those of another run of the tests
SHORT = Limits(seconds=20, cell_seconds=2, memory_mib=1500)


def test_there_is_no_network_and_asking_for_one_does_not_end_the_kernel(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server,
        "print(open('/proc/net/dev').read())",
        """
        import socket
        for kind in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
            try:
                socket.socket(kind)
                print('open')
            except OSError:
                print('refused')
        """,
        "print('alive')",
    )
    devices = [line.split(":")[0].strip() for line in outcome.printed[0].splitlines()[2:] if line.strip()]
    assert devices == ["lo"]
    assert outcome.printed[1].split() == ["refused"] * 4
    assert outcome.printed[2].strip() == "alive"


def test_the_kernel_has_no_rights_and_cannot_gain_any(warm_server: WarmServer) -> None:
    outcome = run_cells(warm_server, "print(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in outcome.printed[0].splitlines() if ":\t" in line)
    rights = {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")}
    assert rights == dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert "0" not in status["Uid"].split()


def test_every_limit_that_the_system_counts_is_set(warm_server: WarmServer) -> None:
    names = ("CPU", "CORE", "FSIZE", "NOFILE", "MEMLOCK", "MSGQUEUE", "NPROC")
    outcome = run_cells(
        warm_server,
        f"""
        import json, resource
        print(json.dumps([resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in {names}]))
        """,
        "print(open('/proc/sys/user/max_user_namespaces').read())",
        limits=Limits(seconds=30, disk_mib=32, processes=40, memory_mib=1500),
    )
    assert json.loads(outcome.printed[0]) == [
        [70, 71], [0, 0], [32 << 20, 32 << 20], [512, 512], [0, 0], [0, 0], [40, 40],
    ]  # fmt: skip
    assert outcome.printed[1].strip() == "0"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("unshare", "0x10000000"),
        ("mount", "b'none', b'/tmp', b'tmpfs', 0, None"),
        ("ptrace", "0, 0, 0, 0"),
        ("setns", "0, 0"),
        ("pivot_root", "b'/', b'/'"),
        ("keyctl", "0, 0, 0, 0, 0"),
    ],
)
def test_dangerous_system_calls_are_refused(warm_server: WarmServer, call: str, arguments: str) -> None:
    numbers = {"unshare": 272, "mount": 165, "ptrace": 101, "setns": 308, "pivot_root": 155, "keyctl": 250}
    outcome = run_cells(
        warm_server,
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"print(libc.syscall({numbers[call]}, {arguments}), ctypes.get_errno())",
    )
    assert outcome.printed[0].split() == ["-1", "1"]


def test_only_the_submissions_own_processes_can_be_seen(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server, "import os\nprint(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))"
    )
    assert json.loads(outcome.printed[0]) == [1, 2]


def test_nothing_outside_the_working_folder_can_be_written(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server,
        """
        import os
        for folder, names, _ in os.walk('/'):
            if folder.startswith(('/proc', '/usr/lib', '/usr/share', '/env/lib')):
                names[:] = []
                continue
            try:
                open(os.path.join(folder, 'probe'), 'w').close()
                print(folder)
            except OSError:
                pass
        """,
        """
        for place in ('/usr/lib/x', '/env/lib/x', '../input/given.csv', '../input/new.csv', 'beside.h5'):
            try:
                open(place, 'w')
                print('written', place)
            except OSError:
                print('refused')
        """,
        files={"../input/given.csv": b"a,b\n", "beside.h5": b"x"},
    )
    places = [place for place in outcome.printed[0].split() if not place.startswith("/tmp/")]
    assert sorted(places) == ["/dev/shm", "/home/student", "/home/student/working", "/tmp"]
    assert outcome.printed[1].split() == ["refused"] * 5


def test_a_full_disk_is_an_error_of_the_notebook_and_not_of_the_host(warm_server: WarmServer) -> None:
    free = os.statvfs("/").f_bavail
    outcome = run_cells(
        warm_server,
        """
        try:
            with open('big', 'wb') as f:
                while True:
                    f.write(bytes(1 << 20))
        except OSError as e:
            print(e.errno)
        """,
        """
        try:
            for n in range(10**6):
                open(f'f{n}', 'w').close()
        except OSError as e:
            print(e.errno)
        """,
        limits=Limits(seconds=60, cell_seconds=30, memory_mib=1500, disk_mib=32),
    )
    no_space, too_large = str(errno.ENOSPC), str(errno.EFBIG)  # whichever bound of one file is met first
    assert [text.strip() for text in outcome.printed] in ([no_space, no_space], [too_large, no_space])
    assert abs(os.statvfs("/").f_bavail - free) * os.statvfs("/").f_frsize < 200 << 20


def test_inputs_are_where_the_notebook_looks_for_them(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server,
        "print(open('../input/deep/a.csv').read(), open('model.h5').read())",
        files={"../input/deep/a.csv": b"1,2", "model.h5": b"weights"},
    )
    assert outcome.printed[0].split() == ["1,2", "weights"]


def test_only_the_kernels_own_descriptors_are_open(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server,
        """
        import os
        for fd in os.listdir('/proc/self/fd'):
            try:
                print(os.readlink(f'/proc/self/fd/{fd}').split(':')[0])
            except OSError:
                pass
        """,
    )
    expected = {"socket", "pipe", "anon_inode", "/dev/null", "/proc/2/fd", "/proc/self/fd"}
    assert set(outcome.printed[0].split()) <= expected


def test_a_hungry_notebook_ends_out_of_memory_while_its_neighbour_completes(warm_server: WarmServer) -> None:
    neighbours = []
    thread = threading.Thread(
        target=lambda: neighbours.append(run_cells(warm_server, "import time\ntime.sleep(2)\nprint('done')"))
    )
    thread.start()
    outcome = run_cells(
        warm_server, "answer = 1", "big = bytearray(900 << 20)", limits=Limits(memory_mib=600)
    )
    thread.join()
    assert outcome.status == "out_of_memory"
    assert [cell.status for cell in outcome.evidence.cells] == ["ok", "stopped"]
    assert outcome.frame("part1", "bound") is not None
    assert neighbours[0].status == "completed"


def test_processes_are_limited_and_a_neighbour_still_forks(warm_server: WarmServer) -> None:
    outcome = run_cells(
        warm_server,
        """
        import os, time
        children = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(30)
                    os._exit(0)
                children += 1
        except OSError:
            print(children)
        """,
        limits=Limits(processes=40, cell_seconds=20, memory_mib=1500),
    )
    assert 0 < int(outcome.printed[0]) < 40
    neighbour = run_cells(warm_server, "import subprocess\nprint(subprocess.run(['true']).returncode)")
    assert neighbour.printed[0].strip() == "0"


@pytest.mark.parametrize(
    "cell",
    [
        "import time\ntime.sleep(60)",
        "while True: pass",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsum(range(10**12))",
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
    ],
    ids=["sleeping", "spinning", "in C and deaf", "catching everything"],
)
def test_a_cell_that_takes_too_long_ends_within_a_second_of_its_limit(
    warm_server: WarmServer, cell: str
) -> None:
    started = time.monotonic()
    outcome = run_cells(warm_server, "answer = 1", cell, "answer = 2", limits=SHORT)
    assert outcome.status == "time_limit"
    most = SHORT.cell_seconds + 2.5  # the kernel's start and a busy machine included
    assert time.monotonic() - started < most
    assert outcome.evidence.cells[1].seconds < SHORT.cell_seconds + 1
    assert [cell.status for cell in outcome.evidence.cells] == ["ok", "stopped", "not_run"]
    assert outcome.frame("part1", "bound") is not None


def test_the_whole_notebook_has_a_limit_too(warm_server: WarmServer) -> None:
    limits = Limits(seconds=2, cell_seconds=30, memory_mib=1500)
    outcome = run_cells(warm_server, *["import time\ntime.sleep(0.9)"] * 5, limits=limits)
    assert outcome.status == "time_limit"
    assert "the notebook" in outcome.evidence.run.detail


@pytest.mark.parametrize(
    "cell",
    [
        "for _ in range(40): print('x' * (1 << 20))",
        "print('x' * (30 << 20))",
        "import sys\nwhile True: sys.stdout.write('y' * 100000)",
    ],
    ids=["many", "one huge", "endless"],
)
def test_too_much_output_ends_the_run_and_the_worker_stays_small(warm_server: WarmServer, cell: str) -> None:
    run_cells(warm_server, "print(1)")
    before = psutil.Process().memory_info().rss
    outcome = run_cells(
        warm_server, "answer = 1", cell, limits=Limits(cell_seconds=30, memory_mib=1500, output_mib=4)
    )
    assert outcome.status == "output_limit"
    assert psutil.Process().memory_info().rss - before < 20 << 20
    assert outcome.frame("part1", "bound") is not None


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("import os\nos._exit(3)", "exit code 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
        ("import ctypes\nctypes.string_at(0)", "signal 11"),
    ],
    ids=["exit", "kill", "crash"],
)
def test_a_kernel_that_dies_is_told_by_its_wait_status(
    warm_server: WarmServer, cell: str, words: str
) -> None:
    outcome = run_cells(warm_server, "answer = 1", cell, "answer = 2")
    assert outcome.status == "kernel_died"
    assert words in outcome.evidence.run.detail
    assert outcome.frame("part1", "bound") is not None


def test_a_failed_cell_stops_no_later_cell(warm_server: WarmServer) -> None:
    outcome = run_cells(warm_server, "x = 1\n1 / 0", "def f(:", "print('later')")
    assert outcome.status == "cell_error"
    cells = outcome.evidence.cells
    assert [(cell.status, cell.error and (cell.error.name, cell.error.line)) for cell in cells] == [
        ("error", ("ZeroDivisionError", 2)),
        ("error", ("SyntaxError", 1)),
        ("ok", None),
    ]
    assert outcome.printed[2].strip() == "later"


def test_no_tag_of_a_cell_decides_whether_it_is_run(warm_server: WarmServer) -> None:
    """And a later cell's error and snapshot are its own."""
    cells = [new_code_cell("1 / 0"), new_code_cell("answer = 1"), new_code_cell("answer = 2")]
    cells[1].metadata["tags"] = ["skip-execution", "raises-exception"]
    raw = nbformat.writes(new_notebook(cells=cells)).encode()
    evidence = run_attempt(raw, TinyAssignment(), {}, warm_server).evidence
    assert [cell.status for cell in evidence.cells] == ["error", "ok", "ok"]
    assert [(each.trigger, each.cell) for each in evidence.snapshots if each.part == "part1"] == [
        ("bound", 2)
    ]


def _named_processes(mark: str) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        if mark in " ".join(process.info["cmdline"] or []):
            found.append(process.info["pid"])
    return found


class _RecordingDriver:
    """The real driver, which also notes the names of the groups: other runs of this host have theirs."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.name = driver.name
        self.labels: list[str] = []

    def create(self, label: str, memory_mib: int, processes: int) -> Group:
        self.labels.append(label)
        return self._driver.create(label, memory_mib, processes)


def test_nothing_is_left_of_a_run_that_daemonised_itself(
    warm_server: WarmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = _RecordingDriver(warm_server.driver)
    monkeypatch.setattr(warm_server, "driver", recorder)
    outcome = run_cells(
        warm_server,
        f"""
        import os, subprocess, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp('sleep', ['sleep', '4242.{MARK}'])
            os._exit(0)
        subprocess.Popen(['sleep', '4242.{MARK}'], start_new_session=True)
        time.sleep(0.3)
        """,
    )
    assert outcome.status == "completed"
    assert _named_processes(f"4242.{MARK}") == []
    assert list(warm_server.runtime.glob("k-*")) == []
    (label,) = recorder.labels
    assert list(Path("/sys/fs/cgroup").glob(f"**/grader-*-{label}")) == []


OWNER = """
import sys, threading, time
from pathlib import Path
from worker.environment import load_environment
from worker.warm import WarmServer
from tests.worker.runs import run_cells
server = WarmServer(load_environment("tensorflow"), Path(sys.argv[1]))
server.start()
cell = f"import subprocess; subprocess.run(['sleep', '4343.{sys.argv[2]}'])"
threading.Thread(target=run_cells, args=(server, cell), daemon=True).start()
print(server.pid, flush=True)
time.sleep(60)
"""


def _wait_until(true: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # whoever adopts it has to collect it
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["owner", "jail"])
def test_nothing_survives_the_sudden_death_of_the_owner_or_of_the_jail(tmp_path: Path, victim: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), str(MARK)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as owner:
        assert owner.stdout is not None
        jail = int(owner.stdout.readline())
        assert _wait_until(lambda: _named_processes(f"sleep 4343.{MARK}"), 20)
        os.kill(owner.pid if victim == "owner" else jail, 9)
        gone = _wait_until(lambda: not _named_processes(f"sleep 4343.{MARK}"), 1.0)
        owner.kill()
    assert gone
    assert _wait_until(lambda: not _runs(jail), 1.0)


@pytest.mark.slow
def test_the_warm_server_comes_back_by_itself_and_the_interrupted_run_is_our_fault(tmp_path: Path) -> None:
    with WarmServer(load_environment("tensorflow"), tmp_path) as server:
        failures: list[BaseException] = []

        def interrupted() -> None:
            try:
                run_cells(server, "import time\ntime.sleep(30)")
            except InfrastructureError as error:
                failures.append(error)

        thread = threading.Thread(target=interrupted)
        thread.start()
        time.sleep(1.5)
        assert server.pid is not None
        os.kill(server.pid, 9)
        thread.join(10)
        assert len(failures) == 1
        assert run_cells(server, "print('again')").printed[0].strip() == "again"


def test_two_submissions_see_nothing_of_each_other(warm_server: WarmServer) -> None:
    first = run_cells(
        warm_server,
        """
        import builtins, numpy
        builtins.note = numpy.note = 'mine'
        for place in ('/tmp/note', '/dev/shm/note', 'note'):
            open(place, 'w').write('mine')
        """,
    )
    second = run_cells(
        warm_server,
        """
        import builtins, numpy, os
        print(any(os.path.exists(p) for p in ('/tmp/note', '/dev/shm/note', 'note', '/inputs')))
        print(hasattr(numpy, 'note'), hasattr(builtins, 'note'))
        """,
    )
    assert first.status == "completed"
    assert second.printed[0].split() == ["False"] * 3


def test_consecutive_runs_draw_different_random_numbers(warm_server: WarmServer) -> None:
    cell = "import numpy, random\nprint(numpy.random.rand(), random.random())"
    assert len({run_cells(warm_server, cell).printed[0] for _ in range(3)}) == 3


def test_the_service_names_the_part_of_the_sandbox_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="bubblewrap"):
        require_sandbox()
    with pytest.raises(SandboxUnavailable, match="there is no environment 'cobol'"):
        load_environment("cobol")
    with pytest.raises(SandboxUnavailable, match="not installed"):
        load_environment("tensorflow", tmp_path)


def _found_in_memory(pid: int, needles: dict[str, str]) -> set[str]:
    """Which needles the writable memory of a process holds, by their names; read as the host's root may.

    A process that is gone holds none: those that stand by come and go.
    """
    try:
        return _searched(pid, needles)
    except (FileNotFoundError, ProcessLookupError):
        return set()


def _searched(pid: int, needles: dict[str, str]) -> set[str]:
    found: set[str] = set()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(edge, 16) for edge in span.split("-"))
            memory.seek(start)
            try:
                content = memory.read(end - start)
            except OSError:  # a page that cannot be read, such as a guard
                continue
            found |= {name for name, needle in needles.items() if needle.encode() in content}
    return found


def test_neither_the_hosts_secrets_nor_the_bundles_are_in_the_sandboxs_memory(
    warm_server: WarmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may read the memory of a sealed process")
    secrets = {"host": "host-" + "4711" * 6, "spec": "spec-" + "4712" * 6}
    planted = "kernel-" + "4713" * 6
    monkeypatch.setenv("PLANTED_SECRET", secrets["host"])
    files = {"assignment.yaml": secrets["spec"].encode(), "reference.ipynb": secrets["spec"].encode()}
    cell = f"held = '{planted}'\nimport time\ntime.sleep(28)"
    notebook = nbformat.writes(new_notebook(cells=[new_code_cell(cell)])).encode()
    running = threading.Thread(target=run_attempt, args=(notebook, TinyAssignment(), files, warm_server))
    running.start()
    assert warm_server.pid is not None
    jailed: list[int] = []
    found: list[set[str]] = []
    while running.is_alive() and {"kernel"} not in found:  # until the cell has been reached
        time.sleep(0.5)
        jailed = [process.pid for process in psutil.Process(warm_server.pid).children(recursive=True)]
        found = [_found_in_memory(pid, {**secrets, "kernel": planted}) for pid in jailed]
    for pid, held in zip(jailed, found, strict=True):
        if "kernel" in held:
            psutil.Process(pid).kill()  # it has been searched, and need not sleep to its end
    running.join()
    assert {"kernel"} in found, "the search must be able to find what is there"
    assert set.union(*found) == {"kernel"}


def test_a_wrong_magic_is_an_error_of_its_cell(warm_server: WarmServer) -> None:
    outcome = run_cells(warm_server, "%matplotib inline\nx = 1", "# first\n%%time\ny = 2")
    assert outcome.status == "cell_error"
    assert [cell.error and cell.error.name for cell in outcome.evidence.cells] == ["UsageError", "UsageError"]


@pytest.mark.parametrize("cell", ["exit()", "quit()", "exit", "quit"])
def test_leaving_the_notebook_leaves_nothing(warm_server: WarmServer, cell: str) -> None:
    outcome = run_cells(warm_server, cell, *["import time\ntime.sleep(0.05)"] * 5, "print('still here')")
    assert outcome.status == "completed"
    assert outcome.printed[-1].strip() == "still here"


@pytest.mark.parametrize(
    "cell",
    [
        "display({'text/plain': 5}, raw=True)",
        "k = get_ipython().kernel\n"
        "k.send_response(k.iopub_socket, 'error', {'ename': 5, 'evalue': None, 'traceback': None})",
    ],
)
def test_an_output_that_is_none_is_dropped(warm_server: WarmServer, cell: str) -> None:
    outcome = run_cells(warm_server, cell, "print('on')")
    assert outcome.status == "completed"
    assert outcome.printed[1].strip() == "on"


def test_the_output_limit_counts_characters_whatever_their_script(warm_server: WarmServer) -> None:
    limits = Limits(cell_seconds=30, memory_mib=1500, output_mib=4)
    assert run_cells(warm_server, "print('é' * 3_000_000)", limits=limits).status == "completed"
