"""Runs a few cells in the real sandbox and reads what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from checks.bundle import digest
from checks.evidence import Evidence, Frame
from checks.plan import Limits, PartPlan, RunPlan
from worker.attempt import run_attempt
from worker.warm import WarmServer

PLAN = RunPlan(
    module="learntools.tests.sandbox",
    parts=(
        PartPlan("part1", ("answer",), ("answer",), ("Look again.",)),
        PartPlan("part2", ("other", "answer"), ("other",)),
    ),
)
IMPORTS = "from learntools.core import binder; binder.bind(globals())\nfrom learntools.tests.sandbox import *"


@dataclass(frozen=True)
class TinyAssignment:
    """As much of an assignment as a run needs."""

    version: str = "sha256:tiny"
    limits: Limits = field(default_factory=lambda: Limits(seconds=60, cell_seconds=30, memory_mib=1500))
    inputs: Mapping[str, str] = field(default_factory=dict)
    run_plan: RunPlan = PLAN

    def plan(self) -> RunPlan:
        return self.run_plan

    reference_plan = plan


@dataclass(frozen=True)
class Outcome:
    """A run's evidence and what each cell printed."""

    evidence: Evidence
    printed: list[str]

    @property
    def status(self) -> str:
        return self.evidence.run.status

    def frame(self, part: str, trigger: str) -> Frame | None:
        for snapshot in self.evidence.snapshots:
            if (snapshot.part, snapshot.trigger) == (part, trigger):
                return snapshot.decode()
        return None


def run_cells(
    server: WarmServer,
    *cells: str,
    limits: Limits | None = None,
    files: Mapping[str, bytes] | None = None,
    **fields: Any,
) -> Outcome:
    """Run ``cells``, dedented, as one notebook; ``files``: inputs, by the path as the notebook sees it."""
    if limits is not None:
        fields["limits"] = limits
    files = files or {}
    assignment = TinyAssignment(version=digest(files), inputs={target: target for target in files}, **fields)
    notebook = new_notebook(cells=[new_code_cell(dedent(cell).strip("\n")) for cell in cells])
    attempt = run_attempt(nbformat.writes(notebook).encode(), assignment, files, server)
    printed = [_text(cell) for cell in json.loads(attempt.executed)["cells"]]
    return Outcome(attempt.evidence, printed)


def _text(cell: dict[str, Any]) -> str:
    texts = []
    for output in cell["outputs"]:
        plain = output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue") or ""
        texts.append("".join(plain))
    return "".join(texts)
