"""Calls of students' functions in the real sandbox: made, recorded, judged, and nothing of them left behind."""

# ruff: noqa: E501 - a case of a table is one line, however long

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent, indent

import pytest

from checks.assignment import Assignment
from checks.evidence import Evidence
from checks.evidence import values as v
from checks.feedback import PartFeedback, SubmissionInfo
from checks.judge import judge
from checks.plan import CallsPlan, CasePlan, PartPlan, RunPlan, StepPlan
from tests.conftest import need
from tests.grader.arithmetic import notebook
from tests.worker.runs import run_cells
from worker.attempt import Attempt, run_attempt
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import WarmServer, require_sandbox

pytestmark = pytest.mark.sandbox
HEAD = """\
id: tests/calls
title: Functions
environment: python
module: learntools.tests.calls
limits: {seconds: 120, cell_seconds: 60}
parts:
"""
IMPORTS = "from learntools.core import binder; binder.bind(globals())\nfrom learntools.tests.calls import *"


@dataclass(frozen=True)
class Case:
    """A part of its own: ``check`` is the YAML of ``calls`` without ``of``, which is always ``f``'s own name."""

    name: str
    check: str
    author: str
    student: str
    status: str
    words: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        return f"f_{self.name}"


DOUBLE = "def f(x): return 2 * x"
TWO = "cases: [{id: one, arguments: [1], returns: 2}, {id: two, arguments: [2], returns: 4}]"
REFERENCE = "expected: reference\ncases: [{id: one, arguments: [1]}, {id: two, arguments: [2]}]"
CASES = [
    Case("right", TWO, DOUBLE, "def f(x):\n    return x + x", "correct"),
    Case("lambda", TWO, DOUBLE, "f = lambda x: x + x", "correct"),
    Case("reference", REFERENCE, DOUBLE, "def f(x): return x + x", "correct"),
    Case("wrong", TWO, DOUBLE, "def f(x): return x * x", "incorrect", ("(1) gives 1, which is not right",)),
    Case("otherwise", REFERENCE, DOUBLE, "def f(x): return x * x", "incorrect", ("(1) gives 1,",)),
    Case("half", "credit: weighted\n" + TWO, DOUBLE, "def f(x): return x * x", "partial", ("(1) gives 1",)),
    Case("prints", TWO, DOUBLE, "def f(x): print(x + x)", "incorrect", ("printed '2", "not printed")),
    Case("forgets", TWO, DOUBLE, "def f(x): x + x", "incorrect", ("returned None: is a return missing",)),
    Case("raises", TWO, DOUBLE, "def f(x):\n    y = x - 1\n    return 2 * x / y", "incorrect", ("(1) raised ZeroDivisionError: division by zero in line 3: return 2 \\* x / y",)),
    Case("arity", TWO, DOUBLE, "def f(x, y): return x", "incorrect", ("(1) is not possible: f", "missing 1 required positional argument: 'y'")),
    Case("endless", "seconds: 0.5\n" + TWO, DOUBLE, "def f(x):\n    while True: pass", "incorrect", ("(1) did not come to an end within 0.5 seconds",)),
    Case("uninterruptible", "seconds: 0.5\n" + TWO, DOUBLE, "import signal\ndef f(x):\n    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})\n    while True: pass", "incorrect", ("did not come to an end",)),
    Case("recursion", TWO, DOUBLE, "def f(x): return f_recursion(x) + 1", "incorrect", ("calls itself again and again",)),
    Case("mutates", "mutates: false\ncases: [{arguments: [[3, 1, 2]], returns: [1, 2, 3]}]", "def f(x): return sorted(x)", "def f(x):\n    x.sort()\n    return x", "incorrect", ("(\\[3, 1, 2\\]) changes its first argument",)),
    Case("in_place", "cases: [{arguments: [[3, 1, 2]], returns: null, arguments_after: [[1, 2, 3]], mutates: true}]", "def f(x): x.sort()", "def f(x): x.sort()", "correct"),
    Case("not_in_place", "cases: [{arguments: [[3, 1, 2]], returns: null, mutates: true}]", "def f(x): x.sort()", "def f(x): x = sorted(x)", "incorrect", ("leaves its arguments as they were",)),
    Case("returns_too", "cases: [{arguments: [[3, 1, 2]], returns: null}]", "def f(x): x.sort()", "def f(x):\n    x.sort()\n    return x", "incorrect", ("should return nothing (None), but it returned \\[1, 2, 3\\]",)),
    Case("exception", "cases: [{arguments: [-1], raises: {exception: ValueError, contains: negative}}]", "def f(x): raise ValueError('negative')", "class Bad(ValueError): pass\ndef f(x): raise Bad('a negative number')", "correct"),
    Case("no_exception", "expected: reference\ncases: [{arguments: [-1]}]", "def f(x): raise ValueError('negative')", "def f(x): return 0", "incorrect", ("should raise an exception, but it gives 0",)),
    Case("other_exception", "cases: [{arguments: [-1], raises: ValueError}]", "def f(x): raise ValueError", "def f(x): raise KeyError(x)", "incorrect", ("raised KeyError",)),
    Case("stdout", "cases: [{arguments: [2], stdout: {equal: 'x is 2'}}]", "def f(x): print('x is', x)", "def f(x): print('x is', x, ' ')", "correct"),
    Case("stdout_wrong", "cases: [{arguments: [2], stdout: {contains: '2'}}]", "def f(x): print(x)", "def f(x): print('x')", "incorrect", ("should print something else than",)),
    Case("array", "expected: reference\ncompare: {rel: 1e-6}\ncases: [{arguments: [{array: [3, 4], dtype: float64}]}]", "import numpy as np\ndef f(x): return x / np.linalg.norm(x)", "def f(x): return x / (x @ x) ** 0.5", "correct"),
    Case("list_for_array", "expected: reference\ncases: [{arguments: [{array: [3, 4]}]}]", "def f(x): return x * 2", "def f(x): return list(x * 2)", "partial", ("right content in another container",)),
    Case("table", "expected: reference\ncases: [{arguments: [{table: {k: [a, b, a], n: [1, 2, 3]}}]}]", "def f(t): return t.groupby('k').n.sum()", "def f(t): return t.groupby('k')['n'].agg('sum')", "correct"),
    Case("table_wrong", "expected: reference\ncases: [{arguments: [{table: {k: [a, b, a], n: [1, 2, 3]}}]}]", "def f(t): return t.groupby('k').n.sum()", "def f(t): return t.groupby('k').n.max()", "incorrect", ("gives Series(\\[3, 2\\])",)),
    Case("generator", "consume: 5\ncases: [{arguments: [3], returns: [3, 4, 5, 6, 7]}]", "import itertools\ndef f(x): return itertools.count(x)", "def f(x):\n    while True:\n        yield x\n        x += 1", "correct"),
    Case("closure", "cases: [{steps: [{call: f_closure, arguments: [3], as: add}, {call: add, arguments: [4], returns: 7}]}]", "def f(n): return lambda x: x + n", "def f(n):\n    def add(x): return x - n\n    return add", "incorrect", ("add(4) after add = f_closure(3) gives 1",)),
    Case("account", "cases: [{id: pay, steps: [{construct: f_account, arguments: [100], as: a}, {call: a.pay, arguments: [50]}, {look: a.balance, returns: 150}]}]", "class f:\n    def __init__(self, b): self.balance = b\n    def pay(self, x): self.balance += x", "class f:\n    def __init__(self, b): self.balance = b\n    def pay(self, x): self.balance = x", "incorrect", ("a.balance after a = f_account(100); a.pay(50) gives 50",)),
    Case("no_attribute", "cases: [{steps: [{construct: f_no_attribute, as: a}, {look: a.balance, returns: 150}]}]", "class f: balance = 150", "class f: pass", "incorrect", ("there is no a.balance",)),
    Case("random", "seed: 3\nrepeats: 2\nexpected: reference\ncases: [{arguments: [1]}]", "import random\ndef f(x): return random.random()", "import random\ndef f(x): return random.random()", "correct"),
    Case("varies", "repeats: 2\ncases: [{arguments: [1], expect: [{type: {of: result, is: [number]}}]}]", "def f(x): return 1", "count = 0\ndef f(x):\n    global count\n    count += 1\n    return count", "incorrect", ("gives different results when it is made again",)),
    Case("variable", "cases: [{arguments: [{variable: offset}], returns: 10, mutates: false}]", "offset = [7]\ndef f(x): return x[0] + 3", "offset = [7]\ndef f(x):\n    x.append(1)\n    return x[0] + 3", "incorrect", ("(offset) changes its first argument",)),
    Case("not_callable", TWO, DOUBLE, "f = 3", "incorrect", ("is no function",)),
    Case("nested", "cases: [{arguments: [3], expect: [{size: {of: result, length: 3}}, {type: {of: result, is: [list]}, message: 'It should be a list.'}]}]", "def f(n): return list(range(n))", "def f(n): return tuple(range(n))", "incorrect", ("(3): It should be a list.",)),
    Case("hidden", "show: count\nexpected: reference\ngenerate: {count: 20, seed: 1, arguments: {x: {integers: {min: -9, max: 9}}}}", "def f(x): return abs(x)", "def f(x): return x", "incorrect", ("of 20 calls do not come out right",)),
    Case("exits", TWO, DOUBLE, "import sys\ndef f(x): sys.exit()", "incorrect", ("raised SystemExit",)),
    Case("ends", "credit: weighted\n" + TWO, DOUBLE, "import os\ndef f(x): os._exit(3) if x == 1 else None; return 2 * x", "partial", ("ended the Python process (exit code 3)",)),
    Case("base", TWO, DOUBLE, "class Out(BaseException): pass\ndef f(x): raise Out('of it')", "incorrect", ("raised Out: of it",)),
    Case("patches", "seconds: 0.5\n" + TWO, DOUBLE, "import signal, os, time\ndef f(x):\n    signal.setitimer = signal.signal = os.write = os._exit = time.perf_counter = lambda *a: 0\n    while True: pass", "incorrect", ("did not come to an end",)),
    Case("lies", TWO, DOUBLE, "class Any:\n    def __eq__(self, other): return True\n    __class__ = int\ndef f(x): return Any()", "incorrect", ("gives an object of class Any",)),
    Case("unpicklable", "cases: [{arguments: [{variable: stream}], returns: 1}]", "stream = [1]\ndef f(x): return x[0]", "stream = (n for n in 'a')\ndef f(x): return 1", "incorrect", ("could not be made",)),
    Case("huge", TWO, DOUBLE, "def f(x): return 'x' * 50_000_000", "incorrect", ("gives the text",)),
    Case("crashes", TWO, DOUBLE, "import ctypes\ndef f(x): ctypes.string_at(0)", "incorrect", ("ended the Python process (signal 11)",)),
    Case("kernel", "process: notebook\n" + TWO, DOUBLE, "def f(x): return 2 * x", "correct"),
    Case("kernel_loop", "process: notebook\nseconds: 0.5\n" + TWO, DOUBLE, "def f(x):\n    while x == 2: pass\n    return 2 * x", "incorrect", ("(2) did not come to an end",)),
]  # fmt: skip


