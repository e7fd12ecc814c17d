"""Problems that authors came with: what they could not say, what was judged wrongly, what was not told."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import Any

import numpy as np
import pytest

from checks.assignment import Assignment
from checks.errors import SpecError
from checks.evidence import values as v
from checks.feedback import PartFeedback
from checks.judge import judge
from checks.scene import Code, Scene
from checks.spec.reading import read_yaml
from tests.checks.doc_examples import Example
from tests.checks.making import (
    SUBMISSION,
    bundle_files,
    cell,
    check_of,
    evidence,
    node,
    notebook,
    outcome_of,
    small_assignment,
    snapshot,
    table,
)


def judged(spec: str, values: str, reference: str = "") -> PartFeedback:
    return Example(dedent(spec), dedent(values), "", "", 0, dedent(reference)).feedback().parts[-1]


def mistakes(part: str) -> str:
    with pytest.raises(SpecError) as caught:
        small_assignment(indent(dedent(part), "    "))
    return str(caught.value)


# Calls: functions of modules, objects of earlier steps

STEPS = """
    calls:
      of: Countdown
      cases:
        - steps:
            - {{construct: Countdown, arguments: [3], as: c}}
            - {{call: {call}, arguments: [{{variable: c}}], returns: [3, 2, 1]}}
    """
COUNTDOWN = """
    class Countdown:
        def __init__(self, top):
            self.top = top
        def __iter__(self):
            return iter(range(self.top, {end}, -1))
    """


def test_step_calls_a_function_of_a_module() -> None:
    spec = STEPS.format(call="{import: builtins.list}")
    assert judged(spec, COUNTDOWN.format(end=0)).status == "correct"
    wrong = judged(spec, COUNTDOWN.format(end=-1))
    assert wrong.message.startswith("list(c) after c = Countdown(3) gives")


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        ("builtins.list", "{import: builtins.list}"),
        ("operator.eq", "{import: operator.eq}"),
        ("Countdwn.run", "did you mean 'Countdown'?"),
    ],
)
def test_step_that_names_nothing_is_an_authors_mistake(call: str, meant: str) -> None:
    check = indent(dedent(STEPS.format(call=call)).strip(), "  ")
    found = mistakes(f"variables: {{Countdown: {{}}}}\nchecks:\n- {check.strip()}\n")
    assert f"{call.partition('.')[0]!r} is none of the part's variables, and no earlier step's `as`" in found
    assert meant in found
    assert "steps.1.call" in found


ACCOUNTS = """
    class Account:
        def __init__(self, balance):
            self.balance = balance

    def transfer(source, target, amount):
        source.balance -= amount
        target.balance += {amount}
    """


@pytest.mark.parametrize(("amount", "status"), [("amount", "correct"), ("0", "incorrect")])
def test_step_gets_the_very_object_of_an_earlier_one(amount: str, status: str) -> None:
    spec = """
        calls:
          of: transfer
          cases:
            - steps:
                - {construct: Account, arguments: [10], as: a}
                - {construct: Account, arguments: [0], as: b}
                - {call: transfer, arguments: [{variable: a}, {variable: b}, 3]}
                - {look: b.balance, returns: 3}
        """
    values = ACCOUNTS.format(amount=amount) + "\n    __name__ = '__main__'"
    check = indent(dedent(spec).strip(), "  ").strip()
    part = f"checks:\n- {check}\nvariables: {{transfer: {{}}, Account: {{role: set-up}}}}\n"
    assert judged(part, values).status == status


def test_exceptions_text_is_looked_at_in_any_case() -> None:
    spec = "calls: {of: f, cases: [{arguments: [-1], raises: {exception: ValueError, contains: positive}}]}"
    raising = "def f(x):\n    raise ValueError('must be  {word}')"
    assert judged(spec, raising.format(word="Positive")).status == "correct"
    assert judged(spec, raising.format(word="a number")).status == "incorrect"


def test_iterator_that_may_never_end_is_told_as_such() -> None:
    spec = "calls: {of: f, consume: 5, cases: [{arguments: [], returns: [1, 2]}]}"
    message = judged(spec, "def f():\n    while True:\n        yield 1").message
    assert message.startswith("f() gives at least 5 items (no more were asked for)")


def test_comparison_that_is_not_defined_is_told_in_words() -> None:
    spec = "calls: {of: f, cases: [{arguments: [], returns: true}]}"
    assert (
        "it is not defined what this should give"
        in judged(spec, "def f():\n    return NotImplemented").message
    )


# Source: recursion by way of others, classes

RECURSIVE = [
    ("def depth(x):\n    return 1 + depth(x[1:])", True),
    ("def depth(x):\n    def go(y):\n        return 1 + go(y[1:])\n    return go(x)", True),
    ("def _d(x):\n    return depth(x[1:])\ndef depth(x):\n    return 1 + _d(x)", True),
    ("def depth(x):\n    return sum(map(depth, x))", True),
    ("def depth(x):\n    return len(x)", False),
    ("class B:\n    def depth(self, x):\n        return 6\ndef depth(x):\n    return B().depth(x)", False),
    ("def other(x):\n    return other(x)\ndef depth(x):\n    return len(x)", False),
]


@pytest.mark.parametrize(("code", "holds"), RECURSIVE)
def test_recursion_by_way_of_others(code: str, holds: bool) -> None:
    assert _source("{source: {of: depth, recursive: true}}", "depth", code, "function") is holds


TREE = """class Tree:
    def size(self):
        return 1 + sum(kid.size() for kid in self.kids)

    def name(self):
        return "x"
