"""Whole grades: overhead over the bare cells, slots side by side, and judging stored evidence again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo
from checks.judge import judge
from grader.bundles import read_bundle
from tests.bench.notebooks import LIGHT, notebook
from tests.bench.timing import REFILL_SECONDS, Clock, Row
from tests.conftest import ROOT
from tests.worker.runs import TinyAssignment
from worker.attempt import run_attempt
from worker.warm import WarmServer

COURSE = ROOT / "fixtures" / "embeddings"
SLOTS = (1, 2, 4)
ONE_PROCESS = """
import json, sys, time
import numpy, pandas
cells, space = json.load(sys.stdin), {}
started = time.perf_counter()
for cell in cells:
    exec(compile(cell, "cell", "exec"), space)
print(time.perf_counter() - started)
"""


def rows(server: WarmServer, clock: Clock) -> Iterator[Row]:
    """Overhead, throughput and regrading."""
    light = notebook(LIGHT)
    ours = clock.repeat(10, lambda: run_attempt(light, TinyAssignment(), {}, server), pause=REFILL_SECONDS)
    bare = _bare(server.environment.prefix)
    yield Row(
        f"{len(LIGHT)}-cell notebook against its cells in one process",
        str(ours),
        f"{bare * 1000:.0f} ms",
        f"+{(ours.median - bare) * 1000:.0f} ms",
        "<= +300 ms",
    )
    yield from _throughput(server, light, clock)
    yield from _judging(server, clock)


def _bare(prefix: Path) -> float:
    """Seconds that the cells alone take, packages imported."""
    done = subprocess.run(
        [str(prefix / "bin" / "python"), "-c", ONE_PROCESS],
        input=json.dumps(LIGHT),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _throughput(server: WarmServer, raw: bytes, clock: Clock) -> Iterator[Row]:
    single, each = 0.0, clock.most or 12
    for slots in SLOTS:
        started = time.perf_counter()
        with ThreadPoolExecutor(slots) as pool:
            list(pool.map(lambda _: run_attempt(raw, TinyAssignment(), {}, server), range(each * slots)))
        rate = each * slots / (time.perf_counter() - started) * 60
        single = single or rate
        yield Row(
            f"submissions a minute, {slots} slot{'s' * (slots > 1)}",
            f"{rate:.0f}",
            ratio=f"{rate / single:.1f}x",
        )


def _judging(server: WarmServer, clock: Clock) -> Iterator[Row]:
    for name in ("ex1_embedding_layers", "ex3_gensim"):
        files = read_bundle(COURSE / name)
        assignment = Assignment.from_files(files)
        reference = run_attempt(files["reference.ipynb"], assignment, files, server, reference=True).evidence
        evidence = run_attempt(
            (COURSE / name / "submissions" / "right" / "submission.ipynb").read_bytes(),
            assignment,
            files,
            server,
        ).evidence
        info = SubmissionInfo(id="timed", student="timed", notebook=evidence.notebook, attempt=1)
        times = clock.repeat(50, lambda: judge(assignment, evidence, reference, info), warm_up=3)  # noqa: B023 - called at once
        yield Row(
            f"judging stored evidence again, {name}",
            f"{1 / times.median:.0f} a second",
            target=">= 200 a second",
        )
