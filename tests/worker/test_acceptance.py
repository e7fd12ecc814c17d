"""The sandbox's promises (the table in ``docs/sandbox.md``): each has its test, and here are those that the
other files do not have: promises about several submissions at once, about memory, and about verdicts.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from checks.plan import Limits
from grader.local import LocalGrader
from grader.settings import Settings
from tests.conftest import ROOT
from tests.grader.arithmetic import BUNDLE, RIGHT, SETUP, notebook, write_folder
from tests.worker.runs import Outcome, run_cells
from tests.worker.verdicts import RIGHT_ANSWERS, WRONG_ANSWERS, grade
from worker.sandbox.cgroups import Driver, Group, Watchdog
from worker.warm import WarmServer

PROMISES = re.findall(
    r"^\| (\d+) \| (.+?) \| (.+?) \|$", (ROOT / "docs" / "sandbox.md").read_text(), re.MULTILINE
)
ROOMY = Limits(seconds=60, cell_seconds=30, memory_mib=1500)


def test_every_promise_is_numbered_once() -> None:
    assert [int(number) for number, _, _ in PROMISES] == list(range(1, 19))


@pytest.mark.parametrize(("number", "promise", "proof"), PROMISES, ids=[number for number, _, _ in PROMISES])
def test_every_promise_names_tests_that_exist(number: str, promise: str, proof: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", proof)
    assert named, f"promise {number} ({promise}) has no test"
    for path, test in named:
        tree = ast.parse((ROOT / "tests" / path).read_text())
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, test


# Isolation


@pytest.mark.sandbox
def test_the_only_network_device_is_down(warm_server: WarmServer) -> None:
    """SIOCGIFFLAGS (``netdevice(7)``) answers on a socket of any family; IFF_UP is its lowest bit."""
    outcome = run_cells(
        warm_server,
        """
        import fcntl, socket, struct
        with socket.socket(socket.AF_UNIX) as any_socket:
            flags = fcntl.ioctl(any_socket, 0x8913, struct.pack('16s16x', b'lo'))
        print(struct.unpack_from('16xh', flags)[0] & 1)
        """,
    )
    assert outcome.printed[0].strip() == "0"


@pytest.mark.sandbox
def test_a_neighbour_forks_while_another_submission_has_used_up_its_processes(
    warm_server: WarmServer,
) -> None:
    greedy = """
    import os, time
    children = []
    try:
        while True:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except OSError:
        print(len(children), flush=True)
        time.sleep(6)
    """
    found: list[Outcome] = []
    limits = Limits(processes=30, cell_seconds=20, memory_mib=1500)
    thread = threading.Thread(target=lambda: found.append(run_cells(warm_server, greedy, limits=limits)))
    thread.start()
    time.sleep(2)
    neighbour = run_cells(
        warm_server,
        "import subprocess\nprint([subprocess.run(['true']).returncode for _ in range(5)])",
        limits=limits,
    )
    still_holding = thread.is_alive()
    thread.join()
    assert still_holding
    assert neighbour.printed[0].strip() == "[0, 0, 0, 0, 0]"
    assert 0 < int(found[0].printed[0]) < 30


@pytest.mark.sandbox
@pytest.mark.parametrize("target", ["0", "-1", "-os.getsid(0)"])
def test_a_signal_to_everybody_reaches_no_neighbour_and_not_the_server(
    warm_server: WarmServer, target: str
) -> None:
    found: list[Outcome] = []
    waiting = "answer = 1\nimport time\ntime.sleep(3)\nprint('unharmed')"
    thread = threading.Thread(target=lambda: found.append(run_cells(warm_server, waiting)))
    thread.start()
    time.sleep(1)
    jail = warm_server.pid
    killing = run_cells(
        warm_server,
        f"import os\ntry: os.kill({target}, 9)\nexcept OSError: print('nobody')",
        "import os\nos.kill(os.getpid(), 9)",
    )
    thread.join()
    assert killing.status == "kernel_died"
    assert found[0].printed[0].strip() == "unharmed"
    assert warm_server.pid == jail


# Memory of the trusted side


def _peak_after(run: Callable[[], Outcome]) -> tuple[Outcome, int]:
    """What the run came to, and how far this process's memory rose above what it was, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now on (proc(5))
    before = psutil.Process().memory_info().rss
    outcome = run()
    status = Path("/proc/self/status").read_text()
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return outcome, int(peak) * 1024 - before


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "cell",
    [
        "while True: print('x' * 100)",
        "print('x' * (100 << 20))",
        "display({'text/html': 'x' * (100 << 20)}, raw=True)",
        "raise ValueError('x' * (100 << 20))",
    ],
    ids=["many small", "one huge", "one huge figure", "one huge error"],
)
def test_printing_without_end_costs_the_worker_little_memory(warm_server: WarmServer, cell: str) -> None:
    limits = Limits(cell_seconds=30, memory_mib=1500, output_mib=4)
    run_cells(warm_server, "print('warm')", limits=limits)
    outcome, rise = _peak_after(lambda: run_cells(warm_server, "answer = 1", cell, limits=limits))
    assert outcome.status == "output_limit"
    assert rise < 20 << 20
    assert outcome.frame("part1", "bound") is not None