"""


@pytest.mark.parametrize(
    ("of", "holds"), [("Tree", True), ("Tree.size", True), ("Tree.name", False), ("Tree.gone", False)]
)
def test_recursive_method(of: str, holds: bool) -> None:
    assert _source(f"{{source: {{of: {of}, recursive: true}}}}", "Tree", TREE, "type") is holds


def _source(check: str, name: str, code: str, kind: str) -> bool:
    source = code[code.index(f"def {name}") :] if kind == "function" else None
    value = v.Callable(name=name, cls=f"builtins.{kind}", source=source)
    scene = Scene({name: value}, code=(Code(1, code),))
    return bool(check_of(check, [name]).evaluate(scene).passed)


# Equality


def test_written_number_stands_for_the_float_too() -> None:
    assert outcome_of("{equal: {of: x, to: {value: 2}, rel: 1e-4}}", {"x": 1.99999}).passed
    assert outcome_of("{equal: {of: x, to: {value: 158}}}", {"x": 158.0}).passed
    strict = outcome_of("{equal: {of: x, to: {value: 158}, dtype: family}}", {"x": 158.0})
    assert (strict.reason, strict.message) == (
        "dtype",
        "x is the number 158: the right value, but of another type than asked for.",
    )


def test_gap_in_a_table_has_its_own_reason_and_the_message_for_values_where_there_is_none() -> None:
    seen, expected = table({"a": [1.0, np.nan]}), table({"a": [1.0, 0.0]})
    check = "{equal: {of: x, to: reference%s}%s}"
    found = outcome_of(check % ("", ""), {"x": seen}, {"x": expected})
    assert (found.reason, found.facts["differing"]) == ("nan", 1)
    assert "column a has gaps" in found.message
    said = outcome_of(check % ("", ", messages: {values: no}"), {"x": seen}, {"x": expected})
    assert said.message == "no"


# Formulas

FORMULAS = [
    ("close(x * 0 + 1, 1)", True),
    ("all(close(x, [1, 2]))", True),
    ("close(x, 1)", False),
    ("all((x[:, None] == x[None, :]) == (x[:, None] == x[None, :]))", True),
    ("all((x > 0) & (x < 3))", True),
]


@pytest.mark.parametrize(("formula", "holds"), FORMULAS)
def test_formula(formula: str, holds: bool) -> None:
    assert outcome_of(f'{{relation: {{holds: "{formula}"}}}}', {"x": np.array([1, 2])}).passed is holds


def test_formula_that_the_authors_values_do_not_allow_is_no_students_mistake() -> None:
    spec = """
        checks:
          - equal: {of: mask, to: {formula: "where((p > 2) and (p < 9), True, False)"}}
          - equal: {of: p, to: reference}
        """
    part = judged(
        spec,
        "mask = np.array([True])\np = np.array([3, 4])",
        "mask = np.array([True, True])\np = np.array([3, 4])",
    )
    assert part.status == "unjudged"


def test_formula_that_cannot_be_computed_says_why() -> None:
    found = outcome_of("{equal: {of: x, to: {formula: 'x + y'}}}", {"x": 1, "y": "a"})
    assert found.reason == "other_absent"
    assert "cannot be computed: " in found.message


# Specs


def test_variable_that_hides_a_part_draws_a_warning() -> None:
    part = "    variables: {q1: {}}\n    checks: [{equal: {of: q1, to: {value: 1}}}]\n"
    (found,) = small_assignment(part).warnings
    assert "parts.0.variables.q1: the variable 'q1' hides the part 'q1'" in str(found)
    product = "    variables: {q1: {file: a.txt}}\n    checks: [{file: {of: q1, size: {min: 1}}}]\n"
    assert small_assignment(product).warnings == ()


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        ("of: y", False),
        ("variables: [X, y]", False),
        ("accept: [y, n]", True),
        ("value: n", True),
        ("of: yes", True),
    ],
)
def test_one_letter_names_draw_no_warning(text: str, warns: bool) -> None:
    assert bool(read_yaml(f"a: {{{text}}}".encode(), "a.yaml").warnings) is warns


# Files

FILE = """
id: a/b
title: T
environment: python
parts:
  - id: one
    title: One
    variables: {x: {role: answer, starter: null}}
    checks: [{equal: {of: x, to: {value: 7}}}]
  - id: two
    title: Two
    variables: {saved: {file: report.json, role: answer}}
    checks: [{file: {of: saved, form: json, that: {equal: {of: value, to: {value: [1, 2]}}}}}]
