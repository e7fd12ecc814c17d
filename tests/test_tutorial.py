"""docs/tutorial.md, followed to the letter in an empty folder: every file written, every command run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, need
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import require_sandbox

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = {"python": [sys.executable], "grader": [sys.executable, "-m", "grader"]}


def run(line: str, folder: Path) -> str:
    """A command's output; it must end well."""
    program, *arguments = shlex.split(line)
    # Figures of the machine's size must not decide how a table breaks.
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "GRADER_DATA_DIR": str(folder / ".data"),
        "COLUMNS": "160",
    }
    done = subprocess.run(
        [*PROGRAMS[program], *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def says(output: str, line: str) -> bool:
    """Whether one line of the output is the tutorial's, ``…`` standing for anything."""
    pattern = ".*".join(re.escape(" ".join(piece.split())) for piece in line.split("…"))
    return any(re.search(pattern, " ".join(each.split())) for each in output.splitlines())


def follow(kind: str, file: str, text: str, folder: Path) -> None:
    """Write a file, or run commands and look for what they are said to print."""
    if file:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    elif kind == "console":
        output = ""
        for line in text.splitlines():
            if line.startswith("$ "):
                output = run(line[2:], folder)
            else:
                assert says(output, line), f"{line!r} is not in\n{output}"


@pytest.mark.sandbox
@pytest.mark.slow
def test_whoever_follows_the_tutorial_gets_what_it_says(tmp_path: Path) -> None:
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as problem:
        need(False, str(problem))
    for kind, file, text in BLOCK.findall(TUTORIAL):
        follow(kind, file, text, tmp_path)
    assert (tmp_path / "report" / "students" / "bob.html").exists()
