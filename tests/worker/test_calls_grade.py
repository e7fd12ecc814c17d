"""``grader grade`` on a small course with a function and a query: no server, the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grader import cli
from tests.conftest import need
from tests.grader.arithmetic import notebook
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import require_sandbox

pytestmark = pytest.mark.sandbox
SPEC = """\
id: tests/clamp
title: Clamp
environment: python
module: learntools.tests.clamp
parts:
  - id: q1
    title: Keep a number within bounds
    variables: {clamp: {}}
    checks:
      - id: cases
        calls:
          of: clamp
          expected: reference
          generate: {count: 12, seed: 1, arguments: {x: {integers: {min: -20, max: 20}}}}
  - id: q2
    title: Count them
    variables: {query: {starter: ""}}
    checks:
      - sql:
          of: query
          expected: reference
          databases: [{id: one, script: "CREATE TABLE t (n); INSERT INTO t VALUES (1), (1), (NULL);"}]
"""
SETUP = "from learntools.core import binder; binder.bind(globals())\nfrom learntools.tests.clamp import *"
MASTER = (
    "def clamp(x):\n"
    "    #_UNCOMMENT_IF(PROD)_\n"
    "    #pass\n"
    "    #_RM_IF(PROD)_\n"
    "    return min(max(x, -10), 10)\n"
    "q1.check()",
    "#_UNCOMMENT_IF(PROD)_\n#query = ''\n#_RM_IF(PROD)_\nquery = 'SELECT COUNT(*) FROM t'\nq2.check()",
)
STUB = "def clamp(x):\n    pass"


def answers(function: str, query: str) -> bytes:
    return notebook(SETUP, f"{function}\nq1.check()", f"query = {query!r}\nq2.check()")


SUBMISSIONS = {
    "ada": answers("def clamp(x):\n    return max(-10, min(x, 10))", "select count(*) from t"),
    "bob": answers("def clamp(x):\n    return min(x, 10)", "SELECT COUNT(n) FROM t"),
    "cyd": answers("def clamp(x):\n    while True: pass", "SELECT COUNT(*) FROM u"),
    "dee": answers(STUB, ""),
}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    problem = ""
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox ({problem})")
    for variable in ("GRADER_DATA_DIR", "GRADER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    folder = tmp_path / "course" / "clamp"
    folder.mkdir(parents=True)
    (folder / "assignment.yaml").write_text(SPEC)
    (folder / "source.ipynb").write_bytes(notebook(SETUP, *MASTER))
    (tmp_path / "class").mkdir()
    for name, content in SUBMISSIONS.items():
        (tmp_path / "class" / f"{name}.ipynb").write_bytes(content)
    return folder


def test_a_class_is_graded_on_a_function_and_a_query(course: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["grade", str(tmp_path / "class"), "-a", str(course), "--json"])
    assert result.exit_code == 0, result.output
    found = {
        each["submission"]["student"]: each["parts"] for each in map(json.loads, result.stdout.splitlines())
    }
    statuses = {name: [part["status"] for part in parts] for name, parts in found.items()}
    assert statuses == {
        "ada": ["correct", "correct"],
        "bob": ["incorrect", "incorrect"],
        "cyd": ["incorrect", "incorrect"],
        "dee": ["not_attempted", "not_attempted"],
    }
    assert "gives -1" in found["bob"][0]["message"]
    assert "did not come to an end within 5 seconds" in found["cyd"][0]["message"]
    assert "no such table: u" in found["cyd"][1]["message"]
