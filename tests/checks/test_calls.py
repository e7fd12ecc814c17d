"""The kind ``calls``: what a spec may say, what goes into the sandbox, and what is told of it."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.assignment import Assignment
from checks.compare.spelling import spelled
from checks.definitions import as_given
from checks.errors import SpecError
from checks.evidence import values as v
from checks.feedback import PartFeedback
from checks.judge import judge
from checks.spec.argument import argument_data, expected_node
from checks.spec.generating import Drawing, Generate
from tests.checks.making import SUBMISSION, cell, evidence, node, notebook, small_assignment, snapshot
from worker.inside.arguments import build
from worker.inside.values import Taker

F = v.Callable(name="f", cls="builtins.function")
WEIGHTS = """
      - id: calls
        calls:
          of: f
          credit: weighted
          cases:
            - {id: one, arguments: [1], returns: 1, weight: 3}
            - {id: two, arguments: [2], returns: 4}
"""


def assignment(checks: str, more: str = "") -> Assignment:
    return small_assignment(f"    variables: {{f: {{}}}}\n    checks:{checks}{more}")


def step(result: Any = None, **fields: Any) -> v.Step:
    return v.Step(ended=fields.pop("ended", "returned"), result=node(result), **fields)


def judged(
    found: Assignment,
    outcomes: Mapping[str, Sequence[v.Step]],
    theirs: Mapping[str, Sequence[v.Step]] | None = None,
) -> PartFeedback:
    """The part's feedback where the cases' steps came out so."""
    (plan,) = found.plan().parts[0].calls

    def record(made: Mapping[str, Sequence[v.Step]]) -> list[Any]:
        items = tuple(v.Called(case=name, steps=tuple(steps)) for name, steps in made.items())
        return [
            snapshot("q1", "check", 0, {"f": F}),
            snapshot("q1()", "check", 0, {plan.key: v.Sequence(items=items)}),
        ]

    cells = [cell(0, "def f(x): return x\nq1.check()")]
    reference = evidence(cells, record(theirs)) if theirs is not None else None
    return judge(found, evidence(cells, record(outcomes)), reference, SUBMISSION).parts[0]


def test_credit_is_the_mean_by_the_cases_weight() -> None:
    part = judged(assignment(WEIGHTS), {"one": [step(1)], "two": [step(5)]})
    assert (part.status, part.score, part.message) == ("partial", 0.75, "f(2) gives 5, which is not right.")


@pytest.mark.parametrize(
    ("result", "status"),
    [(2, "correct"), (2.0, "correct"), (True, "incorrect"), ("2", "incorrect"), ([2], "partial")],
)
def test_a_number_that_is_written_down_is_any_number(result: object, status: str) -> None:
    found = assignment("\n      - calls: {of: f, cases: [{arguments: [0], returns: 2}]}\n")
    assert judged(found, {"case-1": [step(result)]}).status == status


FAILING = """
    misconceptions:
      - {id: second, when: {failed: {check: calls, cases: [two]}}, message: Only the second.}
      - {id: both, when: {failed: {check: calls, cases: [two, one]}}, message: "Both, and {call}."}
