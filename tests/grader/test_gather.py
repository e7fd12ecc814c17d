from __future__ import annotations

import re
import zipfile

import pytest

from grader.gather import GatherError, gather

MAX = 1 << 20
TOO_LARGE = "the notebook is larger than 1 MiB, the largest accepted here"


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def students(*paths):
    return [(one.student, one.content.decode()) for one in gather(paths, max_bytes=MAX)]


def test_a_files_stem_names_the_student(tmp_path):
    make(tmp_path, "ada.ipynb")
    assert students(tmp_path / "ada.ipynb") == [("ada", "ada.ipynb")]


def test_a_folder_gives_its_notebooks_without_checkpoints(tmp_path):
    make(tmp_path, "bob.ipynb", "ada.ipynb", "notes.txt", ".ipynb_checkpoints/ada-checkpoint.ipynb")
    assert [student for student, _ in students(tmp_path)] == ["ada", "bob"]


def test_folders_of_their_own_name_the_students(tmp_path):
    make(tmp_path, "ada/submission.ipynb", "bob/submission.ipynb")
    assert [student for student, _ in students(tmp_path)] == ["ada", "bob"]


def test_equal_names_are_told_apart_by_their_paths(tmp_path):
    make(tmp_path, "x/one/ada.ipynb", "y/one/ada.ipynb", "y/two/ada.ipynb", "bob.ipynb")
    found = students(tmp_path / "x", tmp_path / "y", tmp_path / "bob.ipynb")
    assert [student for student, _ in found] == [
        f"{tmp_path}/x/one/ada",
        f"{tmp_path}/y/one/ada",
        "two",
        "bob",
    ]


def test_an_archive_is_read_like_a_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in ("bob/x.ipynb", "ada/x.ipynb", "__MACOSX/ada/._x.ipynb", "readme.md"):
            archive.writestr(name, name)
    assert students(tmp_path / "class.zip") == [("ada", "ada/x.ipynb"), ("bob", "bob/x.ipynb")]


@pytest.mark.parametrize(
    ("make_path", "says"),
    [
        (lambda folder: folder / "none.ipynb", "no such"),
        (lambda folder: folder / "none.zip", "No such file"),
        (lambda folder: make(folder, "x/notes.txt") / "x", "no notebooks"),
        (lambda folder: make(folder, "bad.zip") / "bad.zip", "not a zip"),
    ],
)
def test_a_path_that_gives_nothing_is_an_error(tmp_path, make_path, says):
    with pytest.raises(GatherError, match=says):
        students(make_path(tmp_path))


def test_what_is_too_large_is_refused_and_the_others_are_not(tmp_path):
    (tmp_path / "ada.ipynb").write_bytes(b"fine")
    (tmp_path / "big.ipynb").write_bytes(b" " * (MAX + 9))
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.ipynb", b" " * (MAX + 9))
        archive.writestr("cy.ipynb", b"fine")
    found = {one.student: one for one in gather([tmp_path, tmp_path / "class.zip"], max_bytes=MAX)}
    assert {name: one.refusal for name, one in found.items()} == {
        "ada": "", "cy": "", "big": TOO_LARGE, "bomb": TOO_LARGE,
    }  # fmt: skip
    assert {len(one.content) for one in found.values()} == {4, MAX + 1}


@pytest.mark.parametrize("name", ["ada.ipynb", "zoë.ipynb"])
def test_a_damaged_member_is_named(tmp_path, name):
    stored = b"x" * len(name.encode())
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(stored.decode(), bytes(range(256)) * 50)
    raw = bytearray((tmp_path / "class.zip").read_bytes().replace(stored, name.encode()))
    raw[45:60] = b"\xff" * 15
    (tmp_path / "class.zip").write_bytes(raw)
    with pytest.raises(GatherError, match=rf"class\.zip: {re.escape(name)} cannot be unpacked"):
        gather([tmp_path / "class.zip"], max_bytes=MAX)