@pytest.mark.sandbox
def test_small_outputs_without_end_are_counted_and_not_only_weighed(warm_server: WarmServer) -> None:
    """Each one becomes an object of the trusted side, which weighs more than the byte that it shows."""
    limits = Limits(cell_seconds=30, memory_mib=1500, output_mib=1)
    cell = "n = 0\nwhile True:\n    display(0)\n    n += 1"
    run_cells(warm_server, "print('warm')", limits=limits)
    outcome, rise = _peak_after(lambda: run_cells(warm_server, "answer = 1", cell, limits=limits))
    assert outcome.status == "output_limit"
    assert outcome.printed[1].count("0") <= 1024
    assert rise < 20 << 20


ANNOUNCING = """
import os, struct
links = {}
for fd in range(3, 64):
    try:
        links.setdefault(os.readlink(f'/proc/self/fd/{fd}'), []).append(fd)
    except OSError:
        pass
for link, fds in links.items():
    if link.startswith('pipe') and len(fds) == 1:  # the other end of this one is outside
        os.write(fds[0], struct.pack('<I', 1 << 30))
        for _ in range(64): os.write(fds[0], b'x' * (1 << 20))
"""


@pytest.mark.sandbox
def test_a_gibibyte_of_evidence_is_refused_with_memory_flat(warm_server: WarmServer) -> None:
    run_cells(warm_server, "print('warm')")
    outcome, rise = _peak_after(lambda: run_cells(warm_server, "answer = 1", ANNOUNCING, "answer = 2"))
    assert str(1 << 30) in outcome.evidence.run.detail
    assert outcome.frame("part1", "bound") is not None
    assert rise < 20 << 20


# No residue


DAEMON = """
answer = 1
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp('sleep', ['sleep', '{mark}'])
    os._exit(0)
from pathlib import Path
while not any('{mark}' in p.read_text() for p in Path('/proc').glob('[0-9]*/cmdline')): pass
"""
ENDINGS = {
    "time_limit": "while True: pass",
    "out_of_memory": "big = bytearray(900 << 20)",
    "output_limit": "while True: print('x' * 100000)",
    "kernel_died": "import os; os._exit(1)",
    "cell_error": "1 / 0",
}


