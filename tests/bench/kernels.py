"""A warm, sealed kernel against a cold one: until the first cell has run, and what one more weighs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
from jupyter_client.manager import KernelManager

from checks.plan import Limits, RunPlan
from tests.bench.timing import REFILL_SECONDS, Clock, Row
from tests.worker.runs import TinyAssignment, run_cells
from worker.execute import execute, parse_notebook
from worker.kernel import SealedKernel
from worker.sandbox.inputs import materialise
from worker.warm import WarmServer

COLD_START = "import numpy, pandas, matplotlib.pyplot, tensorflow, keras"
PLAN = RunPlan(module=None, parts=())
EMPTY = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def rows(server: WarmServer, bare: WarmServer, clock: Clock) -> Iterator[Row]:
    """Start-up and memory. ``server`` has kernels standing by, ``bare`` has none."""
    standing = clock.repeat(20, lambda: first_answer(server), warm_up=3, pause=REFILL_SECONDS)
    forked = clock.repeat(20, lambda: first_answer(bare), warm_up=3)
    cold = clock.repeat(3, lambda: _cold(server.environment.prefix))
    for name, ours in (("standing by", standing), ("forked for it", forked)):
        yield Row(
            f"request to the kernel's first answer, TensorFlow imported; kernel {name}",
            str(ours),
            str(cold),
            f"{cold.median / ours.median:.0f}x",
            ">= 40x, <= 150 ms",
        )
    trivial = clock.repeat(20, lambda: run_cells(server, "print('first')"), pause=REFILL_SECONDS)
    yield Row("a whole run of one trivial cell", str(trivial))
    yield Row(
        "memory of one more kernel (PSS growth)", f"{_growth(bare) / 2**20:.0f} MiB", target="<= 80 MiB"
    )


def first_answer(server: WarmServer) -> None:
    """A fresh kernel in its sandbox, until it has answered a request; and its end."""
    with SealedKernel(server, PLAN, Limits(), materialise(server.inputs, "sha256:none", {}), 0) as kernel:
        execute(parse_notebook(EMPTY), kernel, Limits(), lambda _cell, _cells: None)


def _cold(prefix: Path) -> None:
    """A kernel as everybody starts one, with the same packages."""
    manager = KernelManager(kernel_cmd=[])
    manager.kernel_spec.argv = [
        str(prefix / "bin" / "python"),
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
    ]
    manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        client.execute_interactive(COLD_START, timeout=120)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _growth(server: WarmServer) -> float:
    """Growth of the proportional set size of the whole jail for each of four kernels that have run a cell."""
    kernels = []
    before = _pss(server)
    try:
        for _ in range(4):
            kernel = SealedKernel(
                server, PLAN, Limits(), materialise(server.inputs, TinyAssignment().version, {}), 0
            )
            kernel.__enter__()
            kernels.append(kernel)
            execute(parse_notebook(EMPTY), kernel, Limits(), lambda _cell, _cells: None)
        return (_pss(server) - before) / len(kernels)
    finally:
        for kernel in kernels:
            kernel.close()


def _pss(server: WarmServer) -> int:
    assert server.pid is not None
    tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    return sum(int(process.memory_full_info().pss) for process in tree)
