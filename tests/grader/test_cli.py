"""The command line without a sandbox: its parsing, its exit codes, where its output goes."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from checks.feedback import AssignmentInfo, Feedback, PartFeedback, RunInfo, SubmissionInfo
from grader import cli
from tests.grader.arithmetic import RIGHT, SPEC, write_folder

run = CliRunner()


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "course")


def test_an_assignment_is_checked(folder):
    result = run.invoke(cli.app, ["assignment", "check", str(folder)])
    assert result.exit_code == 0
    assert result.stdout.startswith("tests/arithmetic: 2 parts, 3 points, version sha256:")


def test_an_authors_mistake_is_exit_2_with_its_place_on_stderr(folder):
    (folder / "assignment.yaml").write_text("id: x\ntitel: y\n")
    result = run.invoke(cli.app, ["assignment", "check", str(folder)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "assignment.yaml:2:" in result.stderr


def test_publishing_puts_a_version_in_force(folder):
    first = run.invoke(cli.app, ["assignment", "publish", str(folder)])
    again = run.invoke(cli.app, ["assignment", "publish", str(folder)])
    assert (first.exit_code, first.stdout) == (0, again.stdout)


def test_the_starter_is_written(folder, tmp_path):
    assert (
        run.invoke(cli.app, ["assignment", "starter", str(folder), str(tmp_path / "s.ipynb")]).exit_code == 0
    )
    assert json.loads((tmp_path / "s.ipynb").read_bytes())["nbformat"] == 4


def test_settings_are_shown_with_secrets_masked(monkeypatch):
    monkeypatch.setenv("GRADER_SECRET_KEY", "hush")
    shown = run.invoke(cli.app, ["config", "show", "--json"])
    assert json.loads(shown.stdout)["secret_key"] == "********"
    assert "hush" not in run.invoke(cli.app, ["config", "show"]).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade"], "Missing"),
        (["grade", "none.ipynb", "--assignment", "FOLDER"], "no such file"),
        (["grade", "NOTEBOOK", "--assignment", "none"], "assignment.yaml"),
        (["grade", "NOTEBOOK", "--assignment", "FOLDER", "--jobs", "0"], "jobs"),
        (["judge", "NOTEBOOK", "--assignment", "FOLDER"], "not evidence"),
        (["judge", "none", "--assignment", "FOLDER"], "No such file"),
        (["grade", "none.zip", "--assignment", "FOLDER"], "none.zip: No such file"),
        (["grade", "NOTEBOOK", "--assignment", "FOLDER", "--out", "NOTEBOOK"], "File exists"),
        (["assignment", "pack", "FOLDER", "none/x.tar"], "none/x.tar: No such file"),
        (["assignment", "starter", "FOLDER", "none/x.ipynb"], "none/x.ipynb: No such file"),
        (["up", "--port", "99999"], "port"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_wrong_command_line_is_exit_2(folder, tmp_path, arguments, says):
    (tmp_path / "a.ipynb").write_bytes(RIGHT)
    places = {"FOLDER": str(folder), "NOTEBOOK": str(tmp_path / "a.ipynb")}
    result = run.invoke(cli.app, [places.get(argument, argument) for argument in arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_wrong_setting_is_exit_2(monkeypatch):
    monkeypatch.setenv("GRADER_PORT", "many")
    result = run.invoke(cli.app, ["config", "show"])
    assert result.exit_code == 2
    assert "port" in result.stderr


def test_a_data_directory_that_cannot_be_one_is_exit_3(folder, monkeypatch, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "taken"))
    result = run.invoke(cli.app, ["assignment", "publish", str(folder)])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "taken" in result.stderr


def test_doctor_says_what_is_missing_and_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_ENVIRONMENTS", str(tmp_path / "none"))
    result = run.invoke(cli.app, ["doctor"])
    assert result.exit_code == 3
    assert "MISSING  environment tensorflow: " in result.stdout
    assert "script/bootstrap" in result.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "there is no file"), (b"port = ", "not TOML"), (b"\xff", "not TOML"), (b"prot = 1", "prot")],
)
def test_a_configuration_file_that_cannot_be_read_is_exit_2(monkeypatch, tmp_path, content, says):
    path = tmp_path / "named.toml"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("GRADER_CONFIG", str(path))
    result = run.invoke(cli.app, ["config", "show"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "environment: tensorflwo",
            "assignment.yaml:3:14: environment: there is no environment 'tensorflwo'",
        ),
        (
            "environment: tensorflow\ncompat: [gensim3, keras1]",
            "assignment.yaml:4:19: compat.1: there is no compatibility shim 'keras1'",
        ),
    ],
)
def test_an_environment_or_shim_that_is_not_there_is_exit_2_with_its_line(folder, line, says):
    spec = folder / "assignment.yaml"
    spec.write_text(spec.read_text().replace("environment: tensorflow", line))
    for command in (["assignment", "check"], ["assignment", "publish"]):
        result = run.invoke(cli.app, [*command, str(folder)])
        assert result.exit_code == 2
        assert says in result.stderr


def test_an_interrupted_demo_is_exit_130(monkeypatch):
    @contextmanager
    def interrupted(*_args):
        os.kill(os.getpid(), signal.SIGINT)
        yield

    monkeypatch.setattr("grader.demo.up.service", interrupted)
    result = run.invoke(cli.app, ["demo"])
    assert (result.exit_code, result.stdout) == (130, "")
    assert "interrupted" in result.stderr


def test_exporting_what_is_neither_folder_nor_assignment_is_exit_2():
    result = run.invoke(cli.app, ["export", "nowhere/nothing"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere/nothing" in result.stderr


def test_exporting_a_folder_without_feedback_is_exit_2(tmp_path):
    result = run.invoke(cli.app, ["export", str(tmp_path)])
    assert result.exit_code == 2
    assert "no feedback" in result.stderr


def test_regrading_what_is_not_published_is_exit_2():
    result = run.invoke(cli.app, ["regrade", "tests/nothing"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "tests/nothing" in result.stderr


def test_undoing_an_unknown_regrade_is_exit_2():
    result = run.invoke(cli.app, ["regrade", "tests/nothing", "--undo", "r1"])
    assert result.exit_code == 2
    assert "none with this id: r1" in result.stderr


def test_every_mistake_and_every_warning_of_an_assignment_is_told(folder):
    spec = (folder / "assignment.yaml").read_text()
    (folder / "assignment.yaml").write_text(spec.replace("title: ", "title: yes #", 1))
    result = run.invoke(cli.app, ["assignment", "check", str(folder)])
    assert (result.exit_code, "yes is a text here" in result.stderr) == (0, True)
    (folder / "assignment.yaml").write_text("points: 9\nlimit: 3\n" + spec)
    result = run.invoke(cli.app, ["assignment", "check", str(folder)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["points", "limit"]


def test_a_folder_is_exported_as_students_may_see_it_where_the_assignment_is_named(tmp_path):
    course = write_folder(
        tmp_path, SPEC.replace("    title: A sum\n", "    title: A sum\n    visible: instructors\n")
    )
    parts = tuple(
        PartFeedback(part, part, "incorrect", 0.0, 1.0, f"what {part} says") for part in ("part1", "part2")
    )
    info = AssignmentInfo("tests/arithmetic", "sha256:0", "Sums"), SubmissionInfo("s", "ada", "sha256:1")
    run_info = RunInfo("completed", 0.1, "tensorflow", "cgroup")
    graded = tmp_path / "graded"
    graded.mkdir()
    (graded / "ada.feedback.json").write_bytes(Feedback(*info, run_info, 0.0, 2.0, parts).to_json())
    export = ["export", str(graded), "--format", "gradescope"]
    everything, filtered = run.invoke(cli.app, export), run.invoke(cli.app, [*export, "-a", str(course)])
    told = [
        [one["output"] for one in json.loads(result.stdout)["tests"] if one["visibility"] == "visible"]
        for result in (everything, filtered)
    ]
    assert told == [["what part1 says", "what part2 says"], ["what part1 says"]]
    assert "also what the assignment keeps from students" in everything.stderr
    assert "keeps from students" not in filtered.stderr