class Run:
    """All cases in one notebook, run and judged once."""

    def __init__(self, server: WarmServer) -> None:
        self._server = server
        self.assignment = Assignment.from_files(self._files())

    def _files(self) -> dict[str, bytes]:
        spec = HEAD + "".join(map(_part, CASES))
        return {
            "assignment.yaml": spec.encode(),
            "starter.ipynb": notebook("pass"),
            "reference.ipynb": _notebook("author"),
        }

    def run(self, cells: bytes, *, reference: bool = False) -> Attempt:
        return run_attempt(cells, self.assignment, self._files(), self._server, reference=reference)

    @cached_property
    def attempt(self) -> Attempt:
        return self.run(_notebook("student"))

    @cached_property
    def reference(self) -> Evidence:
        return self.run(_notebook("author"), reference=True).evidence

    @cached_property
    def parts(self) -> dict[str, PartFeedback]:
        info = SubmissionInfo("s", "ada", "sha256:0", 1)
        return {
            part.id: part
            for part in judge(self.assignment, self.attempt.evidence, self.reference, info).parts
        }

    @cached_property
    def authors_parts(self) -> dict[str, str]:
        info = SubmissionInfo("s", "author", "sha256:0", 1)
        feedback = judge(self.assignment, self.reference, self.reference, info)
        return {part.id: part.status for part in feedback.parts}


