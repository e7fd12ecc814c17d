"""Grading without a server, around the run: the sandbox itself is a stand-in here."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from checks.evidence import Evidence, Run
from grader import cli, local
from grader.local import LocalGrader
from tests.grader.arithmetic import RIGHT, notebook, write_folder
from worker.attempt import Attempt


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course; runs of notebooks that hold the word BUG fail as only a bug of ours could."""

    def run(raw, assignment, files, server, *, reference=False, progress=None) -> Attempt:
        if b"BUG" in raw:
            raise KeyError("ours")
        done = Run(status="completed", seconds=0.0, environment="tensorflow@sha256:0", memory_limit="cgroup")
        return Attempt(Evidence(notebook="sha256:0", assignment=assignment.version, run=done), b"executed")

    monkeypatch.setattr(local, "run_attempt", run)
    monkeypatch.setattr(LocalGrader, "__enter__", lambda self: self)
    return write_folder(tmp_path / "course")


def test_one_notebook_that_cannot_be_graded_does_not_stop_the_class(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_MAX_NOTEBOOK_MIB", "0.01")
    contents = {
        "ada": RIGHT,
        "bug": notebook("BUG"),
        "large": RIGHT + b" " * 20_000,
        "none": b"{}",
        "zoe": RIGHT,
    }
    (tmp_path / "class").mkdir()
    for name, content in contents.items():
        (tmp_path / "class" / f"{name}.ipynb").write_bytes(content)
    result = CliRunner().invoke(
        cli.app, ["grade", str(tmp_path / "class"), "-a", str(folder), "--json", "--jobs", "2"]
    )
    found = {one["submission"]["student"]: one for one in map(json.loads, result.stdout.splitlines())}
    assert {name: one["run"]["status"] for name, one in found.items()} == {
        "ada": "completed",
        "bug": "system_error",
        "large": "rejected",
        "none": "rejected",
        "zoe": "completed",
    }
    assert {part["status"] for part in found["bug"]["parts"]} == {"unjudged"}
    assert "larger than 0.01 MiB" in found["large"]["parts"][0]["message"]
    assert "KeyError: 'ours'" in result.stderr
    assert result.exit_code == 1


def test_people_read_that_it_is_not_yet_judged(folder, tmp_path):
    (tmp_path / "bug.ipynb").write_bytes(notebook("BUG"))
    result = CliRunner().invoke(cli.app, ["grade", str(tmp_path / "bug.ipynb"), "-a", str(folder)])
    assert "bug: not yet judged, system_error" in result.stdout
    assert "0/" not in result.stdout
