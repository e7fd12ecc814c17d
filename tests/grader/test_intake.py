"""Downloads of learning systems: names inside an archive tell whose work it is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from grader.gather import gather
from grader.handback import Handback, returned
from grader.intake import recognised, systems
from tests.grader.test_folder_report import feedback

NAMES = [
    ("Canvas", "lovelaceada_1815_90210_ex3.ipynb", "lovelaceada_1815", "ex3.ipynb", False),
    ("Canvas", "lovelaceada_LATE_1815_90210_ex3.ipynb", "lovelaceada_1815", "ex3.ipynb", True),
    (
        "Canvas",
        "lovelaceada_1815_90210_my_ex_3_final-1.ipynb",
        "lovelaceada_1815",
        "my_ex_3_final-1.ipynb",
        False,
    ),
    ("Canvas", "ølgårdjürgen_7_8_lösung 2.ipynb", "ølgårdjürgen_7", "lösung 2.ipynb", False),
    ("Canvas", "anon_x1Y2z_90210_ex3.ipynb", "anon_x1Y2z", "ex3.ipynb", False),
    ("Canvas", "LATE_anon_x1Y2z_90210_ex3.ipynb", "anon_x1Y2z", "ex3.ipynb", True),
    ("Canvas", "anon_x1Y2z_text.html", "anon_x1Y2z", "text.html", False),
    ("Canvas", "LATE_anon_x1Y2z_link.html", "anon_x1Y2z", "link.html", True),
    ("Canvas", "mu\u0308ller_LATE_7_8_a.ipynb", "mu\u0308ller_7", "a.ipynb", True),
    ("Canvas", "i\u0307pekünal_7_8_a.ipynb", "i\u0307pekünal_7", "a.ipynb", False),
    ("Canvas", "राहुलकुमार_24_8_a.ipynb", "राहुलकुमार_24", "a.ipynb", False),
    ("Canvas", "ใจดี_24_text.html", "ใจดี_24", "text.html", False),
    ("Moodle", "Ada Lovelace_42_assignsubmission_file/ex3.ipynb", "Ada Lovelace_42", "ex3.ipynb", False),
    ("Moodle", "Default group_assignsubmission_file/ex3.ipynb", "Default group", "ex3.ipynb", False),
    ("Moodle", "Group 1_7_assignsubmission_file/ex3.ipynb", "Group 1_7", "ex3.ipynb", False),
    ("Moodle", "Ada Lovelace_42_assignsubmission_file_/ex3.ipynb", "Ada Lovelace_42", "ex3.ipynb", False),
    (
        "Moodle",
        "Ada Lovelace_42_assignsubmission_file/work/ex3.ipynb",
        "Ada Lovelace_42",
        "work/ex3.ipynb",
        False,
    ),
    ("Moodle", "Ada Lovelace_42_assignsubmission_file_ex_3.ipynb", "Ada Lovelace_42", "ex_3.ipynb", False),
    ("Moodle", "Participant_42_assignsubmission_file/ex3.ipynb", "Participant_42", "ex3.ipynb", False),
    ("Blackboard", "Ex 3_ada_attempt_2026-11-02-10-20-30_work.ipynb", "ada", "work.ipynb", False),
    ("Blackboard", "Ex 3_ada_attempt_2026-11-02-10-20-30.ipynb", "ada", "Ex 3.ipynb", False),
    (
        "Blackboard",
        "Inleveren_ada@uni.example_poging_2026-11-02-10-20-30_work.ipynb",
        "ada@uni.example",
        "work.ipynb",
        False,
    ),
    (
        "Blackboard",
        "TP 1_kim_tentative de remise_2026-11-02-10-20-30_work.ipynb",
        "kim",
        "work.ipynb",
        False,
    ),
    (
        "Blackboard",
        "my_hw_bob_attempt_2024-01-01-10-10-10_x_alice_attempt_2024-01-01-10-10-10.ipynb",
        "bob",
        "x_alice_attempt_2024-01-01-10-10-10.ipynb",
        False,
    ),
    (
        "Blackboard",
        "hw_bob_attempt_2024-01-01-10-10-10_sales_by_region_2023-05-05-10-10-10_x.ipynb",
        "bob",
        "sales_by_region_2023-05-05-10-10-10_x.ipynb",
        False,
    ),
    (
        "Blackboard",
        "hw_bob_attempt_2024-01-01-10-10-10_sales_by_2023-05-05-10-10-10.ipynb",
        "bob",
        "sales_by_2023-05-05-10-10-10.ipynb",
        False,
    ),
    ("Blackboard", "hw_bob_attempt_2024-01-01-10-10-10_a\nb.ipynb", "bob", "a\nb.ipynb", False),
    ("Moodle", "Ada Lovelace_42_assignsubmission_file_ex\n3.ipynb", "Ada Lovelace_42", "ex\n3.ipynb", False),
    ("nbgrader", "submitted/ada/ex3/solution.ipynb", "ada", "solution.ipynb", False),
    (
        "nbgrader",
        "inbound/ada+ex3+2026-11-02 10:20:30.123456 UTC+x9f/solution.ipynb",
        "ada",
        "solution.ipynb",
        False,
    ),
]


@pytest.mark.parametrize(("system", "name", "student", "file", "late"), NAMES)
def test_a_name_tells_the_system_the_student_and_the_file(
    system: str, name: str, student: str, file: str, late: bool
) -> None:
    path = PurePosixPath(name)
    found = recognised([path])
    assert found is not None
    assert found.name == system
    sender = found.sender(path)
    assert sender is not None
    assert (sender.student, sender.file, sender.late) == (student, file, late)


@pytest.mark.parametrize(
    "name",
    ["ada.ipynb", "ada/ex3.ipynb", "ex_3.ipynb", "2026_11_02.ipynb", "submitted/ada.ipynb", "_1_2_a.ipynb"],
)
def test_names_of_somebodys_own_belong_to_no_system(name: str) -> None:
    assert recognised([PurePosixPath(name)]) is None


@pytest.mark.parametrize("letter", ["я", "λ", "字", "क", "é", "a", "1", "_", "а_", "1_", "字_1_", "a b "])
def test_a_long_name_in_any_script_is_read(letter: str) -> None:
    # Patterns that try alternatives in every combination would not end in anybody's lifetime.
    path = PurePosixPath(letter * 200 + "!")
    assert [system.name for system in systems() if system.sender(path)] in ([], ["Canvas"])


def test_nobody_is_named_behind_a_mark_of_blackboards_that_does_not_fit() -> None:
    moment = "2024-01-01-10-10-10"
    name = f"hw_bob_attempt_{moment}x_alice_attempt_{moment}.ipynb"
    assert recognised([PurePosixPath(name)]) is None


def test_every_system_is_one_module() -> None:
    assert {system.name for system in systems()} == {"Canvas", "Moodle", "Blackboard", "nbgrader"}


def packed(folder: Path, *names: str) -> Path:
    path = folder / "submissions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def test_a_canvas_download_is_graded_by_student_and_tells_what_it_could_not_match(tmp_path: Path) -> None:
    path = packed(
        tmp_path,
        "lovelaceada_1815_1_ex3.ipynb",
        "hoppergrace_LATE_1906_2_ex3.ipynb",
        "turingalan_1912_3_answers.pdf",
        "curiemarie_1867_text.html",
        "odd.ipynb",
        "readme.txt",
    )
    remarks: list[str] = []
    found = gather([path], max_bytes=1 << 20, remark=remarks.append)
    assert [(one.student, one.late) for one in found] == [
        ("hoppergrace_1906", True),
        ("lovelaceada_1815", False),
        ("odd", False),
    ]
    assert remarks == [
        f"{path}: a download from Canvas",
        f"{path}/odd.ipynb: not matched to a student by Canvas's rule; graded as odd",
        f"{path}: no notebook from curiemarie_1867, only text.html",
        f"{path}: no notebook from turingalan_1912, only answers.pdf",
        f"{path}/readme.txt: not matched to a student, not a notebook; left alone",
        f"{path}: 1 late: hoppergrace_1906",
    ]


def unflagged(name: bytes) -> bytes:
    """An archive whose one member's name does not say how it is encoded, as rubyzip writes it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("x" * len(name), "{}")
    return target.getvalue().replace(b"x" * len(name), name)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("müllerjürgen_7_8_lösung.ipynb".encode(), "müllerjürgen_7"),
        ("müller_7_8_a.ipynb".encode("cp437"), "müller_7"),
    ],
    ids=["utf-8", "code page 437"],
)
def test_names_that_do_not_say_their_encoding_are_read(tmp_path: Path, name: bytes, student: str) -> None:
    path = tmp_path / "submissions.zip"
    path.write_bytes(unflagged(name))
    assert [one.student for one in gather([path], max_bytes=1 << 20)] == [student]
    given = Handback(student, feedback(student, "correct", "Right."), b"{}")
    assert "no notebook of this name" not in returned(path.read_bytes(), [given]).remarks[0]