def _part(case: Case) -> str:
    check = indent(f"of: {case.function}\n{case.check}", " " * 10)
    variables = f"{{{case.function}: {{}}, offset: {{role: set-up}}, stream: {{role: set-up}}}}"
    head = f"  - id: p_{case.name}\n    title: {case.name}\n    variables: {variables}\n"
    return f"{head}    checks:\n      - calls:\n{check}\n"


def _notebook(source: str) -> bytes:
    cells = []
    for case in CASES:
        code = dedent(getattr(case, source))
        for keyword in ("def f(", "f = ", "class f:"):
            code = code.replace(
                keyword,
                keyword.replace("f", case.function, 1)
                if keyword[0] == "f"
                else keyword.replace(" f", f" {case.function}"),
            )
        cells.append(f"{code}\np_{case.name}.check()")
    return notebook(IMPORTS, *cells, "print('still here')")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    problem = ""
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox ({problem})")
    with WarmServer(load_environment("python"), tmp_path_factory.mktemp("warm")) as server:
        yield Run(server)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_is_judged_by_its_calls(case: Case, run: Run) -> None:
    part = run.parts[f"p_{case.name}"]
    assert part.status == case.status, part.message
    for words in case.words:
        assert words in part.message


def test_the_authors_own_functions_are_right(run: Run) -> None:
    assert {name for name, status in run.authors_parts.items() if status != "correct"} == set()


