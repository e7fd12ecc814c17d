"""Rehearsals in the real sandbox: what they find, and that they find nothing where all is well."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grader import cli
from grader.authoring import macros
from tests.authoring import weather
from tests.authoring.weather import MASTER, SPEC, answered, cell
from tests.conftest import ROOT, need
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import require_sandbox

run = CliRunner()
DOCS = (ROOT / "docs" / "authoring.md").read_text()


@pytest.fixture(autouse=True)
def _sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "160")


def need_sandbox() -> None:
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as problem:
        need(False, str(problem))


def rehearsed(folder: Path, *options: str) -> tuple[int, dict, set[tuple[str, str, str]]]:  # type: ignore[type-arg]
    need_sandbox()
    result = run.invoke(cli.app, ["assignment", "rehearse", str(folder), "--json", *options])
    assert result.stdout, result.stderr
    found = json.loads(result.stdout)
    return result.exit_code, found, {(one["level"], one["code"], one["where"]) for one in found["findings"]}


@pytest.mark.sandbox
def test_an_assignment_in_order_is_told_what_nothing_tries_and_what_it_costs(tmp_path: Path) -> None:
    folder = weather.write(tmp_path)
    weather.sample(folder, "starter", answered("None"), "parts: {part1: {status: not_attempted}}")
    code, found, findings = rehearsed(folder)
    assert code == 0
    # `given` holds for whatever a student does: neither can it fail, nor does it tell anything.
    assert findings == {("warning", "never_failed", "part1"), ("warning", "starter_passes", "part1")}
    played = {f"{one['sort']} {one['name']}": one for one in found["played"]}
    assert list(played) == [
        "reference reference",
        "starter starter",
        "cell median",
        "cell right",
        "sample starter",
    ]
    assert all(one["ok"] and one["run"] == "completed" and one["seconds"] > 0 for one in played.values())
    assert all(one["peak_mib"] is None or 0 < one["peak_mib"] <= 500 for one in played.values())
    (part,) = found["parts"]
    assert (part["points"], part["checks"], part["misconceptions"], part["hints"]) == (1.0, 2, 1, 1)
    assert part["judging_most_ms"] >= part["judging_ms"] > 0
    assert (found["schema"], found["points"]) == ("rehearsal/1", 1.0)
    assert rehearsed(folder, "--samples-only", "--strict")[0] == 2


@pytest.mark.sandbox
def test_everything_that_is_not_as_it_must_be_is_an_error(tmp_path: Path) -> None:
    spec = (
        SPEC.replace("mean is {seen}, not right.", "mean is {seen}; it should be 18.083.")
        .replace("hints: [Add them up.]", "hints: []")
        .replace("starter: null", "starter: -1")
    )
    master = [
        *MASTER[:2],
        cell("liar", "#%%RM_IF(PROD)%%\n# Correct: not at all\nmean = 7.25\npart1.check()"),
        cell("idle", "#%%RM_IF(PROD)%%\n# Incorrect: and never checked\nmean = 3"),
        MASTER[3],
        cell("spoilt", "#%%RM_IF(PROD)%%\nmean = 'spoilt' if days.pop() else 0\npart1.check()"),
    ]
    folder = weather.write(tmp_path, spec, master)
    weather.sample(folder, "hopeful", answered("sorted(days)[0]"), "parts: {part1: {status: correct}}")
    code, found, findings = rehearsed(folder, "--jobs", "2")
    assert code == 2
    assert findings >= {
        ("error", "starter", "starter"),
        ("error", "claim", "cell liar"),
        ("error", "sample", "sample hopeful"),
        ("warning", "no_hints", "part1"),
        ("warning", "untriggered", "part1"),
        ("warning", "empty_claim", "cell idle"),
    }
    assert [one["ok"] for one in found["played"] if one["name"] in ("liar", "hopeful")] == [False, False]


@pytest.mark.sandbox
def test_a_message_that_tells_the_expected_value_is_an_error_unless_the_spec_wants_it(tmp_path: Path) -> None:
    spec = SPEC.replace("mean is {seen}, not right.", "mean is {seen}; it should be 18.083.")
    told = [*MASTER[:3], cell("low", "#%%RM_IF(PROD)%%\n# Incorrect\nmean = 2.5\npart1.check()"), MASTER[3]]
    code, found, findings = rehearsed(weather.write(tmp_path / "one", spec, told))
    assert code == 2
    assert ("error", "leak", "cell median, part1") in findings
    (leak,) = [one["what"] for one in found["findings"] if one["code"] == "leak"]
    assert leak.startswith("the message tells the expected 18.083")
    wanted = spec.replace("to: reference}", "to: reference, tell: true}")
    code, _, findings = rehearsed(weather.write(tmp_path / "two", wanted, told))
    assert (code, {level for level, _, _ in findings}) == (0, {"warning"})


def test_a_mistake_in_a_sample_is_exit_2_before_anything_runs(tmp_path: Path) -> None:
    folder = weather.write(tmp_path)
    weather.sample(folder, "one", answered("1"), "parts: {part7: {status: correct}}")
    result = run.invoke(cli.app, ["assignment", "rehearse", str(folder)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "submissions/one/expect.yaml:1:9: parts.part7: the assignment has no part 'part7'" in result.stderr


@pytest.mark.parametrize(
    "name",
    [
        *(f"#_{name}_" for name in macros.LINE_MACROS),
        *(f"#%%{name}%%" for name in macros.CELL_MACROS),
        *(f"#${name.replace('(*)', '(3)')}$" for name in macros.DEFAULT_TEXTS),
        *macros.CONDITIONS,
    ],
)
def test_every_macro_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS


def test_every_documented_macro_is_one() -> None:
    known = {
        *macros.LINE_MACROS,
        *macros.CELL_MACROS,
        *(each.partition("(")[0] for each in macros.DEFAULT_TEXTS),
    }
    named = re.findall(r"`#(?:_|%%|\$)([A-Z_]+?)(?:_IF)?(?:\([^)]*\))?(?:_|%%|\$)`", DOCS)
    assert named
    assert set(named) <= known