def test_several_notebooks_of_one_sender_keep_their_names(tmp_path: Path) -> None:
    path = packed(
        tmp_path,
        "Ada Lovelace_42_assignsubmission_file/part a.ipynb",
        "Ada Lovelace_42_assignsubmission_file/part b.ipynb",
        "Grace Hopper_43_assignsubmission_file/ex.ipynb",
    )
    assert [one.student for one in gather([path], max_bytes=1 << 20)] == [
        "Ada Lovelace_42/part a",
        "Ada Lovelace_42/part b",
        "Grace Hopper_43",
    ]


@pytest.mark.parametrize(
    "names",
    [
        (
            "Ada Lovelace_42_assignsubmission_file/a/ex.ipynb",
            "Ada Lovelace_42_assignsubmission_file/12/ex.ipynb",
        ),
        ("a/hoppergrace_1906_2_hw.ipynb", "12/hoppergrace_1906_2_hw.ipynb"),
        ("x/a/hoppergrace_1906_2_hw.ipynb", "y/a/hoppergrace_1906_2_hw.ipynb"),
    ],
    ids=["in one folder", "in two", "in two of one name"],
)
def test_equal_notebooks_of_one_sender_stay_the_senders(tmp_path: Path, names: tuple[str, str]) -> None:
    found = {one.student for one in gather([packed(tmp_path, *names)], max_bytes=1 << 20)}
    sender = "Ada Lovelace_42" if "Ada" in names[0] else "hoppergrace_1906"
    assert len(found) == 2
    assert all(student.startswith(f"{sender}/") for student in found)


def test_two_downloads_of_one_class_keep_the_senders(tmp_path: Path) -> None:
    paths = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        paths.append(packed(tmp_path / folder, "hoppergrace_1906_2_hw.ipynb", "lovelaceada_1815_3_hw.ipynb"))
    found = [one.student.partition("/")[0] for one in gather(paths, max_bytes=1 << 20)]
    assert found == ["hoppergrace_1906", "lovelaceada_1815"] * 2


def test_an_unpacked_download_is_recognised_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "Ada Lovelace_42_assignsubmission_file"
    folder.mkdir()
    (folder / "ex3.ipynb").write_bytes(b"{}")
    assert [one.student for one in gather([tmp_path], max_bytes=1 << 20)] == ["Ada Lovelace_42"]
