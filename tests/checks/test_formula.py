"""Formulas: what they mean, what they refuse, and that they always come to an end."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import values as v
from checks.formula import Failure, FormulaError, Result, evaluate, parsed
from tests.checks.making import node, series, table

VALUES = {
    "n": 7,
    "xs": [3, 1, 2],
    "words": ["tree", "ox"],
    "m": np.arange(6.0).reshape(2, 3),
    "d": {"a": 1, "b": [2]},
    "s": {1, 2},
    "t": table({"id": [1, 2], "score": [5.0, 7.0]}),
    "col": series([10.0, 20.0], ["p", "q"]),
    "none": None,
    "obj": v.Opaque(id=1, cls="a.B"),
}
NODES = {name: node(value) for name, value in VALUES.items()}


def value(text: str) -> Any:
    found = evaluate(parsed(text), NODES, lambda name: node({"r": [1.0, 2.0]}[name]))
    assert isinstance(found, Result), found
    return found.value


MEANINGS: list[tuple[str, Any]] = [
    ("n * 2 + 1", 15), ("-n // 2", -4), ("2 ** 10 % 1000", 24), ("n / 2", 3.5), ("n == 7 and not n > 9", True),
    ("1 < n < 9", True), ("1 < n < 3", False), ("sum(xs)", 6), ("sum(m, axis=1)[1]", 12.0), ("sorted(xs)", [1, 2, 3]),
    ("xs[-1]", 2), ("xs[1:]", [1, 2]), ("m[1, 2]", 5.0), ("(m[:, 0])[1]", 3.0), ("max(m[m < 4])", 3.0),
    ("max(words)", "tree"), ("max(1, n, 3)", 7), ("len(words)", 2), ("[len(w) for w in words if len(w) > 2]", [4]),
    ("all(len(w) > 1 for w in words)", True), ("d['b'][0]", 2), ("'a' in d", True), ("3 in xs", True), ("'re' in 'tree'", True),
    ("set(xs) == {1, 2, 3}", True), ("s & {2, 5}", frozenset({2})), ("s | {1} == s", True), ("t['score'][1]", 7.0), ("columns(t)", ["id", "score"]),
    ("at(col, 'q')", 20.0), ("labels(col)", ["p", "q"]), ("sum(col * 2)", 60.0), ("len(t)", 2), ("shape(m)", (2, 3)),
    ("none is None", True), ("n if n > 3 else 0", 7), ("upper(words)", ["TREE", "OX"]), ("join('-', words)", "tree-ox"),
    ("round(3.14159, 2)", 3.14), ("norm([3, 4])", 5.0), ("dot([1, 2], [3, 4])", 11), ("m[0] @ m[0]", 5.0), ("close(0.1 + 0.2, 0.3)", True),
    ("xs == [3, 1, 2]", True), ("all(m == m)", True), ("m == [1, 2]", False), ("sum(reference(r))", 3.0), ("kind(t)", "table"),
    ("[a + b for a, b in zip(xs, [1, 1, 1])]", [4, 2, 3]), ("{w: len(w) for w in words}", {"tree": 4, "ox": 2}), ("str(n) + '!'", "7!"),
    ("[i * x for i, x in enumerate(xs)]", [0, 1, 4]), ("any(x > 2 for x in xs)", True), ("mean([1, 2, 3, 4])", 2.5), ("pi > 3", True),
    ("10 ** 20 in {10 ** 20}", True), ("10 ** 400 in {10 ** 400}", True), ("'int 100000000000000000000' in {10 ** 20}", False), ("list({10 ** 20})[0] - 1", 10**20 - 1),
    ("keys({10 ** 20: 1})[0] - 1", 10**20 - 1), ("len({10 ** 20, 'int 100000000000000000000', 10.0 ** 20})", 2),
    ("[x for x in range(3) for y in xs if y == x]", [1, 2]), ("count(xs, 3)", 1), ("sum([])", 0.0), ("none == 1", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MEANINGS, ids=[row[0] for row in MEANINGS])
def test_meaning(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected) or isinstance(found, (np.floating, np.bool_, np.integer))


MISTAKES = [
    ("t.score", "no attributes"), ("lambda x: x", "no lambda"), ("(x := 3)", "assigns nothing"), ("f'{n}'", "no f-strings"),
    ("lenn(xs)", "there is no function 'lenn', but 'len'"), ("__import__('os')", "no function '__import__'"), ("(1)(2)", "only functions can be called"),
    ("len()", "missing a required argument"), ("len(xs, 2)", "too many positional arguments"), ("reference('r')", "write reference(name)"),
    ("n + * 2", "cannot be read at character"), ("n is 7", "asks for None alone"), ("sum(*xs)", "no starred"), ("b'x'", "numbers, texts"),
    ("[" * 300 + "]" * 300, "cannot be read"), ("+".join(["n"] * 300), "more than 400 pieces"), ("n" * 3000, "the limit is"), ("await n", "no await"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), MISTAKES, ids=[row[0][:20] for row in MISTAKES])
def test_what_is_not_allowed_is_told_when_it_is_read(text: str, says: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parsed(text)
    assert says in str(caught.value)


UNDEFINED = [
    ("n / 0", "division by zero"), ("xs[9]", "out of range"), ("d['z']", "there is no key 'z'"), ("words + 1", "other things than numbers"),
    ("obj > 1", "something else than numbers"), ("absent + 1", "absent has no value"), ("m and n", "all(…) or any(…)"), ("max([])", "it is empty"),
    ("t['zz']", "there is no column zz"), ("m + [1, 2]", "broadcast"), ("int('x')", "invalid literal"), ("{m: 1}", "cannot be an element"), ("sum(words)", "numbers"),
    ("at(col, 'z')", "comes 0 times"), ("t == t", "the kind equal"), ("obj == 1", "the kind equal"), ("len(n)", "len()"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), UNDEFINED, ids=[row[0] for row in UNDEFINED])
def test_what_has_no_value_is_a_failure_with_its_reason(text: str, why: str) -> None:
    found = evaluate(parsed(text), NODES, lambda name: node(1))
    assert isinstance(found, Failure)
    assert why in found.why


COSTLY = [
    "9 ** 9 ** 9", "[x for x in range(99999) for y in range(99999)]", "range(10 ** 9)", "sum(range(99999)) ** 99999999",
    "replace(join('', ['a' for i in range(50000)]), 'a', join('', ['b' for i in range(50000)]))",
    "array(range(99999)) @ array([range(99999)])", "len([array(range(99999)) for i in range(99999)])", "dot(array([[x] for x in range(9999)]), array([range(9999)]))",
]  # fmt: skip


@pytest.mark.parametrize("text", COSTLY)
def test_costly_formula_comes_to_an_end(text: str) -> None:
    started = time.process_time()
    assert isinstance(evaluate(parsed(text), NODES, lambda name: node(1)), Failure)
    assert time.process_time() - started < 20


SHAPES: list[tuple[str, Any, Any, bool]] = [
    # An axis of length 1 that the student chose is none that was made.
    ("x == y", [[1, 2]], [[1, 2], [1, 2]], False),
    ("x == y", [[1], [2]], [[1, 1], [2, 2]], False),
    ("not all(x != y)", [[1, 2]], [[1, 2], [1, 2]], False),
    ("x[:, None] == y[None, :]", [1, 1], [1, 1, 1], True),
    ("x[:, None] == y[None, :]", [1], [1, 1, 1], True),
    ("x[:, None] == y", [1, 1], [[1, 1, 1], [1, 1, 1]], True),
    ("x[:, None] == y", [1], [[1, 1, 1], [1, 1, 1]], False),
    ("x[None] == y", [1, 2], [[1, 2], [1, 2]], True),
    ("x[0, :, None] == y", [[1, 2]], [[1, 1], [2, 2]], True),
    ("abs(x[:, None] * 2) - mean(x) == y", [1, 1], [[1, 1], [1, 1]], True),
    ("x[:, None] - y[None, :] == [[0, 0], [0, 0]]", [1], [1, 1], False),
    # Where an axis that was made has gone cannot be told from the formula alone.
    ("where(x[:, None] > 9, 0, x[:, None]) == y[None, :]", [1, 1], [1, 1, 1], True),
    ("transpose(x[None, :]) == y[None, :]", [1, 1], [1, 1, 1], True),
    ("(x[:, None] if len(x) else x[:, None]) == y[None, :]", [1, 1], [1, 1, 1], True),
    ("transpose(x) == y", [[1], [2]], [[1, 2], [1, 2]], False),
    ("x == 1", [[1, 1]], 0, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x", "y", "holds"), SHAPES)
def test_only_axes_that_the_formula_makes_go_with_each_place_of_another(
    text: str, x: Any, y: Any, holds: bool
) -> None:
    given = {"x": node(np.array(x)), "y": node(np.array(y))}
    found = evaluate(parsed(f"all({text})"), given, lambda name: node(1))
    assert isinstance(found, Result), found
    assert found.value is holds


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
def test_comparison_of_every_pair_is_bounded(sign: str) -> None:
    given = {"x": node(np.arange(20_000)), "y": node(np.arange(20_000))}
    found = evaluate(parsed(f"all(x[:, None] {sign} y[None, :])"), given, lambda name: node(1))
    assert isinstance(found, Failure)
    assert "elements" in found.why


def test_names_are_those_that_no_comprehension_binds() -> None:
    formula = parsed("[a * k for a in xs if a in reference(r)] == ys and len(a) > pi")
    assert (formula.names, formula.references) == (("xs", "k", "ys", "a"), ("r",))


@pytest.mark.parametrize(
    ("text", "condition"),
    [("n > 1", True), ("all(xs)", True), ("(m > 1) & (m < 3)", True), ("not n", True), ("n", False), ("sum(xs)", False), ("n > 1 and n", False)],
)  # fmt: skip
def test_condition_is_told_from_a_value(text: str, condition: bool) -> None:
    assert parsed(text).is_condition is condition


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_arithmetic_is_that_of_arrays(numbers: list[float]) -> None:
    found = evaluate(parsed("sqrt(abs(x)) * 2 - x"), {"x": node(numbers)}, lambda name: node(1))
    assert isinstance(found, Result)
    assert np.array_equal(found.value, np.sqrt(np.abs(numbers)) * 2 - np.array(numbers))


@given(st.text(alphabet="xn()[]+-*/<>=.,:'\"0123 andornotifelsein", max_size=40))
def test_any_text_is_a_formula_or_a_mistake_and_never_an_error(text: str) -> None:
    try:
        formula = parsed(text)
    except FormulaError:
        return
    evaluate(formula, NODES, lambda name: node(1))
