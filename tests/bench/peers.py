"""The same notebooks through other tools, each in its own usual way, from the command line.

They get the students' packages through a path file, and an environment of their own for themselves.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat

from tests.bench.notebooks import LIGHT, NETWORK, notebook
from tests.bench.timing import REFILL_SECONDS, Clock, Row
from tests.conftest import ROOT
from tests.worker.runs import TinyAssignment
from worker.attempt import run_attempt
from worker.environment import environments_root
from worker.warm import WarmServer

PACKAGES = ("nbgrader", "otter-grader", "nbconvert", "nbclient")
TARGETS = {"light": ">= 8x", "network": ">= 20x"}


def install() -> Path:
    """The peers' environment; made at the first call."""
    folder = environments_root() / "peers"
    python = folder / "bin" / "python"
    if not (folder / ".stamp").exists():
        students = environments_root() / "tensorflow"
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        site = subprocess.run(
            [str(python), "-c", "import site; print(site.getsitepackages()[0])"],
            check=True,
            capture_output=True,
            text=True,
        )
        theirs = next(students.glob("lib/python*/site-packages"))
        (Path(site.stdout.strip()) / "students.pth").write_text(f"{theirs}\n")
        pins = ROOT / "worker" / "environments" / "tensorflow.txt"
        subprocess.run([str(python), "-m", "pip", "install", "-qq", "-c", str(pins), *PACKAGES], check=True)
        (folder / ".stamp").write_text("peers\n")
    return folder


def rows(server: WarmServer, scratch: Path, clock: Clock) -> Iterator[Row]:
    """Each notebook through each tool; ours one at a time, as theirs are."""
    peers = install()
    for name, cells in (("light", LIGHT), ("network", NETWORK)):
        raw = notebook(cells)
        ours = clock.repeat(
            9, lambda raw=raw: run_attempt(raw, TinyAssignment(), {}, server), pause=REFILL_SECONDS
        )
        for tool, prepare in (
            ("jupyter execute", _execute),
            ("nbgrader autograde", _nbgrader),
            ("otter run", _otter),
        ):
            folder = scratch / f"{name}-{tool.replace(' ', '-')}"
            folder.mkdir()
            theirs = clock.repeat(3, prepare(peers, folder, raw))
            yield Row(
                f"{name} notebook against {tool}",
                str(ours),
                str(theirs),
                f"{theirs.median / ours.median:.0f}x",
                TARGETS[name],
            )


def _run(peers: Path, folder: Path, *command: str) -> None:
    environment = {
        **os.environ,
        "PATH": f"{peers / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")


def _execute(peers: Path, folder: Path, raw: bytes) -> Callable[[], None]:
    (folder / "timed.ipynb").write_bytes(raw)
    return lambda: _run(peers, folder, str(peers / "bin" / "jupyter-execute"), "timed.ipynb")


def _nbgrader(peers: Path, folder: Path, raw: bytes) -> Callable[[], None]:
    made = nbformat.reads(raw.decode(), as_version=4)
    test = nbformat.v4.new_code_cell("assert answer is not None")
    test.metadata["nbgrader"] = {
        "grade": True,
        "grade_id": "test",
        "locked": True,
        "points": 1,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }
    made.cells.append(test)
    for place in ("source/timed", "submitted/student/timed"):
        (folder / place).mkdir(parents=True)
        nbformat.write(made, folder / place / "timed.ipynb")
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(folder)!r}\n"
    )
    program = str(peers / "bin" / "nbgrader")
    _run(peers, folder, program, "generate_assignment", "timed", "--create")
    return lambda: _run(peers, folder, program, "autograde", "timed", "--force")


def _otter(peers: Path, folder: Path, raw: bytes) -> Callable[[], None]:
    (folder / "timed.ipynb").write_bytes(raw)
    tests = folder / "tests"
    tests.mkdir()
    case = {"code": ">>> answer is not None\nTrue", "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    (tests / "q1.py").write_text(
        "OK_FORMAT = True\ntest = " + repr({"name": "q1", "points": 1, "suites": [suite]})
    )
    (folder / "otter_config.json").write_text(json.dumps({"zips": False, "pdf": False}))
    with_tests = shutil.make_archive(str(folder / "autograder"), "zip", folder, "tests")
    del with_tests
    program = str(peers / "bin" / "otter")
    return lambda: _run(peers, folder, program, "run", "-a", "autograder.zip", "timed.ipynb")
