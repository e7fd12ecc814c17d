"""However a run ends, the ending is told truly, in time, and what was checked before it keeps its verdict."""

from __future__ import annotations

import time

import pytest

from checks.plan import Limits
from tests.worker.runs import run_cells
from tests.worker.verdicts import RIGHT_ANSWERS, grade
from worker.warm import WarmServer

pytestmark = pytest.mark.sandbox

ENDINGS = {
    "leaving": ("import os; os._exit(0)", "kernel_died", "exit code 0"),
    "aborting": ("import os; os.abort()", "kernel_died", "signal 6"),
    "killing its group": ("import os; os.kill(0, 9)", "kernel_died", "signal 9"),
    "crashing": ("import faulthandler; faulthandler._sigsegv()", "kernel_died", "signal 11"),
    "a recursion in C": (
        "import sys; sys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
        "kernel_died",
        "signal 11",
    ),
    "memory in small pieces": ("x = []\nwhile True: x.append(bytes(65536))", "out_of_memory", "memory"),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "status", "words"), ENDINGS.values(), ids=ENDINGS.keys())
def test_an_ending_is_told_and_costs_only_what_comes_after_it(
    warm_server: WarmServer, cell: str, status: str, words: str
) -> None:
    first, second = RIGHT_ANSWERS
    graded = grade(warm_server, first, cell, second)
    assert graded.status == status
    assert words in graded.evidence.run.detail
    assert graded.statuses == ("correct", "error")
    assert graded.messages[1]


STUBBORN = {
    "sleeping for good": "import time\nwhile True: time.sleep(1000)",
    "stopped": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "all signals blocked": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True: pass"
    ),
    "a search without end": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    "threads": (
        "import threading\ndef spin():\n    while True: pass\n"
        "for _ in range(8): threading.Thread(target=spin).start()"
        "\nthreading.Event().wait()"
    ),
    "a destructor": "class D:\n    def __del__(self):\n        while True: pass\nd = D()\ndel d",
    "waiting for input that never comes": "import os; r, w = os.pipe(); os.read(r, 1)",
}


@pytest.mark.parametrize("cell", STUBBORN.values(), ids=STUBBORN.keys())
def test_a_cell_that_nothing_interrupts_ends_within_a_second_of_its_limit(
    warm_server: WarmServer, cell: str
) -> None:
    limits = Limits(seconds=20, cell_seconds=1, memory_mib=1500)
    outcome = run_cells(warm_server, "answer = 1", cell, "answer = 2", limits=limits)
    assert outcome.status == "time_limit"
    assert "a cell" in outcome.evidence.run.detail
    assert outcome.evidence.cells[1].seconds < limits.cell_seconds + 1
    assert [each.status for each in outcome.evidence.cells] == ["ok", "stopped", "not_run"]
    assert outcome.frame("part1", "bound") is not None


def test_the_notebooks_own_limit_is_kept_to_a_second_whatever_the_cells_do(warm_server: WarmServer) -> None:
    limits = Limits(seconds=2, cell_seconds=30, memory_mib=1500)
    cells = ["answer = 1", *["import time\ntime.sleep(0.7)"] * 2, "while True: pass", "answer = 2"]
    started = time.monotonic()
    outcome = run_cells(warm_server, *cells, limits=limits)
    whole = sum(cell.seconds for cell in outcome.evidence.cells)
    assert outcome.status == "time_limit"
    assert "the notebook" in outcome.evidence.run.detail
    assert whole < limits.seconds + 1
    assert time.monotonic() - started < limits.seconds + 3.0  # the kernel's start on a busy machine included
    assert outcome.frame("part1", "bound") is not None


SIGNALS = """
import os, signal
for number in signal.valid_signals() - {9}:
    try: os.kill(1, number)
    except OSError: pass
"""
BOUNDS = """
import resource
for name in dir(resource):
    if name.startswith('RLIMIT_'):
        try: resource.prlimit(1, getattr(resource, name), (0, 0))
        except (OSError, ValueError): pass
"""


@pytest.mark.parametrize("attack", [SIGNALS, BOUNDS], ids=["every signal", "every limit set to nothing"])
def test_an_attack_on_the_first_process_is_never_our_fault(warm_server: WarmServer, attack: str) -> None:
    """Were it, a notebook could have itself run again and again, and never get a verdict."""
    first, second = RIGHT_ANSWERS
    assert (
        grade(warm_server, first, attack + "\nimport time; time.sleep(0.3)", second).statuses[0] == "correct"
    )
    dying = grade(warm_server, first, attack, "import os; os._exit(7)", second)
    assert (dying.status, dying.statuses) == ("kernel_died", ("correct", "error"))
