"""``grader grade`` as a command, in the real sandbox."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.grader.arithmetic import LIGHT_SPEC, RIGHT, WRONG, notebook, write_folder
from tests.service.conftest import need_service

pytestmark = pytest.mark.sandbox
# By it a kernel is known from outside.
BALLAST = 200 << 20


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A class graded with ``--json --jobs 2 --out``: two notebooks and a file that is none."""
    need_service()
    place = tmp_path_factory.mktemp("class")
    write_folder(place / "course", LIGHT_SPEC)
    (place / "class").mkdir()
    for name, content in {"ada": RIGHT, "bob": WRONG, "eve": b"{}"}.items():
        (place / "class" / f"{name}.ipynb").write_bytes(content)
    result = grader(
        place, "grade", "class", "-a", "course/arithmetic", "--json", "--jobs", "2", "--out", "out"
    )
    return place, result


def grader(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(place: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GRADER_DATA_DIR": str(place / "data")}


def test_stdout_has_one_feedback_a_line_in_the_order_of_the_notebooks(graded):
    _, result = graded
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["schema"] for one in found] == ["feedback/1"] * 3
    assert [one["submission"]["student"] for one in found] == ["ada", "bob", "eve"]
    assert [one["score"] for one in found] == [3.0, 2.0, 0.0]


def test_what_could_not_be_run_is_rejected_and_makes_exit_1(graded):
    _, result = graded
    assert json.loads(result.stdout.splitlines()[2])["run"]["status"] == "rejected"
    assert result.returncode == 1


def test_the_out_folder_holds_feedback_evidence_and_the_executed_notebook(graded):
    place, result = graded
    assert {path.name for path in (place / "out").glob("ada*")} == {
        "ada.feedback.json",
        "ada.evidence",
        "ada.executed.ipynb",
    }
    assert (place / "out" / "ada.feedback.json").read_text() == result.stdout.splitlines()[0]


def test_stored_evidence_is_judged_again_without_a_run(graded):
    place, result = graded
    again = grader(
        place, "judge", "out/ada.evidence", "out/bob.evidence", "-a", "course/arithmetic", "--json"
    )
    assert (again.returncode, again.stdout.splitlines()) == (0, result.stdout.splitlines()[:2])


def test_an_interrupt_ends_the_run_at_once(graded):
    place, _ = graded
    asleep = f"ballast = b'x' * {BALLAST}\nimport time; time.sleep(200)"
    (place / "sleeper.ipynb").write_bytes(notebook(asleep))
    patient = LIGHT_SPEC.replace("seconds: 60, cell_seconds: 20", "seconds: 300, cell_seconds: 300")
    course = write_folder(place / "patient", patient)
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-m", "grader", "grade", "sleeper.ipynb", "-a", str(course)],
        cwd=place,
        env=environment(place),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_the_kernel(process.pid)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)  # and not after the cell's 200 seconds
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # every thread says where it is
        _, said = process.communicate()
    assert process.returncode == 130, said


def wait_for_the_kernel(pid: int) -> None:
    """Until the notebook has taken its memory."""
    deadline = time.monotonic() + 60
    while not any(rss(one) > BALLAST for one in psutil.Process(pid).children(recursive=True)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def test_without_json_people_read_a_table_with_the_messages(graded):
    place, _ = graded
    result = grader(place, "grade", "class/bob.ipynb", "-a", "course/arithmetic")
    assert result.returncode == 0
    assert "bob: 2 of 3 points" in result.stdout
    assert "These are not the first three squares." in result.stdout
    assert "\x1b[" not in result.stdout


def test_a_canvas_download_becomes_a_canvas_gradebook(tmp_path):
    need_service()
    write_folder(tmp_path / "course", LIGHT_SPEC)
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.writestr("lovelaceada_LATE_1815_90_work.ipynb", RIGHT)
        archive.writestr("hoppergrace_1906_91_work.ipynb", WRONG)
        archive.writestr("turingalan_1912_92_answers.pdf", b"%PDF")
    gradebook = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Sums (7)\n"
        "    Points Possible,,,,,3\n"
        '"Lovelace, Ada",1815,,ada,A,\n"Hopper, Grace",1906,,grace,A,\n"Turing, Alan",1912,,alan,A,\n'
    )
    (tmp_path / "gradebook.csv").write_text(gradebook)
    graded = grader(tmp_path, "grade", "submissions.zip", "-a", "course/arithmetic", "--out", "out")
    assert graded.returncode == 0
    assert "no notebook from turingalan_1912, only answers.pdf" in graded.stderr
    assert "1 late: lovelaceada_1815" in graded.stderr
    exported = grader(tmp_path, "export", "out", "--format", "canvas", "--template", "gradebook.csv")
    assert exported.stdout == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Sums (7)\n"
        "    Points Possible,,,,,3\n"
        '"Lovelace, Ada",1815,,ada,A,3\n"Hopper, Grace",1906,,grace,A,2\n"Turing, Alan",1912,,alan,A,\n'
    )
