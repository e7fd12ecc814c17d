"""One attempt: a notebook's bytes in, evidence out."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import nbformat

from checks.evidence import Evidence, Run, Snapshot, digest
from checks.plan import Limits, RunPlan
from worker.collect import Collector, FrameLabel
from worker.errors import KernelNotReady
from worker.execute import Execution, execute, parse_notebook
from worker.kernel import SealedKernel
from worker.sandbox.inputs import materialise
from worker.so_far import evidence_so_far
from worker.warm import WarmServer

PATIENCE = (5.0, 10.0, 30.0)  # seconds for a kernel to answer, a try each; usually it takes a fifth of one
_log = logging.getLogger(__name__)


class Runnable(Protocol):
    """As much of an assignment as a run needs; ``checks.assignment.Assignment`` is one."""

    @property
    def version(self) -> str:
        """The bundle's digest."""

    @property
    def limits(self) -> Limits:
        """The bounds of a run."""

    @property
    def inputs(self) -> Mapping[str, str]:
        """The path as the notebook sees it -> the key of the content in the bundle."""

    def plan(self) -> RunPlan:
        """What to watch in a student's run."""

    def reference_plan(self) -> RunPlan:
        """What to watch in the author's run."""


@dataclass(frozen=True)
class Progress:
    """Where a run is. Phase running: ``cell`` of ``cells`` begins; captured: ``part`` has been taken.

    ``so_far``, where a part's check ran, makes the evidence to judge that part by before the run has ended.
    """

    phase: str
    cell: int = 0
    cells: int = 0
    part: str = ""
    so_far: Callable[[], Evidence] | None = None


@dataclass(frozen=True)
class Attempt:
    """What a run leaves: the evidence, and the notebook with the outputs of this run.

    ``peak_bytes`` is the most memory that it held at once; None where nobody counted.
    """

    evidence: Evidence
    executed: bytes
    peak_bytes: int | None = None


def ignore(_progress: Progress) -> None:
    """Report progress to nobody."""


def run_attempt(
    notebook: bytes,
    assignment: Runnable,
    files: Mapping[str, bytes],
    server: WarmServer,
    *,
    reference: bool = False,
    progress: Callable[[Progress], None] = ignore,
) -> Attempt:
    """Run ``notebook`` in a fresh sealed kernel and keep what the assignment's parts name.

    ``files`` are the assignment's bundle; ``reference`` also takes the variables that only the author's
    notebook has. Raises InfrastructureError where the fault is ours; whatever the notebook does ends in the
    evidence.
    """
    started = time.monotonic()
    plan = assignment.reference_plan() if reference else assignment.plan()
    try:
        parsed = parse_notebook(notebook)
    except ValueError as error:
        return Attempt(rejected(notebook, assignment, server, str(error)), notebook)
    contents = {target: files[key] for target, key in assignment.inputs.items()}
    inputs = materialise(server.inputs, assignment.version, contents)
    seed = int.from_bytes(os.urandom(4), "little") if plan.seed is None else plan.seed
    kernel, result, collector = _run_on_a_kernel_that_answers(
        parsed,
        lambda: SealedKernel(server, plan, assignment.limits, inputs, seed),
        assignment,
        progress,
    )
    evidence = Evidence(
        notebook=digest(notebook),
        assignment=assignment.version,
        run=Run(
            status=result.status,
            seconds=round(time.monotonic() - started, 3),
            environment=kernel.environment,
            memory_limit=server.driver.name,
            detail=result.detail
            or (f"refused as evidence: {collector.refused}" if collector.refused else ""),
        ),
        cells=tuple(result.cells),
        snapshots=_snapshots(collector, result),
    )
    return Attempt(evidence, nbformat.writes(parsed).encode(), kernel.peak_bytes)


def _run_on_a_kernel_that_answers(
    notebook: nbformat.NotebookNode,
    make: Callable[[], SealedKernel],
    assignment: Runnable,
    progress: Callable[[Progress], None],
) -> tuple[SealedKernel, Execution, Collector]:
    """Execute on a fresh kernel; where it does not come up, on another one: no cell has run on the first."""
    for seconds in PATIENCE[:-1]:
        with make() as kernel:
            try:
                return kernel, *_run(notebook, kernel, assignment, progress, seconds)
            except KernelNotReady as error:
                _log.warning("trying another kernel: %s", error)
    with make() as kernel:
        return kernel, *_run(notebook, kernel, assignment, progress, PATIENCE[-1])


def _run(
    notebook: nbformat.NotebookNode,
    kernel: SealedKernel,
    assignment: Runnable,
    progress: Callable[[Progress], None],
    ready_seconds: float,
) -> tuple[Execution, Collector]:
    """Execute the notebook and collect its frames; the kernel is dead when this returns."""

    def running(cell: int, cells: int) -> None:
        progress(Progress("running", cell, cells))

    def captured(label: FrameLabel) -> None:
        so_far = None
        if label.trigger == "check":
            _, frame = collector.frames[label.part, label.trigger]
            so_far = partial(evidence_so_far, notebook, assignment.version, label, frame)
        progress(Progress("captured", part=label.part, so_far=so_far))

    collector = Collector(kernel.evidence, frame_names(kernel.plan), captured)
    collector.start()
    try:
        result = execute(notebook, kernel, assignment.limits, running, ready_seconds)
    finally:
        kernel.kill()
        collector.finish()
    return result, collector


def frame_names(plan: RunPlan) -> set[str]:
    """The names under which a kernel sends frames: a part's id, the same with ``()`` for what its calls gave,
    and the empty one for what the author's run is asked for at its end.
    """
    return {""} | {part.id + suffix for part in plan.parts for suffix in ("", "()")}


def _snapshots(collector: Collector, result: Execution) -> tuple[Snapshot, ...]:
    found = []
    for (part, _), (label, frame) in sorted(collector.frames.items()):
        cell = result.executed[label.run - 1] if 0 < label.run <= len(result.executed) else None
        found.append(Snapshot(part=part, trigger=label.trigger, cell=cell, frame=frame))
    return tuple(found)


def rejected(notebook: bytes, assignment: Runnable, server: WarmServer, why: str) -> Evidence:
    """The evidence of what is not run; ``server`` is the one that would have run it."""
    run = Run(
        status="rejected",
        seconds=0.0,
        environment=server.environment.label,
        memory_limit=server.driver.name,
        detail=why,
    )
    return Evidence(notebook=digest(notebook), assignment=assignment.version, run=run)