def test_no_call_reaches_the_notebook(run: Run) -> None:
    evidence = run.attempt.evidence
    assert evidence.run.status == "completed"
    assert {cell.status for cell in evidence.cells} == {"ok"}


def test_what_calls_print_is_no_output_of_the_notebook(run: Run) -> None:
    cells = json.loads(run.attempt.executed)["cells"]
    text = "".join(piece for cell in cells for output in cell["outputs"] for piece in output["text"])
    assert text.splitlines() == [*(f"p_{case.name}: recorded." for case in CASES), "still here"]


def test_expectations_do_not_enter_the_sandbox(run: Run) -> None:
    plans = [plan for part in run.assignment.plan().parts for plan in part.calls]
    assert plans
    assert "4" not in repr([plan.cases for plan in plans if plan.cases[0].id == "one"])


def test_what_an_earlier_case_left_survives_the_end_of_the_kernel(run: Run) -> None:
    source = "import os\ndef f_kernel(x):\n    if x == 2: os._exit(1)\n    return 2 * x"
    cells = notebook(IMPORTS, source, "p_kernel.check()")
    evidence = run.run(cells).evidence
    assert evidence.run.status == "kernel_died"
    (frame,) = [s.decode() for s in evidence.snapshots if (s.part, s.trigger) == ("p_kernel()", "bound")]
    (made,) = frame.values.values()
    assert isinstance(made, v.Sequence)
    assert [each.case for each in made.items if isinstance(each, v.Called)] == ["one"]


TENSORS = RunPlan(
    module="learntools.tests.calls",
    parts=(
        PartPlan(
            "p",
            ("f",),
            ("f",),
            calls=(
                CallsPlan(
                    "k", (CasePlan("a", (StepPlan("call", "f", arguments=({"t": "int", "v": "3"},)),), 30.0),)
                ),
            ),
        ),
    ),
)


@pytest.mark.parametrize("used", [False, True], ids=["before", "after"])
def test_once_tensorflow_has_computed_calls_are_made_in_the_notebooks_own_process(
    used: bool, warm_server: WarmServer
) -> None:
    function = """
        import os
        import tensorflow as tf
        notebook = os.getpid()
        def f(x):
            return [float(tf.reduce_sum(tf.ones((x, 2)))), os.getpid() == notebook]
    """
    before = "tf.ones(3).numpy()" if used else "pass"
    outcome = run_cells(warm_server, IMPORTS, function, before, "p.check()", run_plan=TENSORS)
    frame = outcome.frame("p()", "check")
    assert frame is not None
    (made,) = frame.values["k"].items  # type: ignore[union-attr]
    assert isinstance(made, v.Called)
    assert made.steps[0].result == v.Sequence(items=(v.Float(v=(6.0).hex()), v.Bool(v=used)))


def test_a_result_that_never_answers_costs_only_its_case_in_the_notebooks_own_process(
    warm_server: WarmServer,
) -> None:
    function = """
        import tensorflow as tf
        class Silent(tf.keras.layers.Dense):
            def get_config(self):
                while True: pass
        def f(x):
            return Silent(3) if x == 3 else x
        tf.ones(3).numpy()
    """
    cases = tuple(
        CasePlan(name, (StepPlan("call", "f", arguments=({"t": "int", "v": number},)),), 1.0)
        for name, number in (("silent", "3"), ("honest", "4"))
    )
    plan = RunPlan(TENSORS.module, (PartPlan("p", ("f",), ("f",), calls=(CallsPlan("k", cases),)),))
    outcome = run_cells(warm_server, IMPORTS, function, "p.check()", "print('on')", run_plan=plan)
    frame = outcome.frame("p()", "check")
    assert frame is not None
    silent, honest = (made.steps[0].result for made in frame.values["k"].items)  # type: ignore[union-attr]
    assert isinstance(silent, v.Broken)
    assert silent.why == "reading it takes too long"
    assert honest == v.Int(v="4")
    assert outcome.printed[-1].strip() == "on"
