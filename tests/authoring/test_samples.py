"""Samples are read strictly, and every mistake is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.assignment import Assignment
from checks.errors import SpecError
from checks.feedback import AssignmentInfo, Feedback, PartFeedback, RunInfo, SubmissionInfo
from grader.authoring.samples import Expectation, misses, read_samples
from grader.bundles import read_bundle
from tests.authoring import weather

FINE = "run: completed\nparts:\n  part1: {status: incorrect, contains: Median}\n"


def problems(folder: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read_samples(folder, Assignment.from_files(read_bundle(folder)))
    return list(map(str, caught.value.problems))


def test_samples_come_by_name_with_what_they_expect(tmp_path: Path) -> None:
    folder = weather.write(tmp_path)
    weather.sample(folder, "b", weather.answered("1"), FINE)
    weather.sample(folder, "a", weather.answered("2"), "parts:\n  part1: {status: correct}\n")
    first, second = read_samples(folder, Assignment.from_files(read_bundle(folder)))
    assert (first.name, first.expected.run, first.statuses) == ("a", None, {"part1": "correct"})
    assert (second.name, second.expected.run) == ("b", "completed")
    assert second.expected.parts["part1"].contains == ["Median"]
    assert second.notebook == weather.answered("1")


def test_an_assignment_without_samples_has_none(tmp_path: Path) -> None:
    assert read_samples(weather.write(tmp_path)) == []


@pytest.mark.parametrize(
    ("expect", "where", "what"),
    [
        ("parts: {part1: {status: corect}}", ":1:25: parts.part1.status:", "did you mean 'correct'?"),
        ("run: done\nparts: {}", ":1:6: run:", "'done' is no status"),
        ("parts: {part1: {status: correct, says: x}}", ":1:34: parts.part1.says:", "unknown key 'says'"),
        ("parts: {part9: {status: correct}}", ":1:9: parts.part9:", "no part 'part9'; did you mean 'part1'?"),
        ("part: {}", ":1:1: part:", "did you mean 'parts'?"),
        ("parts: {part1: {status: correct, contains: 3}}", "parts.part1.contains", "list"),
        ("parts: {part1: {}}", "parts.part1", "required"),
        ("- x", "expect.yaml", "dictionary"),
        ("a: [", "expect.yaml", ""),
        ("parts: {part1: {status: correct}, part1: {status: error}}", "part1", "twice"),
    ],
)
def test_a_mistake_in_an_expectation_is_told_with_its_place(
    tmp_path: Path, expect: str, where: str, what: str
) -> None:
    folder = weather.write(tmp_path)
    weather.sample(folder, "one", weather.answered("1"), expect)
    found = "\n".join(problems(folder))
    assert "submissions/one/expect.yaml" in found
    assert where in found
    assert what in found


def test_the_mistakes_of_all_samples_are_told_at_once(tmp_path: Path) -> None:
    folder = weather.write(tmp_path)
    for name in ("one", "two"):
        weather.sample(folder, name, weather.answered("1"), "run: done\nparts: {}")
    (folder / "submissions" / "three").mkdir()
    assert len(problems(folder)) == 4


def test_a_feedback_is_held_against_status_phrase_and_run() -> None:
    part = PartFeedback("part1", "The mean", "incorrect", 0.0, 1.0, "That is the **median**.")
    feedback = Feedback(
        AssignmentInfo("weather/means", "sha256:0", "Means"),
        SubmissionInfo("a", "a", "sha256:1"),
        RunInfo("completed", 1.0, "python", "none"),
        0.0, 1.0, (part,),
    )  # fmt: skip

    def told(**part1: object) -> list[str]:
        expected = Expectation.model_validate({"run": "completed", "parts": {"part1": part1}})
        return list(misses(expected, feedback))

    assert told(status="incorrect", contains=["THAT", "median"]) == []
    assert "expected correct" in told(status="correct")[0]
    assert "lacks 'mean value'" in told(status="incorrect", contains="mean value")[0]
    other = Expectation.model_validate({"run": "cell_error", "parts": {"part2": {"status": "correct"}}})
    assert list(misses(other, feedback)) == [
        "the run ended completed, expected cell_error",
        "part2: the feedback has no such part",
    ]
