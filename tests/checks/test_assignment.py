"""Assignments: what other rooms read of them, and bundles that are not complete."""

from __future__ import annotations

import pytest

from checks import bundle
from checks.assignment import Assignment
from checks.errors import SpecError
from checks.plan import Limits
from tests.checks.making import FIXTURES, bundle_files, course_assignment, notebook

SPEC = b"""\
id: a/b
title: T
environment: python
compat: [old]
module: learntools.a.b
limits: {seconds: 9}
seed: 5
inputs: {../input/x.csv: ../data/x.csv}
reference: {variables: [other]}
parts:
  - id: q1
    title: Q
    variables: {x: {starter: null}, y: {role: set-up}}
    checks: [{equal: {of: x, to: {reference: other}}}]
    hints: [h]
    solution: secret
  - {id: q2, title: R, graded: false}
"""


def test_plan_tells_names_and_hints_and_no_secret() -> None:
    assignment = Assignment.from_files(bundle_files(SPEC))
    plan = assignment.plan()
    assert (plan.module, plan.compat, plan.end, plan.seed) == ("learntools.a.b", ("old",), (), 5)
    assert [(part.id, part.variables, part.answers, part.hints) for part in plan.parts] == [
        ("q1", ("x", "y"), ("x",), ("h",)),
        ("q2", (), (), ()),
    ]
    assert "secret" not in repr(plan)
    assert assignment.reference_plan().end == ("other",)
    assert assignment.limits == Limits(seconds=9)
    assert assignment.inputs == {"../input/x.csv": "inputs/data/x.csv"}
    assert assignment.needs_reference


def test_version_is_the_digest_of_the_files() -> None:
    files = bundle_files(SPEC)
    assert Assignment.from_files(files).version == bundle.digest(files)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"assignment.yaml": None}, "assignment.yaml: the bundle has no such file"),
        ({"starter.ipynb": None}, "starter.ipynb: the bundle has no such file"),
        ({"starter.ipynb": b"{}"}, "starter.ipynb: no notebook of nbformat 4"),
        ({"reference.ipynb": None}, "reference.ipynb: the bundle has no such file"),
        (
            {"reference.ipynb": notebook("othr = 1")},
            "no cell of the reference assigns 'other'; did you mean 'othr'?",
        ),
        ({"inputs/data/x.csv": None}, "a.yaml"),
    ],
)
def test_incomplete_bundle_is_told(change: dict[str, bytes | None], says: str) -> None:
    files = {name: raw for name, raw in {**bundle_files(SPEC), **change}.items() if raw is not None}
    with pytest.raises(SpecError) as caught:
        Assignment.from_files(files)
    assert says.replace("a.yaml", "the bundle lacks the file that should be there; inputs/data/x.csv") in str(
        caught.value
    )


@pytest.mark.parametrize("name", ["ex1_embedding_layers", "ex3_gensim"])
def test_example_course_is_without_mistakes(name: str) -> None:
    assignment = course_assignment(name)
    assert assignment.id == f"embeddings/{name}"
    assert assignment.module == f"learntools.embeddings.{name}"
    assert all((FIXTURES / name / source).is_file() for source in assignment.spec.inputs.values())
    assert all(part.hints and part.solution for part in assignment.parts if part.graded)


UNSET = [
    ("nothing assigns it", ["x = 1\nq1.check()"], True),
    ("the author assigns it", ["x = y = 1\nq1.check()"], False),
    ("a star import may", ["from math import *", "x = 1\nq1.check()"], False),
    ("exec may", ["exec('y = 1')", "x = 1\nq1.check()"], False),
    ("a magic may", ["%run other.ipynb", "x = 1\nq1.check()"], False),
    ("the author's notebook does not answer the part", ["x = 1"], False),
]


@pytest.mark.parametrize(("cells", "told"), [row[1:] for row in UNSET], ids=[row[0] for row in UNSET])
def test_variable_that_nobody_sets_is_told(cells: list[str], told: bool) -> None:
    files = {**bundle_files(SPEC), "reference.ipynb": notebook("other = 1", *cells)}
    if not told:
        Assignment.from_files(files)
        return
    with pytest.raises(SpecError) as caught:
        Assignment.from_files(files)
    assert str(caught.value) == (
        "assignment.yaml:13:40: parts.0.variables.y: "
        "no cell of the author's notebook or the starter assigns 'y'; known are: other, x"
    )


def test_warnings_come_with_the_assignment() -> None:
    spec = SPEC.replace(b"title: T\n", b"title: yes\n")
    assert [each.path for each in Assignment.from_files(bundle_files(spec)).warnings] == ["title"]
