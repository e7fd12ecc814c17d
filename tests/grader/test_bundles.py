from __future__ import annotations

import json

import pytest

from checks import bundle
from checks.assignment import Assignment
from checks.errors import SpecError
from grader.bundles import read_bundle
from tests.grader.arithmetic import notebook, write_folder


def test_a_folder_becomes_a_bundle_that_survives_its_archive(tmp_path):
    files = read_bundle(write_folder(tmp_path))
    assert sorted(files) == ["assignment.yaml", "inputs/data/numbers.csv", "reference.ipynb", "starter.ipynb"]
    assert bundle.unpack(bundle.pack(files)) == files
    assert Assignment.from_files(files).needs_reference


def test_reading_twice_gives_the_same_version(tmp_path):
    folder = write_folder(tmp_path)
    assert bundle.digest(read_bundle(folder)) == bundle.digest(read_bundle(folder))


def refusal(folder) -> str:
    with pytest.raises(SpecError) as refused:
        read_bundle(folder)
    return str(refused.value)


@pytest.mark.parametrize("name", ["assignment.yaml", "source.ipynb"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write_folder(tmp_path)
    (folder / name).unlink()
    assert name in refusal(folder)


def test_a_missing_input_is_named_with_its_place_in_the_spec(tmp_path):
    folder = write_folder(tmp_path)
    (tmp_path / "data" / "numbers.csv").unlink()
    assert refusal(folder).startswith("assignment.yaml:5:")


@pytest.mark.parametrize("source", ["../../secret", "/etc/passwd", "../data/../../secret", ".."])
def test_an_input_from_outside_of_the_course_is_refused(tmp_path, source):
    (tmp_path / "secret").write_text("x")
    folder = write_folder(tmp_path / "course")
    spec = folder / "assignment.yaml"
    spec.write_text(spec.read_text().replace("../data/numbers.csv", source))
    refusal(folder)


def test_a_link_out_of_the_course_is_refused_and_one_inside_is_followed(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = write_folder(tmp_path / "course")
    data = tmp_path / "course" / "data"
    (data / "numbers.csv").rename(data / "kept.csv")
    (data / "numbers.csv").symlink_to("kept.csv")
    assert read_bundle(folder)["inputs/data/numbers.csv"]
    (data / "numbers.csv").unlink()
    (data / "numbers.csv").symlink_to(tmp_path / "secret")
    assert "out of the course" in refusal(folder)


def test_a_source_that_is_no_notebook_is_the_authors_mistake(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "source.ipynb").write_text(json.dumps({"cells": []}))
    assert "source.ipynb" in refusal(folder)


def test_the_mistakes_of_all_files_are_named_at_once(tmp_path):
    folder = write_folder(tmp_path)
    (tmp_path / "data" / "numbers.csv").unlink()
    (folder / "source.ipynb").write_bytes(notebook("#_REMOVE_\nx"))
    spec = folder / "assignment.yaml"
    spec.write_text(
        spec.read_text().replace("points: 2", "points: many").replace(": tensorflow", ": tensorflwo")
    )
    found = refusal(folder)
    for said in ("numbers.csv", "source.ipynb: cell 1", "points", "no environment 'tensorflwo'"):
        assert said in found
    assert len(found.splitlines()) == 4, found