class _Labels:
    """The real driver, which also notes its groups' names."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self.name = driver, driver.name
        self.labels: list[str] = []

    def create(self, label: str, memory_mib: int, processes: int) -> Group:
        self.labels.append(label)
        return self._driver.create(label, memory_mib, processes)


@pytest.mark.sandbox
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left_after_any_ending(
    warm_server: WarmServer, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    driver = _Labels(warm_server.driver)
    monkeypatch.setattr(warm_server, "driver", driver)
    mark = f"{4500 + list(ENDINGS).index(ending)}.{os.getpid()}"
    limits = Limits(seconds=20, cell_seconds=3, memory_mib=600, output_mib=2)
    mounts = Path("/proc/self/mountinfo").read_text()
    outcome = run_cells(warm_server, DAEMON.format(mark=mark), ENDINGS[ending], limits=limits)
    assert outcome.status == ending
    assert outcome.frame("part1", "bound") is not None
    assert [p.pid for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])] == []
    assert list(warm_server.runtime.glob("k-*")) == []
    assert [each for label in driver.labels for each in Path("/sys/fs/cgroup").glob(f"**/*-{label}")] == []
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_run_whose_warm_server_is_killed_is_run_again_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = notebook(SETUP, "import time; time.sleep(3)", *RIGHT_ANSWERS)
    settings = Settings(data_dir=tmp_path)
    with LocalGrader(settings, BUNDLE) as grader:
        jail = grader._server.pid
        assert jail is not None
        killer = threading.Timer(1.5, os.kill, (jail, 9))
        killer.start()
        graded = grader.grade(slow, "ada")
        killed = grader._server.pid != jail
    assert killed
    assert [part.status for part in graded.feedback.parts] == ["correct", "correct"]


# Verdicts


FORGERIES = {
    "printed feedback": """
        print('{"schema": "feedback/1", "score": 3.0, "parts": [{"id": "part1", "status": "correct"}]}')
        display({'application/json': {'parts': [{'id': 'part1', 'status': 'correct', 'score': 1}]}}, raw=True)
    """,
    "a forged reply": """
        k = get_ipython().kernel
        content = {'status': 'ok', 'parts': {'part1': 'correct', 'part2': 'correct'}, 'score': 3}
        for kind in ('execute_reply', 'stream', 'verdict', 'feedback'):
            k.session.send(k.iopub_socket, kind, content, parent=k.get_parent('shell'))
    """,
    "patched numpy": """
        import numpy as np
        for name in ('array_equal', 'allclose', 'isclose', 'asarray', 'array', 'ascontiguousarray'):
            setattr(np, name, lambda *a, **k: True)
    """,
    "patched builtins": """
        import builtins
        builtins.isinstance = builtins.all = builtins.any = lambda *a: True
        builtins.len = lambda x: 3
    """,
    "patched json": """
        import json
        right = '{"t": "seq", "items": []}'
        json.dumps = json.JSONEncoder.encode = json.JSONEncoder.iterencode = lambda *a, **k: right
    """,
    "a class that equals all": """
        class Same(list):
            __class__ = property(lambda self: list)
            def __eq__(self, other): return True
            def __iter__(self): return iter([0, 1, 4])
            def __getitem__(self, n): return [0, 1, 4][n]
            def __len__(self): return 3
            __hash__ = None
        squares = Same([0, 1, 2])
        part1.check()
    """,
    "a number that equals all": """
        class Any(int):
            __eq__ = lambda self, other: True
            __float__ = __int__ = __index__ = lambda self: 42
            __hash__ = int.__hash__
        total = Any(-1)
        part2.check()
    """,
    "no extraction hook": """
        get_ipython().events.callbacks = {name: [] for name in get_ipython().events.callbacks}
    """,
    "a replaced check": """
        type(part1).check = lambda self, *a: print('correct')
        squares = [0, 1, 2]
        part1.check()
    """,
    "a replaced module": """
        import sys, types
        fake = types.ModuleType('learntools.tests.sums')
        fake.part1 = fake.part2 = types.SimpleNamespace(check=lambda: print('correct'))
        sys.modules['learntools.tests.sums'] = sys.modules['learntools.core'] = fake
        from learntools.tests.sums import *
        part1.check()
    """,
    "a worker of the student's own": """
        open('worker.py', 'w').write('raise SystemExit')
        open('checks.py', 'w').write('judge = lambda *a: "correct"')
        import sys
        sys.path.insert(0, '.')
        import checks
    """,
    "a silenced extractor": """
        import gc
        for each in gc.get_objects():
            if type(each).__name__ == 'Taker': each.take = lambda value: {'t': 'none'}
        import sys
        for name in [n for n in sys.modules if 'grader' in n or 'checks' in n]:
            for attribute in ('judge', 'check', 'verdict', 'score'):
                setattr(sys.modules[name], attribute, lambda *a, **k: 'correct')
    """,
}


@pytest.mark.sandbox
@pytest.mark.parametrize("trick", FORGERIES.values(), ids=FORGERIES.keys())
def test_no_trick_makes_a_wrong_answer_right(warm_server: WarmServer, trick: str) -> None:
    """The trick comes before or after the answers; it may lose a part's evidence, and gains nothing."""
    cell = "\n".join(line.removeprefix("        ") for line in trick.strip("\n").splitlines())
    for cells in ((cell, *WRONG_ANSWERS), (*WRONG_ANSWERS, cell)):
        graded = grade(warm_server, *cells)
        assert set(graded.statuses) <= {"incorrect", "error", "not_attempted"}, graded.messages


