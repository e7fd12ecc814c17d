"""Scenarios: code as a student of that time wrote it, played by the students' interpreter in one process.

A scenario file holds functions whose names begin with ``can_`` (they fail without the shim) or ``still_``
(they hold with and without it). Each raises when its behaviour is missing. Only the students' interpreter
imports such a file.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT, need

FOLDER = Path(__file__).parent
ENVIRONMENTS = ROOT / ".environments"
PYTHON = ENVIRONMENTS / "tensorflow" / "bin" / "python"


def names(file: str, prefix: str) -> list[str]:
    """The scenarios of ``file`` whose names begin with ``prefix``."""
    tree = ast.parse((FOLDER / f"{file}.py").read_text())
    return [
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith(prefix)
    ]


def play(
    file: str, shims: list[str], when: str, folder: Path, environment: str = "tensorflow"
) -> dict[str, str]:
    """What went wrong in each scenario (empty: nothing); shims come ``before`` or ``after`` the imports."""
    python = ENVIRONMENTS / environment / "bin" / "python"
    need(python.exists(), f"the environment {environment}")
    (folder / "_grader_inside").symlink_to(ROOT / "worker" / "inside", target_is_directory=True)
    result = folder / "result.json"
    variables = {**os.environ, "PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    request = json.dumps(
        {"file": str(FOLDER / f"{file}.py"), "shims": shims, "when": when, "result": str(result)}
    )
    done = subprocess.run(
        [str(python), str(FOLDER / "player.py"), request],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.exists(), done.stderr[-4000:]
    outcome: dict[str, str] = json.loads(result.read_text())
    return outcome
