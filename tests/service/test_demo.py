"""``grader demo`` on a tiny course."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.grader.arithmetic import RIGHT, STARTER, WRONG, write_folder
from tests.service.conftest import need_service

pytestmark = [pytest.mark.service, pytest.mark.slow]


def sample(folder: Path, name: str, notebook: bytes, part1: str) -> None:
    """A sample submission that expects this status of part1."""
    case = folder / "submissions" / name
    case.mkdir(parents=True)
    (case / "submission.ipynb").write_bytes(notebook)
    (case / "expect.yaml").write_text(f"parts:\n  part1: {{status: {part1}}}\n")


def demo(place: Path) -> subprocess.CompletedProcess[str]:
    need_service()
    return subprocess.run(
        [sys.executable, "-m", "grader", "demo", "--course", "course"],
        cwd=place,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GRADER_DATA_DIR": str(place / "data")},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_demo_shows_feedback_and_the_reports_address_and_fails_when_a_verdict_is_not_the_expected(
    tmp_path,
):
    folder = write_folder(tmp_path / "course")
    sample(folder, "right", RIGHT, "correct")
    sample(folder, "wrong", WRONG, "incorrect")
    sample(folder, "starter", STARTER, "not_attempted")
    result = demo(tmp_path)
    assert result.returncode == 0, result.stderr
    assert "3 of 3 submissions got the expected verdicts" in result.stdout
    assert "These are not the first three squares." in result.stdout
    assert "report of tests/arithmetic: http://127.0.0.1:" in result.stdout
    sample(folder, "misjudged", WRONG, "correct")
    again = demo(tmp_path)
    assert again.returncode == 1
    assert "3 of 4 submissions got the expected verdicts" in again.stdout
    assert "expected correct" in again.stdout
