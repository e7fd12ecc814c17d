"""A warm, sealed kernel against a cold one: until the first cell has run, and what one more weighs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from jupyter_client.manager import KernelManager

from checks.plan import Limits, RunPlan
from tests.bench.timing import Row, Times, repeat
from tests.worker.runs import TinyAssignment, run_cells
from worker.execute import execute, parse_notebook
from worker.kernel import SealedKernel
from worker.sandbox.inputs import materialise
from worker.warm import WarmServer

COLD_START = "import numpy, pandas, matplotlib.pyplot, tensorflow, keras"
PLAN = RunPlan(module=None, parts=())


def rows(server: WarmServer) -> Iterator[Row]:
    """Start-up and memory."""
    cell = "print('first')"
    warm = repeat(20, lambda: run_cells(server, cell), warm_up=3)
    first = Times(tuple(_first_cell(server) for _ in range(20)))
    cold = repeat(3, lambda: _cold(server.environment.prefix), warm_up=1)
    yield Row(
        "request to first cell's end, packages imported",
        str(first),
        str(cold),
        f"{cold.median / first.median:.0f}x",
        ">= 40x, <= 150 ms",
    )
    yield Row("a whole run of one trivial cell", str(warm))
    yield Row(
        "memory of one more kernel (PSS growth)", f"{_growth(server) / 2**20:.0f} MiB", target="<= 80 MiB"
    )


def _first_cell(server: WarmServer) -> float:
    """Seconds from the request until the first cell's output is here."""
    notebook = parse_notebook(b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    started = time.perf_counter()
    with SealedKernel(server, PLAN, Limits(), materialise(server.inputs, "sha256:none", {}), 0) as kernel:
        execute(
            notebook, kernel, Limits(), lambda _cell, _cells: None
        )  # returns when the kernel has answered a request
        return time.perf_counter() - started


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
    manager.start_kernel()
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
            notebook = parse_notebook(b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
            execute(notebook, kernel, Limits(), lambda _cell, _cells: None)
        return (_pss(server) - before) / len(kernels)
    finally:
        for kernel in kernels:
            kernel.close()


def _pss(server: WarmServer) -> int:
    assert server.pid is not None
    tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    return sum(int(process.memory_full_info().pss) for process in tree)
