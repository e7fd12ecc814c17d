"""A course of one small assignment for the authoring tests, in the environment ``python``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SPEC = """\
id: weather/means
title: Means
environment: python
module: learntools.weather.means
limits: {seconds: 30, cell_seconds: 10, memory_mib: 500}
parts:
  - id: part1
    title: The mean
    variables: {mean: {role: answer, starter: null}, days: {role: set-up}}
    checks:
      - id: number
        equal: {of: mean, to: reference}
        message: "mean is {seen}, not right."
      - id: given
        size: {of: days, length: 3}
    misconceptions:
      - {id: median, when: {equal: {of: mean, to: {value: 12.0}}}, message: That is the median.}
    hints: [Add them up.]
"""
SETUP = """\
from learntools.core import binder; binder.bind(globals())
from learntools.weather.means import *
days = [10.5, 12.0, 31.75]"""


def cell(name: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": name, "metadata": {}, "outputs": [], "execution_count": None,
        "source": source,
    }  # fmt: skip


def notebook(*cells: dict[str, Any]) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}).encode()


def answered(mean: str) -> bytes:
    """A submission with this answer."""
    return notebook(cell("setup", SETUP), cell("part1", f"mean = {mean}\npart1.check()"))


MASTER = [
    cell("setup", SETUP),
    cell("part1", "#%%RM_IF(REFERENCE)%%\nmean = None\npart1.check()"),
    cell("median", "#%%RM_IF(PROD)%%\n# Incorrect: the median\nmean = sorted(days)[1]\npart1.check()"),
    cell("right", "#%%RM_IF(PROD)%%\n# Correct\nmean = sum(days) / 3\npart1.check()"),
]


def write(course: Path, spec: str = SPEC, master: list[dict[str, Any]] = MASTER) -> Path:
    """The assignment as its author keeps it; returns its folder."""
    folder = course / "means"
    folder.mkdir(parents=True)
    (folder / "assignment.yaml").write_text(spec)
    (folder / "source.ipynb").write_bytes(notebook(*master))
    return folder


def sample(folder: Path, name: str, submission: bytes, expect: str) -> None:
    """One sample submission."""
    case = folder / "submissions" / name
    case.mkdir(parents=True)
    (case / "submission.ipynb").write_bytes(submission)
    (case / "expect.yaml").write_text(expect)
