"""``grader demo`` on a tiny course."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grader import cli, up
from tests.conftest import ROOT
from tests.grader.arithmetic import LIGHT_SPEC, RIGHT, STARTER, WRONG, write_folder
from tests.service.conftest import Lms, need_service

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The assignment's folder, with three samples."""
    made = write_folder(tmp_path / "course", LIGHT_SPEC)
    sample(made, "right", RIGHT, "correct")
    sample(made, "wrong", WRONG, "incorrect")
    sample(made, "starter", STARTER, "not_attempted")
    return made


def sample(folder: Path, name: str, notebook: bytes, part1: str) -> None:
    """A sample submission that expects this status of part1."""
    case = folder / "submissions" / name
    case.mkdir(parents=True)
    (case / "submission.ipynb").write_bytes(notebook)
    (case / "expect.yaml").write_text(f"parts:\n  part1: {{status: {part1}}}\n")


def test_the_demo_starts_the_service_shows_feedback_and_the_reports_address(tmp_path: Path, folder: Path):
    need_service()
    result = subprocess.run(
        [sys.executable, "-m", "grader", "demo", "--course", str(folder.parent)],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "GRADER_DATA_DIR": str(tmp_path / "data"),
            "GRADER_SERVES": '["python"]',
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "3 of 3 submissions got the expected verdicts" in result.stdout
    assert "These are not the first three squares." in result.stdout
    assert "report of tests/arithmetic: http://127.0.0.1:" in result.stdout


def test_the_demo_fails_where_a_verdict_is_not_the_expected(lms: Lms, folder: Path, monkeypatch):
    monkeypatch.setattr(up, "service", lambda *_: nullcontext(lms.running))
    sample(folder, "misjudged", WRONG, "correct")
    result = CliRunner().invoke(cli.app, ["demo", "--course", str(folder.parent)])
    assert result.exit_code == 1, result.output
    assert "3 of 4 submissions got the expected verdicts" in result.stdout
    assert "expected correct" in result.stdout