"""


@pytest.mark.parametrize(
    ("one", "two", "misconception", "message"),
    [
        (1, 5, "second", "Only the second."),
        (0, 5, "both", "Both, and f(1)."),
        (0, 4, None, "f(1) gives 0, which is not right."),
    ],
)
def test_a_misconception_by_the_pattern_of_failing_cases(
    one: int, two: int, misconception: str | None, message: str
) -> None:
    part = judged(assignment(WEIGHTS, FAILING), {"one": [step(one)], "two": [step(two)]})
    assert (part.misconception, part.message) == (misconception, message)


SHOW = [
    ("first_failing", "f(1) gives 0, which is not right."),
    ("count", "2 of 2 calls do not come out right."),
    ("nothing", "Some calls of f do not come out right."),
]


@pytest.mark.parametrize(("show", "message"), SHOW)
def test_a_student_reads_no_more_than_the_spec_shows(show: str, message: str) -> None:
    found = assignment(WEIGHTS.replace("credit: weighted", f"show: {show}"))
    assert judged(found, {"one": [step(0)], "two": [step(0)]}).message == message


def test_a_hidden_case_is_only_counted_and_its_call_does_not_reach_the_authors_message() -> None:
    hidden = WEIGHTS.replace("weight: 3", "hidden: true") + "        message: 'Look at {call}: {count}.'\n"
    assert judged(assignment(hidden), {"one": [step(0)], "two": [step(4)]}).message == "Look at …: 1."


def test_a_case_has_its_own_message() -> None:
    own = WEIGHTS.replace("weight: 3", "message: 'One is {seen}?'") + "        message: Else.\n"
    assert judged(assignment(own), {"one": [step(0)], "two": [step(4)]}).message == "One is 0?"


ENDINGS = [
    ("time_limit", {}, "f(1) did not come to an end within 5 seconds."),
    ("exited", {"detail": "signal 9"}, "f(1) ended the Python process (signal 9)."),
    ("not_made", {}, "f(1) was not tried any more, because the calls before it did not come to an end."),
    ("too_large", {}, "f(1) gives more than can be looked at."),
    ("not_callable", {}, "f is no function: f(1) is not possible."),
    ("missing", {"detail": "f.g"}, "f(1): there is no f.g."),
    ("refused", {"raised": v.Raised("builtins.TypeError", message="f() takes 0")}, "f(1) is not possible: f() takes 0"),
    ("raised", {"raised": v.Raised("m.E", message="a_b", line=3, source="x*y")}, "f(1) raised E: a_b in line 3: x\\*y"),
]  # fmt: skip


@pytest.mark.parametrize(("ended", "fields", "message"), ENDINGS, ids=[row[0] for row in ENDINGS])
def test_what_ended_a_call_is_told(ended: str, fields: dict[str, Any], message: str) -> None:
    bad = v.Step(ended=ended, **fields)  # type: ignore[arg-type]
    part = judged(assignment(WEIGHTS), {"one": [bad], "two": [step(4)]})
    assert (part.status, part.message) == ("partial", message)


def test_the_graders_own_fault_is_no_verdict() -> None:
    bad = v.Step(ended="failed", detail="KeyError: 'ours'")
    assert judged(assignment(WEIGHTS), {"one": [bad], "two": [step(4)]}).status == "unjudged"


def test_evidence_of_a_run_that_knew_nothing_of_the_calls_is_no_verdict() -> None:
    found = assignment(WEIGHTS)
    old = evidence([cell(0, "def f(x): return x\nq1.check()")], [snapshot("q1", "check", 0, {"f": F})])
    assert judge(found, old, None, SUBMISSION).parts[0].status == "unjudged"


def test_calls_that_the_runs_end_prevented_are_told() -> None:
    part = judged(assignment(WEIGHTS), {"one": [step(1)]})
    assert (part.status, part.message) == ("partial", "The run ended before f could be called.")


def test_calls_of_an_earlier_snapshot_are_not_those_of_the_one_that_decides() -> None:
    found = assignment(WEIGHTS)
    (plan,) = found.plan().parts[0].calls
    made = v.Sequence(items=(v.Called(case="one", steps=(step(1),)), v.Called(case="two", steps=(step(4),))))
    cells = [cell(0, "def f(x): return x\nq1.check()"), cell(1, "q1.check()")]
    stale = [snapshot("q1", "check", 1, {"f": F}), snapshot("q1()", "check", 0, {plan.key: made})]
    assert judge(found, evidence(cells, stale), None, SUBMISSION).parts[0].status == "unjudged"


REFERENCE = "\n      - calls: {of: f, expected: reference, cases: [{id: one, arguments: [1]}]}\n"
BOOM = v.Step(ended="raised", raised=v.Raised("m.Boom", ("builtins.ValueError", "builtins.Exception")))


def boom(cls: str) -> v.Step:
    return v.Step(ended="raised", raised=v.Raised(cls, ("builtins.Exception",)))


VALUE_ERROR = v.Step(ended="raised", raised=v.Raised("builtins.ValueError", ("builtins.Exception",)))


@pytest.mark.parametrize(
    ("seen", "author", "status"),
    [
        (step([1, 2]), step([1, 2]), "correct"),
        (step(3.0000000001), step(3.0), "correct"),
        (step(3), step(3.0), "partial"),
        (BOOM, VALUE_ERROR, "correct"),
        (VALUE_ERROR, BOOM, "incorrect"),
        (boom("requests.ConnectionError"), boom("requests.ConnectionError"), "correct"),
        (boom("__main__.TimeoutError"), boom("__main__.TimeoutError"), "correct"),
        (boom("__main__.TimeoutError"), boom("builtins.TimeoutError"), "incorrect"),
        (step(None), step(None), "correct"),
        (step(None), step(1), "incorrect"),
        (step(1), v.Step(ended="time_limit"), "unjudged"),
    ],
)
def test_a_call_is_held_against_the_authors(seen: v.Step, author: v.Step, status: str) -> None:
    assert judged(assignment(REFERENCE), {"one": [seen]}, {"one": [author]}).status == status


def test_repeats_must_be_equal() -> None:
    found = assignment(
        "\n      - calls: {of: f, repeats: 2, cases: [{id: a, arguments: [1], expect: [{type: {of: result, is: [number]}}]}]}\n"
    )
    (plan,) = found.plan().parts[0].calls
    assert plan.cases[0].repeats == 2

    def part(*results: float) -> PartFeedback:
        items = tuple(
            v.Called(case="a", steps=(step(each),), repeat=number) for number, each in enumerate(results)
        )
        taken = [
            snapshot("q1", "check", 0, {"f": F}),
            snapshot("q1()", "check", 0, {plan.key: v.Sequence(items=items)}),
        ]
        return judge(found, evidence([cell(0, "f = 1\nq1.check()")], taken), None, SUBMISSION).parts[0]

    assert part(0.1, 0.1).status == "correct"
    assert part(0.1, 0.1 + 1e-16).message == "f(1) gives different results when it is made again."


PROBLEMS = [
    ("{of: g, cases: [{returns: 1}]}", "'g' is none of the part's variables; known are: f"),
    ("{of: f, returns: 1}", "calls need cases, or generate"),
    ("{of: f, cases: [{arguments: [1]}]}", "nothing is expected of this call"),
    ("{of: f, generate: {count: 2, seed: 1}}", "nothing is expected of generated calls"),
    ("{of: f, cases: [{returns: 1, raises: E}]}", "a call cannot have both 'returns' and 'raises'"),
    ("{of: f, compare: {rell: 1}, cases: [{returns: 1}]}", "compare.rell"),
    ("{of: f, cases: [{id: a, returns: 1}, {id: a, returns: 1}]}", "'a' is there already"),
    ("{of: f, cases: [{arguments: [{arry: 1}], returns: 1}]}", "no argument: {'arry': 1}"),
    ("{of: f, cases: [{arguments: [{array: [1], dtyp: x}], returns: 1}]}", "unknown key 'dtyp'"),
    ("{of: f, cases: [{returns: {variable: x}}]}", "x is known in the sandbox alone"),
    ("{of: f, cases: [{arguments: [1], steps: [{call: f}], returns: 1}]}", "has its arguments in the steps"),
    ("{of: f, cases: [{steps: [{call: f, look: f}], returns: 1}]}", "a step needs exactly one of call, construct, look"),
    ("{of: f, cases: [{expect: [{size: {of: reslt, ndim: 1}}]}]}", "'reslt' is none of the part's variables; did you mean 'result'?"),
    ("{of: f, cases: [{message: '{sen}', returns: 1}]}", "unknown field {sen}"),
    ("{of: f, returns: 1, generate: {count: 2, seed: 1, arguments: [{integers: {min: 1}}]}}", "needs both min and max"),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "what"), PROBLEMS, ids=[what for _, what in PROBLEMS])
def test_an_authors_mistake_is_told_at_its_place(calls: str, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        assignment(f"\n      - calls: {calls}\n")
    assert what in str(caught.value)
    assert all(problem.line == 10 for problem in caught.value.problems)


def test_checks_that_want_the_same_calls_share_them() -> None:
    twice = WEIGHTS + WEIGHTS.replace("id: calls", "id: again").replace("returns: 1,", "returns: 9,")
    assert len(assignment(twice).plan().parts[0].calls) == 1


def test_calls_inside_other_checks_are_made_too() -> None:
    inner = "{calls: {of: f, cases: [{returns: 1}]}}"
    assert (
        len(
            assignment(f"\n      - any: [{inner}, {inner.replace('[{', '[{arguments: [1], ')}]\n")
            .plan()
            .parts[0]
            .calls
        )
        == 2
    )


# --- arguments -----------------------------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
)
WRITTEN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4)
    | st.fixed_dictionaries({"tuple": st.lists(inner, max_size=4)})
    | st.fixed_dictionaries({"dict": st.lists(st.tuples(st.text("abc"), inner).map(list), max_size=3, unique_by=lambda pair: pair[0])}),
    max_leaves=12,
)  # fmt: skip


@given(
    WRITTEN
    | st.builds(
        dict, array=st.lists(st.integers(-9, 9), min_size=1), dtype=st.sampled_from(["int64", "float32"])
    )
)
def test_an_argument_is_the_value_that_was_written(written: object) -> None:
    made = build(argument_data(written), {})
    taker = Taker()
    assert _without_blobs(taker.take(made), taker.blobs) == _node_data(expected_node(written))


def _node_data(wanted: v.AnyNode) -> object:
    blobs: list[bytes] = []

    def data(each: object) -> object:
        if isinstance(each, v.Array) and each.data is not None:
            blobs.append(each.data.raw)
            return {"dtype": each.dtype, "shape": list(each.shape), "data": each.data.raw}
        if isinstance(each, v.Mapping):
            return [[data(key), data(item)] for key, item in each.items]
        if isinstance(each, v.Sequence):
            return [each.base, *map(data, each.items)]
        return getattr(each, "v", None)

    return data(wanted)


def _without_blobs(seen: Any, blobs: list[bytes]) -> object:
    if seen["t"] == "array":
        return {"dtype": seen["dtype"], "shape": seen["shape"], "data": blobs[seen["data"]]}
    if seen["t"] == "map":
        return [[_without_blobs(key, blobs), _without_blobs(item, blobs)] for key, item in seen["items"]]
    if seen["t"] == "seq":
        return [seen["base"], *(_without_blobs(item, blobs) for item in seen["items"])]
    return seen.get("v")


def test_a_variable_is_copied() -> None:
    space = {"x": [[1]]}
    made: Any = build(argument_data({"variable": "x"}), space)
    made[0].append(2)
    assert space == {"x": [[1]]}


GENERATED = {
    "count": 30,
    "seed": 5,
    "arguments": {
        "x": {"integers": {"min": -3, "max": 3}},
        "y": {"numbers": {"min": 0, "max": 1, "digits": 1}},
        "z": {"lists": {"of": {"text": {"length": {"min": 0, "max": 2}, "letters": "ab"}}, "length": {"min": 1, "max": 2}}},
    },
    "keywords": {"way": {"choice": ["up", "down"]}},
}  # fmt: skip


def test_generated_cases_are_the_same_for_ever_and_within_their_bounds() -> None:
    drawn = Generate.model_validate(GENERATED).draw()
    assert drawn == Generate.model_validate(GENERATED).draw()
    assert drawn[0] == ([3, 0.1, ["aa", "a"]], {"way": "up"})
    assert {arguments[0] for arguments, _ in drawn} == set(range(-3, 4))
    assert {arguments[1] for arguments, _ in drawn} <= {round(tenth / 10, 1) for tenth in range(11)}
    assert {keywords["way"] for _, keywords in drawn} == {"up", "down"}
    assert {len(arguments[2]) for arguments, _ in drawn} == {1, 2}


@given(st.integers(0, 2**40), st.integers(-100, 100), st.integers(0, 100))
def test_a_drawn_number_lies_within_its_bounds(seed: int, least: int, width: int) -> None:
    drawing = Drawing(seed)
    assert all(least <= drawing.between(least, least + width) <= least + width for _ in range(20))


SPELLED = [
    ([1, 2.5, "a", None, True], "[1, 2.5, 'a', None, True]"),
    ((1,), "(1,)"),
    ({"a": [1]}, "{'a': [1]}"),
    (np.array([1, 2]), "array([1, 2])"),
    (list(range(100)), "a list of 100 items"),
    (set(), "a set of 0 items"),
]


@pytest.mark.parametrize(("value", "text"), SPELLED, ids=[text for _, text in SPELLED])
def test_a_short_value_is_spelled_out(value: object, text: str) -> None:
    assert spelled(node(value)) == text


# --- as the starter gave it ----------------------------------------------------------------------------------------

STUB = "def f(x):\n    pass"
GIVEN = [
    ("the stub", [STUB], True),
    ("with a comment", ["def f(x):  # later\n\n    pass"], True),
    ("filled in", ["def f(x):\n    return x"], False),
    ("replaced later", [STUB, "f = len"], False),
    ("filled in first", ["def f(x):\n    return x", STUB], True),
    ("not there", ["x = 1"], False),
]


@pytest.mark.parametrize(("sources", "holds"), [row[1:] for row in GIVEN], ids=[row[0] for row in GIVEN])
def test_a_function_is_as_the_starter_gave_it(sources: list[str], holds: bool) -> None:
    assert as_given(["f"], sources, [f"import math\n{STUB}"]) is holds


def test_a_stub_is_not_attempted_although_its_calls_were_made() -> None:
    found = small_assignment(
        f"    variables: {{f: {{}}}}\n    checks:{WEIGHTS}", notebook(f"{STUB}\nq1.check()")
    )
    taken = [snapshot("q1", "check", 0, {"f": F})]
    part = judge(found, evidence([cell(0, f"{STUB}\nq1.check()")], taken), None, SUBMISSION).parts[0]
    assert part.status == "not_attempted"