@pytest.mark.sandbox
@pytest.mark.parametrize("trick", FORGERIES.values(), ids=FORGERIES.keys())
def test_no_trick_takes_away_what_was_checked_before(warm_server: WarmServer, trick: str) -> None:
    cell = "\n".join(line.removeprefix("        ") for line in trick.strip("\n").splitlines())
    safe = cell.replace("part1.check()", "").replace("part2.check()", "")  # a new check is a new answer
    assert grade(warm_server, *RIGHT_ANSWERS, safe).statuses == ("correct", "correct")


# Missing layers


@pytest.mark.sandbox
def test_a_memory_limit_by_watchdog_is_told_in_every_result(
    warm_server: WarmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_server, "driver", Watchdog())
    cells = (
        "answer = 1",
        "import time\nheld = [bytearray(80 << 20) for _ in range(9) if not time.sleep(0.2)]",
    )
    outcome = run_cells(warm_server, *cells, limits=Limits(memory_mib=600, cell_seconds=20))
    assert (outcome.status, outcome.evidence.run.memory_limit) == ("out_of_memory", "watchdog")
    assert outcome.frame("part1", "bound") is not None


WITHOUT_FILTER = """
import ctypes, ctypes.util, sys
load = ctypes.CDLL
def none(name, *a, **k):
    if name and 'seccomp' in str(name): raise OSError('no such library')
    return load(name, *a, **k)
ctypes.CDLL = none
sys.argv = ['grader', *sys.argv[1:]]
from grader.__main__ import *
from grader import cli
cli.main() if hasattr(cli, 'main') else cli.app()
"""


@pytest.mark.parametrize(
    ("program", "path", "named"),
    [
        (["-m", "grader"], "nowhere", "bubblewrap: missing"),
        (["-c", WITHOUT_FILTER], "/usr/bin:/bin", "libseccomp is missing"),
    ],
    ids=["jail", "filter"],
)
def test_with_a_layer_missing_nothing_is_run_and_the_layer_is_named(
    tmp_path: Path, program: list[str], path: str, named: str
) -> None:
    write_folder(tmp_path / "course")
    (tmp_path / "ada.ipynb").write_bytes(RIGHT)
    variables = {"PATH": path, "PYTHONPATH": str(ROOT), "GRADER_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, *program, "grade", "ada.ipynb", "-a", "course/arithmetic", "--json"],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert named in done.stderr
    assert done.stdout == ""


def test_a_worker_without_the_jail_takes_no_job_and_names_what_is_missing(tmp_path: Path) -> None:
    variables = {
        "PATH": "nowhere",
        "PYTHONPATH": str(ROOT),
        "GRADER_DATA_DIR": str(tmp_path / "data"),
        "GRADER_BROKER_URL": "memory://",
    }
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "--pool", "solo"],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "bubblewrap: missing" in done.stdout + done.stderr
    assert json.dumps("ready") not in done.stdout
