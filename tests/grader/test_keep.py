from __future__ import annotations

import pytest

from checks.assignment import Assignment
from checks.feedback import SubmissionInfo, system_error_feedback
from grader.gather import Found
from grader.keep import OutError, OutFolder, plain_names
from grader.local import Graded
from tests.grader.arithmetic import BUNDLE

FEEDBACK = system_error_feedback(Assignment.from_files(BUNDLE), SubmissionInfo("s", "ada", "n"), "a test")


@pytest.mark.parametrize(
    ("students", "names"),
    [
        (["ada", "bob"], ["ada", "bob"]),
        (["a/b", "a_b", "a b"], ["a_b", "a_b-2", "a_b-3"]),
        (["a", "a-2", "A"], ["a", "a-2", "A-3"]),
        ([".", "..", "", "/"], ["notebook", "notebook-2", "notebook-3", "notebook-4"]),
        (["../../etc/passwd", "/tmp/x\n"], ["etc_passwd", "tmp_x_"]),
        (["Zoë", "李"], ["Zoë", "李"]),
        (["é" * 300], ["é" * 50]),
    ],
)
def test_every_student_gets_a_harmless_name_of_their_own(students, names):
    assert plain_names(students) == names


def found(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"input")
    return [Found((folder / name).stem, str(folder / name), b"input") for name in names]


def test_what_is_kept_lies_beside_the_inputs_without_touching_them(tmp_path):
    out = OutFolder(tmp_path, found(tmp_path, "ada.ipynb", "..ipynb"))
    for student in ("ada", "."):
        out.keep(student, Graded(FEEDBACK, executed=b"executed"))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.ipynb")} == {
        "ada.ipynb": b"input",
        "ada.executed.ipynb": b"executed",
        "notebook.executed.ipynb": b"executed",
    } | {"..ipynb": b"input"}
    assert (tmp_path / "notebook.feedback.json").read_bytes() == FEEDBACK.to_json()


def test_an_input_that_would_be_overwritten_is_named_before_anything_runs(tmp_path):
    with pytest.raises(OutError, match=r"ada\.executed\.ipynb is graded and would be overwritten"):
        OutFolder(tmp_path, found(tmp_path, "ada.ipynb", "ada.executed.ipynb"))


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutError, match="exists"):
        OutFolder(tmp_path / "out", [])
