"""The kinds plot, attributes, history, text, source and file over hand-made evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import SpecError
from checks.evidence import values as v
from checks.judge import judge
from tests.checks.making import SUBMISSION, cell, evidence, node, notebook, small_assignment, snapshot, table
from tests.checks.making_objects import (
    axes,
    bars,
    estimator,
    figure,
    function,
    line,
    points,
    thing,
    training,
    written,
)
from tests.checks.test_judge_any_value import NODES, SLOW

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
JPEG = (
    b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + (48).to_bytes(2, "big") + (64).to_bytes(2, "big") + b"\3"
)


def reason(check: str, value: Any, reference: Any = None, source: str = "answer = 1", **others: Any) -> str:
    """How a check about ``answer`` comes out: ``passed``, else the reason that its message tells."""
    word = check.split(":", 1)[0].strip("{ ")
    reasons = small_assignment(_part(check)).parts[0].checks[0].kind.reasons
    messages = "".join(f", {each}: {each}!" for each in reasons).lstrip(", ")
    assignment = small_assignment(_part(check[:-1] + f", messages: {{{messages}}}}}"))
    part = assignment.parts[0]
    assert part.checks[0].word == word
    seen = [snapshot("q1", "check", 0, {"answer": value, **others})]
    theirs = evidence([], [snapshot("q1", "check", 0, {"answer": reference, **others})])
    feedback = judge(
        assignment, evidence([cell(0, f"{source}\nq1.check()")], seen), theirs, SUBMISSION
    ).parts[0]
    return "passed" if feedback.status == "correct" else feedback.message.rstrip("!").replace("\\", "")


def _part(check: str) -> str:
    return f"    variables: {{answer: {{}}, films: {{role: set-up}}}}\n    checks:\n      - {check}\n"


def mistakes(check: str) -> str:
    with pytest.raises(SpecError) as caught:
        small_assignment(_part(check))
    return str(caught.value)


BOTH = axes(
    line([1, 2], [3, 4], label="a", color="#ff0000", style="--"), points([1.0, 2.0], [5, 6]), legend=["a"]
)
DRAWS = "{plot: {of: answer, draws: [%s]}}"
PLOTS = [
    (DRAWS % "{artist: line, data: {x: [1, 2], y: [3, 4]}}", BOTH, "passed"),
    (DRAWS % "{artist: line, data: {y: [3, 4.0000000001]}}", BOTH, "passed"),
    (DRAWS % "{artist: line, data: {y: [4, 3]}}", BOTH, "data"),
    (DRAWS % "{artist: line, order: any, data: {y: [4, 3]}}", BOTH, "passed"),
    (DRAWS % "{artist: points, data: {x: [2, 1], y: [6, 5]}}", BOTH, "passed"),
    (DRAWS % "{artist: points, data: {x: [2, 1], y: [5, 6]}}", BOTH, "data"),
    (DRAWS % "{artist: points, data: {x: {variable: films, column: n}}}", BOTH, "passed"),
    (DRAWS % "{artist: line, color: red, style: '--', label: {contains: A}}", BOTH, "passed"),
    (DRAWS % "{artist: line, color: blue}", BOTH, "look"),
    (DRAWS % "{artist: line, label: b}", BOTH, "label"),
    (DRAWS % "{artist: line, count: 2}", BOTH, "count"),
    (DRAWS % "{artist: bars}", BOTH, "artist"),
    (DRAWS % "{artist: bars, count: 0}", BOTH, "passed"),
    (DRAWS % "{artist: points, pieces: {min: 3}}", BOTH, "pieces"),
    (DRAWS % "{artist: histogram, data: {edges: [-0.5, 0.5, 1.5], length: [1, 2]}}",
     axes(bars(None, [1, 2], 1.0)), "passed"),
    (DRAWS % "{artist: histogram}", axes(bars(["a", "b"], [1, 2])), "artist"),
    (DRAWS % "{artist: bars, data: {names: [b, a], length: [2, 1]}}",
     axes(bars(["a", "b"], [1, 2])), "passed"),
    (DRAWS % "{artist: bars, data: {names: [a, b], length: [2, 1]}}",
     axes(bars(["a", "b"], [1, 2])), "data"),
    ("{plot: {of: answer, only: true, draws: [{artist: line}]}}", BOTH, "extra"),
    ("{plot: {of: answer, legend: [A]}}", BOTH, "passed"),
    ("{plot: {of: answer, legend: [a, b]}}", BOTH, "legend"),
    ("{plot: {of: answer, legend: false}}", BOTH, "legend_extra"),
    ("{plot: {of: answer, legend: true}}", axes(), "legend_missing"),
    ("{plot: {of: answer, title: Any  Words}}", axes(title="any words "), "passed"),
    ("{plot: {of: answer, title: {contains: x}}}", axes(title="y"), "wording"),
    ("{plot: {of: answer, xlabel: true}}", axes(title="y"), "wording_missing"),
    ("{plot: {of: answer, title: false}}", axes(title="y"), "wording_extra"),
    ("{plot: {of: answer, title: both}}", figure(axes(), title="Both"), "passed"),
    ("{plot: {of: answer, xscale: log}}", axes(xscale="linear"), "scale"),
    ("{plot: {of: answer, ylim: [0, null]}}", axes(ylim=[0.0, 7.0]), "passed"),
    ("{plot: {of: answer, ylim: [0, 8]}}", axes(ylim=[0.0, 7.0]), "limits"),
    ("{plot: {of: answer, xticks: [a, b]}}", axes(xticks=["b", "a"]), "ticks"),
    ("{plot: {of: answer, axes: 2}}", figure(axes(), axes()), "passed"),
    ("{plot: {of: answer, axes: 2}}", figure(axes()), "axes"),
    ("{plot: {of: answer, at: 1, title: t}}", figure(axes(title="t"), axes()), "wording_missing"),
    ("{plot: {of: answer, at: 2, title: t}}", figure(axes(title="t"), axes()), "no_axes"),
    ("{plot: {of: answer, title: t}}", figure(axes(), axes(title="t")), "passed"),
    ("{plot: {of: answer, title: true}}", 3, "not_plot"),
    (DRAWS % "{artist: line}", [line([1], [2])], "passed"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "value", "expected"), PLOTS)
def test_plot(check: str, value: Any, expected: str) -> None:
    assert reason(check, value, films=table({"n": np.array([2.0, 1.0])})) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (axes(points([1.0, 2.0], [5, 6]), line([1, 2], [3, 4], label="other")), "passed"),
        (axes(points([1.0, 2.0], [5, 6]), line([1, 2], [3, 9])), "data"),
        (axes(line([1, 2], [3, 4])), "artist"),
    ],
)
def test_a_plot_like_the_author_s_draws_everything_that_it_draws(seen: v.Opaque, expected: str) -> None:
    assert reason("{plot: {of: answer, like: reference}}", seen, BOTH) == expected


def test_data_can_be_the_author_s_plot_s() -> None:
    check = DRAWS % "{artist: line, data: {y: reference}}"
    two = axes(line([1, 2], [9, 9]), line([1, 2], [3, 4]))
    assert reason(check, axes(line([5, 6], [3, 4])), two) == "passed"
    assert reason(check, axes(line([5, 6], [3, 5])), two) == "data"
    assert "could not be judged" in reason(check, two, 3)


MODEL = estimator(
    "sklearn.linear_model.Ridge", fitted=True, alpha=1.0, coef_=np.array([2.0]), solver=(1, "a")
)
ATTRIBUTES = "{attributes: {of: answer, that: {%s}}}"


@pytest.mark.parametrize(
    ("that", "value", "expected"),
    [
        ("alpha: 1", MODEL, "passed"),
        ("alpha: 1, solver: [1, a]", MODEL, "passed"),
        ("alpha: true", MODEL, "different"),
        ("fitted: 1", MODEL, "different"),
        ("alpha: 2", MODEL, "different"),
        ("beta: 2", MODEL, "attribute_missing"),
        ("coef_: {equal: {of: value, to: {value: [2]}, container: any, dtype: any}}", MODEL, "passed"),
        ("coef_: {equal: {of: value, to: reference}}", MODEL, "passed"),
        ("coef_: {size: {of: value, length: 2}}", MODEL, "failed"),
        ("coef_: 1", estimator("Ridge", alpha=1.0), "not_fitted"),
        ("steps.0.1.alpha: 1", thing("estimator", steps=[("ridge", MODEL)]), "passed"),
        ("steps.1.1.alpha: 1", thing("estimator", steps=[("ridge", MODEL)]), "attribute_missing"),
        ("alpha: 1", 3, "nothing_known"),
        ("parameters: [a, b], defaults.b: 2", function(
            "", parameters=(v.Parameter("a", "plain"), v.Parameter("b", "plain", node(2)))), "passed"),
        ("dtype: float64, shape: [2]", np.array([1.0, 2.0]), "passed"),
    ],
)  # fmt: skip
def test_attributes(that: str, value: Any, expected: str) -> None:
    assert reason(ATTRIBUTES % that, value, MODEL) == expected


HISTORY = training(loss=[3.0, 1.0, 2.0], val_mae=[0.5, 0.4, 0.3], accuracy=[0.1, 0.9, 0.8])


@pytest.mark.parametrize(
    ("settings", "value", "expected"),
    [
        ("has: [loss, val_mean_absolute_error, acc]", HISTORY, "passed"),
        ("has: [val_loss]", HISTORY, "keys"),
        ("epochs: 3", HISTORY, "passed"),
        ("epochs: {min: 4}", HISTORY, "epochs"),
        ("metrics: {loss: {best: {max: 1}, best_epoch: 2, improves: true}}", HISTORY, "passed"),
        ("metrics: {loss: {last: {max: 1}}}", HISTORY, "last"),
        ("metrics: {loss: {best: {max: 0.5}}}", HISTORY, "best"),
        ("metrics: {accuracy: {best: {min: 0.9}, best_epoch: 2, improves: true}}", HISTORY, "passed"),
        ("metrics: {accuracy: {best_epoch: 1}}", HISTORY, "best_epoch"),
        ("metrics: {accuracy: {better: lower, improves: true}}", HISTORY, "improves"),
        ("metrics: {loss: {last: {max: 9}}}", training(loss=[1.0, float("nan")]), "not_finite"),
        ("epochs: 2", {"loss": [1.0, 0.5]}, "passed"),
        ("epochs: 2", table({"loss": np.array([1.0, 0.5])}), "passed"),
        ("epochs: 2", training(), "empty"),
        ("epochs: 2", {"loss": "low"}, "not_history"),
    ],
)
def test_history(settings: str, value: Any, expected: str) -> None:
    assert reason(f"{{history: {{of: answer, {settings}}}}}", value) == expected


@pytest.mark.parametrize(
    ("settings", "value", "expected"),
    [
        ("is: Hello  World", "hello world ", "passed"),
        ("is: {equal: Hello, ignore: []}", "hello", "equal"),
        ("is: [yes, 'no']", "No", "passed"),
        ("is: {contains: [a, b]}", "a", "contains"),
        ("is: {any_of: [a, b]}", "a", "passed"),
        ("is: {excludes: lorem}", "Lorem ipsum", "excludes"),
        ("is: {equal: cafe, ignore: [accents, punctuation, blanks]}", "«café»!", "passed"),
        ("is: {matches: '^[a-z]+$'}", "ABC", "passed"),
        ("is: {matches: '^[a-z]+$', ignore: []}", "ABC", "matches"),
        ("is: {words: {min: 3}}", "don't you", "words"),
        ("is: {lines: 2}", "a\n\nb\n", "passed"),
        ("is: {lines: 1}", "a\nb", "lines"),
        ("to: reference", "The same", "passed"),
        ("to: {value: other}", "The same", "equal"),
        ("is: a", 3, "not_text"),
        ("is: a", v.Text(v="a", cut=9), "cut"),
    ],
)
def test_text(settings: str, value: Any, expected: str) -> None:
    assert reason(f"{{text: {{of: answer, {settings}}}}}", value, "the  same") == expected


CODE = "import numpy as np\nfrom numpy.linalg import norm as length\n"


@pytest.mark.parametrize(
    ("settings", "source", "expected"),
    [
        ("require: [{call: np.linalg.norm}]", CODE + "answer = length([1])", "passed"),
        ("require: [{call: numpy.linalg.norm}]", CODE + "answer = np.linalg.norm([1])", "passed"),
        ("require: [{call: np.linalg.norm}]", "def norm(x): return x\nanswer = norm(1)", "missing"),
        ("require: [{call: norm}]", "answer = a.b.norm(1)", "passed"),
        ("require: [{method: groupby}]", "answer = films.groupby('x')", "passed"),
        ("forbid: [loop]", "%timeit 1\nanswer = [x for x in y]", "passed"),
        ("forbid: [comprehension]", "!ls\nanswer = [x for x in y]", "forbidden"),
        ("forbid: [{module: scipy}]", "import scipy.stats as s\nanswer = s", "forbidden"),
        ("forbid: [{literal: 42}]", "answer = 42", "forbidden"),
        ("forbid: [{literal: 1}]", "answer = True", "passed"),
        ("forbid: [{operator: '**'}]", "answer = 2 ** 3", "forbidden"),
        ("forbid: [{argument: inplace}]", "films.drop(inplace=True)\nanswer = films", "forbidden"),
        ("require: [{construct: for, count: 2}]", "for answer in x: pass", "count"),
        ("forbid: [{construct: if, count: {min: 2}}]", "answer = 1 if x else 2", "passed"),
        ("statements: {max: 2}", "a = 1\nb = 2\nanswer = 3", "statements"),
        ("forbid: [loop]", "answer = (", "not_python"),
    ],
)
def test_source_of_the_part_s_cells(settings: str, source: str, expected: str) -> None:
    assert reason(f"{{source: {{{settings}}}}}", 1, source=source) == expected


FACTORIAL = "def f(n):\n    '''Says.'''\n    if n:\n        return n * f(n - 1)\n    return 1\n"


@pytest.mark.parametrize(
    ("settings", "value", "expected"),
    [
        ("recursive: true, statements: 3", function(FACTORIAL), "passed"),
        ("forbid: [function]", function("    " + FACTORIAL.replace("\n", "\n    ")), "passed"),
        ("recursive: true", function("def f(n): return g(n)"), "recursion"),
        ("require: [lambda]", function("f = lambda x: x"), "missing"),
        ("forbid: [loop]", 3, "not_function"),
        ("forbid: [loop]", function(""), "not_function"),
    ],
)
def test_source_of_a_function(settings: str, value: Any, expected: str) -> None:
    assert reason(f"{{source: {{of: answer, {settings}}}}}", value) == expected


def test_code_that_the_exercise_gave_is_nobody_s() -> None:
    given = "import numpy as np\nfor x in []: pass"
    assignment = small_assignment(_part("{source: {forbid: [loop]}}"), notebook(given))
    cells = [cell(0, given), cell(1, "answer = 1"), cell(2, "q1.check()"), cell(3, "while False: pass")]
    taken = [snapshot("q1", "check", 2, {"answer": 1})]
    assert judge(assignment, evidence(cells, taken), None, SUBMISSION).parts[0].status == "correct"
    looped = [cell(0, given), cell(1, "for answer in [1]: pass"), cell(2, "q1.check()")]
    (part,) = judge(assignment, evidence(looped, taken), None, SUBMISSION).parts
    assert "line 1 of code cell 2" in part.message


FILE = "{file: {of: answer, %s}}"
CSV = "a,b\n1,x\n,y\n"


@pytest.mark.parametrize(
    ("settings", "value", "expected"),
    [
        ("size: {max: 3}", written("n", "abc"), "passed"),
        ("size: {max: 2}", written("n", "abc"), "size"),
        ("text: Abc", written("n", "abc\n"), "passed"),
        ("text: {lines: 2}", written("n", "abc\n"), "lines"),
        ("text: abc", written("n", ""), "empty"),
        ("text: abc", written("n", b"\xff"), "not_text"),
        ("image: {format: png, width: 640, height: {max: 480}}", written("n", PNG), "passed"),
        ("image: {format: jpeg, width: 64, height: 48}", written("n", JPEG), "passed"),
        ("image: {width: 641}", written("n", PNG), "dimensions"),
        ("image: {format: gif}", written("n", PNG), "format"),
        ("image: {format: gif}", written("n", "text"), "not_image"),
        ("form: csv, that: {size: {of: value, shape: [2, 2]}}", written("n", CSV), "passed"),
        ("form: csv, that: {type: {of: {variable: value, column: a}, dtype: [float]}}",
         written("n", CSV), "passed"),
        ("form: csv, that: {equal: {of: {variable: value, column: b}, to: reference}}",
         written("n", CSV), "passed"),
        ("form: csv, that: {size: {of: value, length: 3}}", written("n", CSV), "failed"),
        ("form: csv, that: {size: {of: value, length: 3}}", written("n", "a,b\n1\n"), "unreadable"),
        ("form: json, that: {equal: {of: value, to: {value: {dict: [[a, [1, null]]]}}}}",
         written("n", '{"a": [1, null]}'), "passed"),
        ("form: json, that: {equal: {of: value, to: {value: 1}}}", written("n", "{"), "unreadable"),
        ("form: json, that: {equal: {of: value, to: {value: 1}}}", written("n", "[" * 10_000), "unreadable"),
        ("text: abc", "abc", "not_file"),
    ],
)  # fmt: skip
def test_file(settings: str, value: Any, expected: str) -> None:
    assert reason(FILE % settings, value, written("n", CSV)) == expected


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("{text: {of: answer, is: {matches: '(a'}}}", "missing ), unterminated subpattern"),
        ("{text: {of: answer, is: {matches: '(?=a)'}}}", "is not understood here"),
        ("{text: {of: answer, is: {ignore: case}}}", "any text is right"),
        ("{text: {of: answer}}", "any text would pass"),
        ("{plot: {of: answer, draws: [{artist: line, data: {yy: [1]}}]}}", "line has no 'yy'"),
        (
            "{plot: {of: answer, draws: [{artist: line, color: blau}]}}",
            "'blau' is no colour; did you mean 'blue'?",
        ),
        ("{plot: {of: answer}}", "any plot would pass"),
        ("{source: {forbid: [loops]}}", "'loops' is no construct"),
        ("{source: {recursive: true}}", "`of` must name it"),
        ("{source: {require: [{call: a, name: b}]}}", "names exactly one of"),
        ("{history: {of: answer, metrics: {loss: {}}}}", "nothing is asked of 'loss'"),
        ("{file: {of: answer, image: {}, text: a}}", "an image has no text"),
        ("{attributes: {of: answer, that: {a: {equal: {of: other, to: {value: 1}}}}}}", "'other' is none of"),
        ("{attributes: {of: answer, that: {a: {b: 1}}}}", "no literal"),
    ],
)
def test_the_author_s_mistakes_are_told(check: str, told: str) -> None:
    assert told in mistakes(check)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("{figure: true, file: a}", "what is a figure is no file"),
        ("{file: ../secret}", "no place beside the notebook"),
        ("{file: /etc/passwd}", "no place beside the notebook"),
        ("{figure: true, starter: null}", "has no placeholder"),
    ],
)
def test_products_have_their_rules(variable: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        small_assignment(f"    variables: {{a: {variable}}}\n    checks: [{{file: {{of: a}}}}]\n")


WORDS = st.sampled_from(["figure", "axes", "bars", "line", "points", "boxes", "pie", "file", "estimator", ""])
KEYS = st.sampled_from(
    ["axes", "artists", "x", "y", "length", "position", "thickness", "names", "title", "legend", "xlim",
     "text",
     "size", "whole", "bytes", "label", "colors", "fitted", "alpha", "name", "shares"]
)  # fmt: skip
OBJECTS = st.recursive(
    NODES,
    lambda inner: st.builds(
        v.Opaque,
        id=st.just(0),
        cls=st.just("a.B"),
        sort=WORDS,
        attributes=st.dictionaries(KEYS, st.one_of(inner, st.lists(inner, max_size=2).map(
            lambda found: v.Sequence(items=tuple(found)))), max_size=5),
    ),
    max_leaves=6,
)  # fmt: skip
EVERYTHING = small_assignment(
    """    variables: {answer: {}}
    credit: weighted
    checks:
      - plot:
          of: answer
          title: x
          legend: [a]
          xlim: [0, 1]
          xticks: [a]
          draws:
            - {artist: line, data: {x: [1], y: reference}, color: red}
            - {artist: bars, data: {names: [a], length: [1]}, pieces: 1}
            - {artist: histogram, data: {edges: [1, 2]}}
      - plot: {of: answer, like: reference}
      - attributes: {of: answer, that: {alpha: 1, fitted: {type: {of: value, is: [number]}}, x.0: a}}
      - history: {of: answer, has: [x], metrics: {x: {last: {max: 1}, improves: true}}}
      - text: {of: answer, is: {matches: a+b, words: 3}}
      - source: {of: answer, forbid: [loop], recursive: true}
      - file: {of: answer, form: csv, that: {size: {of: value, length: 1}}}
      - file: {of: answer, image: {format: png}}
"""
)


@SLOW
@given(OBJECTS)
def test_any_value_gets_a_verdict(value: v.AnyNode) -> None:
    theirs = evidence([], [snapshot("q1", "check", 0, {"answer": BOTH})])
    seen = evidence([cell(0, "q1.check()")], [snapshot("q1", "check", 0, {"answer": value})])
    assert judge(EVERYTHING, seen, theirs, SUBMISSION).parts[0].status != "correct"
