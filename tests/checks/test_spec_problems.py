"""Mistakes in a spec: all at once, each at its line and column, with what may have been meant."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import pytest

from checks.errors import SpecError
from checks.spec import load_spec
from checks.spec.reading import read_yaml

GOOD = """\
id: a/b
title: T
environment: python
reference: {variables: [other]}
inputs: {../input/x.csv: ../data/x.csv}
parts:
  - id: q1
    title: Q
    variables:
      norms: {starter: null}
    checks:
      - id: rows
        equal: {of: norms, to: reference}
        message: "{seen} is wrong"
    misconceptions:
      - id: other_one
        when: {equal: {of: norms, to: {reference: other}}}
        message: no
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(text.encode(), "a.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_good_spec_is_good() -> None:
    assert load_spec(GOOD.encode()).parts[0].answers == ("norms",)


CASES = [
    ("unknown key", "title: T", "titel: T", ["a.yaml:2:1: titel: unknown key 'titel'; did you mean 'title'?", "a.yaml:1:1: 'title' is missing"]),
    ("unknown kind", "        equal: {of", "        equals: {of", ["a.yaml:13:9: parts.0.checks.0.equals: unknown key 'equals'; did you mean 'equal'?"]),
    ("no kind", "        equal: {of: norms, to: reference}\n", "", ["a.yaml:12:9: parts.0.checks.0: a check needs exactly one kind, this one names no kind"]),
    ("two kinds", "        message:", "        size: {of: norms, ndim: 1}\n        message:", ["a.yaml:12:9: parts.0.checks.0: a check needs exactly one kind, this one names 2 kinds (equal, size)"]),
    ("wrong type", "title: Q", "title: 3", ["a.yaml:8:12: parts.0.title: input should be a valid string, not 3"]),
    ("YAML 1.1's yes", "to: reference}", "to: reference, prefix: yes}", ["a.yaml:13:51: parts.0.checks.0.equal.prefix: input should be a valid boolean, not 'yes'; write true or false"]),
    ("unknown variable", "equal: {of: norms", "equal: {of: norm", ["a.yaml:13:21: parts.0.checks.0.equal.of: 'norm' is none of the part's variables; did you mean 'norms'?"]),
    ("unknown reference", "{reference: other}", "{reference: othr}", ["a.yaml:17:51: parts.0.misconceptions.0.when.equal.to.reference: 'othr' is no variable of the reference run; did you mean 'other'?"]),
    ("unknown field", '"{seen} is', '"{sean} is', ["a.yaml:14:18: parts.0.checks.0.message: the message has an unknown field {sean}; did you mean 'seen'?"]),
    ("attribute in a field", '"{seen} is', '"{seen.v} is', ["a.yaml:14:18: parts.0.checks.0.message: '{seen.v}' is no field: a field is a plain lower-case name"]),
    ("single brace", '"{seen} is', '"{seen is', ["a.yaml:14:18: parts.0.checks.0.message: a single '{' in '{seen is w': write it twice to mean it"]),
    ("field in code", '"{seen} is', '"`{seen}` is', ["a.yaml:14:18: parts.0.checks.0.message: '{seen}' stands inside a code span, where escaped text would show its escapes"]),
    ("duplicate key", "title: T\n", "title: T\ntitle: U\n", ["a.yaml:3:1: title: the key 'title' comes twice; first in line 2"]),
    ("unknown reason", '        message: "', '        messages: {shap: a}\n        message: "', ["a.yaml:14:26: parts.0.checks.0.messages.shap: 'equal' has no reason 'shap'; did you mean 'shape'?"]),
    ("unknown need", "      - id: rows\n", "      - id: rows\n        needs: [roes]\n", ["a.yaml:13:17: parts.0.checks.0.needs.0: the part has no check 'roes'; did you mean 'rows'?"]),
    ("unsafe input", "../data/x.csv", "../../etc/passwd", ["a.yaml:5:26: inputs.../input/x.csv: '../../etc/passwd' is no file of the course's folder"]),
    ("unsafe target", "{../input/x.csv:", "{/etc/x.csv:", ["a.yaml:5:22: inputs./etc/x.csv: '/etc/x.csv' is no place beside or above the notebook; ../input/…"]),
    ("part twice", "    misconceptions:", "  - {id: q1, title: Q, graded: false}\n  - id: q2\n    title: Q\n    variables: {norms: {}}\n    checks: [{size: {of: norms, ndim: 1}}]\n    misconceptions:", ["a.yaml:15:10: parts.1.id: 'q1' is there already"]),
    ("nothing to judge", "      norms: {starter: null}", "      norms: {role: set-up}", ["a.yaml:10:7: parts.0.variables: a graded part needs a variable whose role is answer"]),
    ("a literal that is none", "{reference: other}", "{value: {a: 1}}", ["a.yaml:17:47: parts.0.misconceptions.0.when.equal.to.value: no literal: {'a': 1}; write a set as {set: [1, 2]}, a dict as {dict: [[key, value]]}"]),
    ("bounds the wrong way", "equal: {of: norms, to: reference}", "size: {of: norms, ndim: {min: 2, max: 1}}", ["a.yaml:13:33: parts.0.checks.0.size.ndim: min is above max: nothing can lie between"]),
    ("a check that asks for nothing", "equal: {of: norms, to: reference}", "type: {of: norms}", ["a.yaml:13:15: parts.0.checks.0.type: this check asks for nothing; is, class, items or dtype"]),
    ("needs in a circle", "      - id: rows\n", "      - id: rows\n        needs: [rows]\n", ["a.yaml:13:16: parts.0.checks.0.needs: 'rows' can never run: its needs lead back to itself"]),
    ("a branch twice", "equal: {of: norms, to: reference}\n", "any: [{size: {of: norms, ndim: 1}}, {size: {of: norms, ndim: 1}, id: b}]\n", ["a.yaml:13:45: parts.0.checks.0.any.1: an earlier branch asks for the same, so this one is never reached", "a.yaml:14:18: parts.0.checks.0.message: the message has an unknown field {seen}"]),
    ("a misconception twice", "        message: no\n", "        message: no\n      - {id: again, when: {equal: {of: norms, to: {reference: other}}}, message: x}\n", ["a.yaml:19:27: parts.0.misconceptions.1.when: an earlier misconception has the same condition, so this one is never reached"]),
    ("a misconception that is the check", "to: {reference: other}}}", "to: reference}}", ["a.yaml:17:15: parts.0.misconceptions.0.when: this is what the part's only check asks for, so it never holds for a wrong answer"]),
    ("points that do not add up", "title: T\n", "title: T\npoints: 3\n", ["a.yaml:3:9: points: the parts' points add up to 1, not 3"]),
    ("an unknown function", "equal: {of: norms, to: reference}", "equal: {of: norms, to: {formula: lenn(norms)}}", ["a.yaml:13:42: parts.0.checks.0.equal.to.formula: there is no function 'lenn', but 'len' (at character 1)"]),
    ("an unknown name in a formula", "equal: {of: norms, to: reference}", "equal: {of: norms, to: {formula: norm + 1}}", ["a.yaml:13:42: parts.0.checks.0.equal.to.formula: 'norm' is none of the part's variables; did you mean 'norms'?"]),
    ("an unknown aggregate", "{of: norms, to: reference}", "{of: {variable: norms, select: lenght}, to: reference}", ["a.yaml:13:47: parts.0.checks.0.equal.of.select: input should be 'sum', 'mean', 'median', 'min', 'max', 'std', 'var', 'any', 'all', 'len'"]),
    ("two steps in one", "{of: norms, to: reference}", "{of: {variable: norms, select: {item: 1, column: a}}, to: reference}", ["a.yaml:13:47: parts.0.checks.0.equal.of.select: a step is exactly one of item, attribute"]),
    ("bounds that nothing keeps", "equal: {of: norms, to: reference}", "range: {of: norms, above: 2, max: 2}", ["a.yaml:13:16: parts.0.checks.0.range: no number can lie within these bounds"]),
    ("an option twice", "equal: {of: norms, to: reference}", "one_of: {of: norms, accept: [1, 1]}", ["a.yaml:13:41: parts.0.checks.0.one_of.accept.1: an earlier option says the same, so this one is never reached"]),
    ("a gate to a later part", "    variables:\n", "    needs: [q2]\n    variables:\n", ["a.yaml:9:13: parts.0.needs.0: there is no part 'q2' before this one"]),
    ("steps that fit no check", "    checks:\n", "    credit: {steps: [0.5, 1]}\n    checks:\n", ["a.yaml:11:21: parts.0.credit.steps: 2 steps for 1 checks: one number for each check"]),
    ("a check that looks at no item", "equal: {of: norms, to: reference}", "each: {of: norms, check: {size: {of: norms, ndim: 1}}}", ["a.yaml:13:34: parts.0.checks.0.each.check: the check looks neither at item nor at key; of: item"]),
    ("a type that no column has", "equal: {of: norms, to: reference}", "table: {of: norms, columns: {a: {dtype: int}}}", ["a.yaml:13:49: parts.0.checks.0.table.columns.a.dtype: there is no type 'int' of elements; did you mean integer?"]),
    ("a type that nothing has", "equal: {of: norms, to: reference}", "type: {of: norms, dtype: [float64, flot]}", ["a.yaml:13:44: parts.0.checks.0.type.dtype.1: there is no type 'flot' of elements; did you mean 'float'?"]),
    ("a type that a family means", "equal: {of: norms, to: reference}", "type: {of: norms, dtype: datetime}", ["a.yaml:13:34: parts.0.checks.0.type.dtype: there is no type 'datetime' of elements; did you mean time?"]),
    ("a result of nothing", "equal: {of: norms, to: reference}", "calls: {of: norms, expected: {result_of: othr}, cases: [{arguments: []}]}", ["a.yaml:13:50: parts.0.checks.0.calls.expected.result_of: 'othr' is no variable of the reference run; did you mean 'other'?"]),
    ("a result of a function in a case", "equal: {of: norms, to: reference}", "calls: {of: norms, cases: [{arguments: [], expected: {result_of: other}}]}", ["a.yaml:13:62: parts.0.checks.0.calls.cases.0.expected: another function is called for all cases: say so beside `of`"]),
    ("a relation that is no condition", "equal: {of: norms, to: reference}", "relation: {holds: sum(norms)}", ["a.yaml:13:27: parts.0.checks.0.relation.holds: the formula gives a value, not a yes or no; compare it, or close it in all(…), any(…), close(…)"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_mistake(old: str, new: str, expected: list[str]) -> None:
    assert old in GOOD
    found = sorted(problems_of(GOOD.replace(old, new, 1)))
    assert len(found) == len(expected)
    assert all(one.startswith(other) for one, other in zip(found, sorted(expected), strict=True)), found


def test_all_mistakes_come_at_once_even_behind_each_other() -> None:
    bad = GOOD.replace("title: T", "titel: T").replace(
        "equal: {of: norms, to", "equal: {of: nrms, too: 1, to", 1
    )
    bad = bad.replace("title: Q", "title: 3").replace("{reference: other}", "{reference: othr}")
    assert [problem.split(": ")[1] for problem in problems_of(bad)] == [
        "'title' is missing",
        "titel",
        "parts.0.title",
        "parts.0.checks.0.equal.of",
        "parts.0.checks.0.equal.too",
        "parts.0.misconceptions.0.when.equal.to.reference",
    ]


NOT_YAML = [
    ("a: [1", "not YAML"),
    ("a: 1\n---\nb: 2", "not YAML"),
    ("", "empty"),
    ("a: &x [*x]", "inside itself"),
    ("a: &a [1]\nb: [" + ", ".join(["*a"] * 101) + "]", "101 aliases"),
    ("a: " + "[" * 80 + "]" * 80, "too deep"),
    ("x" * (1 << 20) + "x", "the limit is"),
]


@pytest.mark.parametrize(("text", "says"), NOT_YAML, ids=[row[1] for row in NOT_YAML])
def test_what_is_no_spec_at_all_is_refused(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        load_spec(text.encode())


def test_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(SpecError, match="too many values"):
        load_spec("\n".join(lines).encode())


SCALARS = [
    ("no", "no"), ("yes", "yes"), ("on", "on"), ("012", 12), ("0o14", 12), ("0x1F", 31), ("1e-5", 1e-5), ("1_000", "1_000"),
    ("12:30:45", "12:30:45"), ("2024-01-01", "2024-01-01"), ("~", None), ("null", None), ("true", True), ("-.inf", float("-inf")),
    ("'1'", "1"), ("+3", 3), (".5", 0.5), ("=", "="), ("<<", "<<"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = read_yaml(f"a: {text}".encode(), "a.yaml").data["a"]
    assert (found, type(found)) == (value, type(value))


def test_tag_that_means_nothing_here_is_a_mistake() -> None:
    assert problems_of(GOOD.replace("title: Q", "title: !py Q"))[0].startswith(
        "a.yaml:8:12: parts.0.title: 'Q' cannot"
    )


SUSPICIOUS = [
    ("yes", "yes is a text here; write true or false to mean that, or 'yes' in quotes"),
    ("Off", "Off is a text here; write true or false to mean that, or 'Off' in quotes"),
    (
        "012",
        "012 is a whole number in tens here; write it without the zero, 0o… for octal, or '012' in quotes",
    ),
    ("1_000", "1_000 is a text here; write a plain number to mean that, or '1_000' in quotes"),
    ("12:30", "12:30 is a text here; write a plain number to mean that, or '12:30' in quotes"),
    ("'yes'", ""),
    ('"012"', ""),
    ("12", ""),
    ("notes", ""),
    ("2024-01-01", ""),
]


@pytest.mark.parametrize(("text", "says"), SUSPICIOUS)
def test_word_that_another_yaml_reads_otherwise_is_a_warning(text: str, says: str) -> None:
    document = read_yaml(f"a:\n  - {text}".encode(), "a.yaml")
    assert [str(each) for each in document.warnings] == ([f"a.yaml:2:5: a.0: {says}"] if says else [])
    assert document.problems == []


def test_word_out_of_a_list_is_suggested() -> None:
    (found,) = problems_of(GOOD.replace("to: reference}", "to: reference, rows: anny}", 1))
    assert found.endswith("not 'anny'; did you mean 'any'?")