"""


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("# write report.json\ntwo.check()", "not_attempted"),
        ("open('reports.json', 'w')\ntwo.check()", "incorrect"),
    ],
)
def test_missing_file_is_not_blamed_on_another_parts_exception(code: str, status: str) -> None:
    starter = notebook("x = None\none.check()", "# write report.json\ntwo.check()")
    assignment = Assignment.from_files(bundle_files(FILE.encode(), starter))
    cells = [cell(0, "x = 1 / 0\none.check()", ("ZeroDivisionError", "division by zero")), cell(1, code)]
    taken: list[Any] = [snapshot("two", "check", 1, {})]
    parts = judge(assignment, evidence(cells, taken, "cell_error"), None, SUBMISSION).parts
    assert [part.status for part in parts] == ["error", status]
    assert (
        status != "incorrect"
        or parts[1].message == "There is no file report.json when the check of this part runs."
    )


WARNED = """
id: a/b
title: T
environment: python
module: learntools.course.two
parts:
  - {id: p1, title: P, variables: {x: {}}, checks: [{equal: {of: x, to: {value: 1}}, weight: 2}]}
  - {id: p2, title: P, variables: {y: {}}, checks: [{equal: {of: y, to: {value: 1}}}]}
"""


def test_what_an_author_hardly_meant_is_a_warning() -> None:
    setup = "from learntools.core import binder\nfrom learntools.course.one import *\nx = y = None"
    files = bundle_files(WARNED.encode(), notebook(setup, "p1.check()"))
    assert [str(each) for each in Assignment.from_files(files).warnings] == [
        "assignment.yaml:7:94: parts.0.checks.0.weight: a weight counts only where the part's credit is "
        "weighted; credit: weighted",
        "assignment.yaml:8:10: parts.1.id: the notebook never calls p2.check(), nor names the part at all",
        "assignment.yaml:5:9: module: the notebook imports its parts from learntools.course.one; "
        "module: learntools.course.one",
    ]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("variables: {x: {}}\nchecks: [{equal: {of: x, to: refrence}}]\n", "did you mean 'reference'?"),
        ("variables: {x: {}}\nchecks: [{equal: {of: x, to: 7}}]\n", "write {value: …} for a value"),
        (
            "variables: {x: {}}\ncredit: weigthed\nchecks: [{equal: {of: x, to: {value: 1}}}]\n",
            "did you mean 'weighted'?",
        ),
    ],
)
def test_mistake_is_told_in_the_words_of_the_language(part: str, says: str) -> None:
    found = mistakes(part)
    assert says in found
    assert "instance of" not in found


@pytest.mark.parametrize("text", ["message: {seen} is wrong", "title: Bad: really"])
def test_text_that_wants_quotes(text: str) -> None:
    with pytest.raises(SpecError, match="stands in quotes"):
        read_yaml(f"a: 1\n{text}\nb: 2\n".encode(), "a.yaml")


def test_truth_value_is_called_one() -> None:
    assert (
        outcome_of("{equal: {of: x, to: {value: 3}}}", {"x": True}).message
        == "x is the truth value True, which is not right."
    )


def test_dict_with_other_keys_says_so() -> None:
    check = "{equal: {of: x, to: {value: {dict: [[a, 1], [b, 2]]}}}%s}"
    turned = outcome_of(check % "", {"x": {"a": 1, "c": 2}})
    assert (turned.reason, turned.message) == (
        "values",
        "x is a dict of 2 items, with keys that were not asked for: 'c'.",
    )
    assert outcome_of(check % "", {"x": {"a": 1}}).message.endswith(
        "it lacks some of the keys that it should have."
    )
    assert outcome_of(check % "", {"x": {"a": 1, "b": 3}}).finer == ""
    said = outcome_of(check % ", messages: {keys_extra: 'Not {keys}.', values: no}", {"x": {"a": 1, "c": 2}})
    assert said.message == "Not 'c'."


def test_one_is_one() -> None:
    seen, expected = table({"a": [1, 2]}), table({"a": [1]})
    found = outcome_of("{equal: {of: x, to: reference}}", {"x": seen}, {"x": expected})
    assert found.message == "x has 1 row more than it should have."


def test_markers_without_a_line_are_points() -> None:
    def chart(style: str) -> v.Opaque:
        line = v.Opaque(1, "matplotlib.lines.Line2D", (), "line", {
            "x": node([1, 2]), "y": node([3, 5]), "style": node(style), "marker": node("o"),
        })  # fmt: skip
        return v.Opaque(2, "matplotlib.axes.Axes", (), "axes", {"artists": v.Sequence(items=(line,))})

    check = "{plot: {of: x, only: true, draws: [{artist: points, data: {x: [1, 2], y: [3, 5]}}]}}"
    assert outcome_of(check, {"x": chart("None")}).passed
    assert (
        outcome_of(check, {"x": chart("-")}).message
        == "The plot shows a line; it should show a scatter plot."
    )


def test_text_that_is_returned_instead_of_printed() -> None:
    spec = "calls: {of: f, cases: [{arguments: [], stdout: '#'}]}"
    assert judged(spec, "def f():\n    return '#'").message.startswith(
        "f() returns its text, but it should print it"
    )


def test_message_on_a_column_names_it() -> None:
    found = outcome_of(
        "{equal: {of: {variable: t, column: a}, to: {value: [1, 3]}, container: any}}",
        {"t": table({"a": [1, 2]})},
    )
    assert found.message.startswith("The column a of t is an array of shape (2,)")


@pytest.mark.parametrize(("body", "holds"), [("1 + depth(x[1:])", True), ("len(x)", False)])
def test_recursive_lambda(body: str, holds: bool) -> None:
    code = f"depth = lambda x: {body}"
    value = v.Callable(name="<lambda>", cls="builtins.function", source=code)
    check = check_of("{source: {of: depth, recursive: true}}", ["depth"])
    assert check.evaluate(Scene({"depth": value}, code=(Code(1, code),))).passed is holds
