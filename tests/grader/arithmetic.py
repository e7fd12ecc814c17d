"""A tiny assignment for tests of the service: one input, two parts, a reference run."""

from __future__ import annotations

import json
from pathlib import Path

SPEC = """\
id: tests/arithmetic
title: Sums
environment: tensorflow
module: learntools.tests.sums
inputs: {../input/numbers.csv: ../data/numbers.csv}
limits: {seconds: 60, cell_seconds: 20}
parts:
  - id: part1
    title: A list
    variables: {squares: {role: answer, starter: null}}
    hints: ["The square of *three* is nine."]
    checks:
      - id: right
        equal: {of: squares, to: {value: [0, 1, 4]}}
        message: "These are not the first **three** squares."
  - id: part2
    title: A sum
    points: 2
    variables: {total: {role: answer, starter: null}}
    checks:
      - id: same
        equal: {of: total, to: reference}
        message: "Add up all numbers of the file."
"""

SETUP = """\
from learntools.core import binder; binder.bind(globals())
from learntools.tests.sums import *
numbers = [int(line) for line in open('../input/numbers.csv')]"""


def notebook(*cells: str, version: int = 4) -> bytes:
    """A notebook of code cells."""
    if version == 3:
        old = [{"cell_type": "code", "input": cell, "language": "python", "outputs": []} for cell in cells]
        return json.dumps(
            {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": old}]}
        ).encode()
    made = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "source": cell,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for number, cell in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}).encode()


def answers(squares: str, total: str) -> bytes:
    """A submission with these two answers."""
    return notebook(SETUP, f"squares = {squares}\npart1.check()", f"total = {total}\npart2.check()")


STARTER = answers("None", "None")
RIGHT = answers("[0, 1, 4]", "sum(numbers)")
WRONG = answers("[0, 1, 2]", "sum(numbers)")
BUNDLE = {
    "assignment.yaml": SPEC.encode(),
    "starter.ipynb": STARTER,
    "reference.ipynb": RIGHT,
    "inputs/data/numbers.csv": b"1\n2\n39\n",
}


# In the environment that starts quickest.
LIGHT_SPEC = SPEC.replace("environment: tensorflow", "environment: python")
LIGHT = BUNDLE | {"assignment.yaml": LIGHT_SPEC.encode()}


def write_folder(course: Path, spec: str = SPEC) -> Path:
    """The assignment as an author keeps it, in a folder of the course; returns that folder."""
    folder = course / "arithmetic"
    folder.mkdir(parents=True)
    (course / "data").mkdir()
    (course / "data" / "numbers.csv").write_bytes(BUNDLE["inputs/data/numbers.csv"])
    (folder / "assignment.yaml").write_text(spec)
    (folder / "source.ipynb").write_bytes(
        notebook(SETUP, "squares = [0, 1, 4]\npart1.check()", "total = sum(numbers)\npart2.check()")
    )
    return folder
