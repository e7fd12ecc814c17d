"""Figures, estimators, files, functions in the real sandbox: from the cell to the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from checks.assignment import Assignment
from checks.feedback import Feedback, SubmissionInfo
from checks.judge import judge
from tests.checks.making import bundle_files
from tests.conftest import need
from worker.attempt import run_attempt
from worker.environment import load_environment
from worker.errors import SandboxUnavailable
from worker.warm import WarmServer, require_sandbox

pytestmark = pytest.mark.sandbox
SPEC = """
id: tests/values
title: Values
environment: datascience
module: learntools.tests.values
limits: {seconds: 120, cell_seconds: 60, memory_mib: 1500}
parts:
  - id: bars
    title: Bars
    variables: {chart: {figure: true}}
    checks:
      - plot:
          of: chart
          title: {contains: pets}
          ylabel: true
          draws:
            - {artist: bars, data: {names: [cats, dogs], length: [3, 5]}}
  - id: points
    title: Points
    variables: {ax: {}}
    checks:
      - plot: {of: ax, draws: [{artist: points, data: {x: [1, 2, 3], y: [4, 5, 6]}}], legend: [a, b]}
  - id: fitted
    title: Fitted
    variables: {model: {}}
    checks:
      - attributes:
          of: model
          that:
            fit_intercept: true
            coef_: {equal: {of: value, to: {value: [2.0]}, rel: 1e-6, container: any}}
  - id: table
    title: Table
    variables: {saved: {file: out/pets.csv}}
    checks:
      - file:
          of: saved
          form: csv
          that: {equal: {of: {variable: value, column: count}, to: {value: [3, 5]}, container: any}}
  - id: total
    title: Total
    variables: {total: {}}
    checks:
      - source: {of: total, forbid: [loop], require: [{call: sum}]}
      - attributes:
          of: total
          that:
            parameters: [numbers, start]
            defaults.start: 0
            doc: {text: {of: value, is: {contains: adds}}}
"""
IMPORTS = """
from learntools.core import binder; binder.bind(globals())
from learntools.tests.values import *
import matplotlib.pyplot as plt, pandas as pd, seaborn as sns, numpy as np
"""
DATA = "pets = pd.DataFrame({'kind': ['cats', 'dogs'], 'count': [3, 5]})"
RIGHT = (
    "sns.barplot(pets, x='kind', y='count'); plt.title('My pets'); plt.show()",
    "bars.check()",
    "points_ = pd.DataFrame({'x': [3, 1, 2], 'y': [6, 4, 5], 'g': list('aab')})\n"
    "ax = sns.scatterplot(points_, x='x', y='y', hue='g')\npoints.check()",
    "from sklearn.linear_model import LinearRegression\n"
    "model = LinearRegression().fit([[1], [2], [3]], [3, 5, 7])\nfitted.check()",
    "import os; os.makedirs('out'); pets.to_csv('out/pets.csv', index=False)\ntable.check()",
    "def total(numbers, start=0):\n    '''Adds up.'''\n    return sum(numbers, start)\ntotal_ = total",
    "from learntools.tests.values import total as part\npart.check()",
)
WRONG = (
    "plt.bar(['cats', 'dogs'], [3, 6]); plt.title('My pets'); plt.ylabel('n')\nbars.check()",
    "ax = plt.subplot(); ax.scatter([1, 2, 3], [4, 5, 6])\npoints.check()",
    "from sklearn.linear_model import LinearRegression\nmodel = LinearRegression()\nfitted.check()",
    "import os; os.makedirs('out')\n"
    "open('out/pets.csv', 'w').write('kind,count\\ncats,3\\ndogs,4\\n')\ntable.check()",
    "def total(numbers, start=0):\n    '''Adds up.'''\n"
    "    for n in numbers:\n        start += n\n    return sum([start])",
    "from learntools.tests.values import total as part\npart.check()",
)
HOSTILE = (
    """
    from matplotlib.figure import Figure
    class Liar(Figure):
        @property
        def axes(self): raise RuntimeError('no')
        def __getattribute__(self, name):
            if name == '_axstack': raise RuntimeError('hidden')
            return super().__getattribute__(name)
        def __repr__(self): raise RuntimeError
    plt.figure(FigureClass=Figure); plt.bar(['cats', 'dogs'], [3, 6]); plt.title('pets'); plt.ylabel('n')
    plt.gcf().__class__ = Liar
    bars.check()
    """,
    """
    class Axes:
        sort = 'axes'
        def __getattr__(self, name): raise KeyboardInterrupt(name)
    ax = Axes()
    points.check()
    """,
    """
    from sklearn.linear_model import LinearRegression
    class Sly(LinearRegression):
        def get_params(self, deep=True): raise SystemExit
        def __getattribute__(self, name): raise RuntimeError(name)
        @property
        def coef_(self): return np.array([2.0])
    model = Sly.__new__(Sly)
    fitted.check()
    """,
    """
    import os; os.makedirs('out'); os.symlink('/dev/zero', 'out/pets.csv')
    table.check()
    """,
    """
    import functools
    class Endless:
        def __repr__(self):
            while True: pass
    def total(numbers, start=Endless()): return sum(numbers)
    total.__wrapped__ = total
    """,
    "from learntools.tests.values import total as part\npart.check()",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmServer]:
    """The data science environment's warm server."""
    try:
        require_sandbox()
        environment = load_environment("datascience")
    except SandboxUnavailable as error:
        need(False, f"the environment datascience ({error})")
        raise
    with WarmServer(environment, tmp_path_factory.mktemp("warm")) as started:
        yield started


def graded(server: WarmServer, cells: tuple[str, ...], spec: str = SPEC) -> Feedback:
    """What a notebook of these cells gets."""
    files = bundle_files(spec.encode())
    assignment = Assignment.from_files(files)
    sources = [dedent(cell).strip() for cell in (IMPORTS, DATA, *cells)]
    notebook = nbformat.writes(new_notebook(cells=[new_code_cell(source) for source in sources])).encode()
    attempt = run_attempt(notebook, assignment, files, server)
    return judge(assignment, attempt.evidence, None, SubmissionInfo("s1", "ada", "sha256:0", 1))


def test_right_plots_models_files_and_functions_get_full_marks(server: WarmServer) -> None:
    found = graded(server, RIGHT)
    assert {part.id: part.message for part in found.parts if part.status != "correct"} == {}
    assert found.run.status == "completed"


def test_wrong_ones_are_told_what_is_wrong(server: WarmServer) -> None:
    found = {part.id: (part.status, part.message) for part in graded(server, WRONG).parts}
    assert found == {
        "bars": ("incorrect", "The plot shows a set of bars, but not with the length that it should have."),
        "points": ("incorrect", "The plot has no legend."),
        "fitted": ("incorrect", "model is an object of class LinearRegression, but it has not been fitted."),
        "table": (
            "incorrect",
            "What out/pets.csv holds is an array of shape (2,), but 1 of 2 values are not as asked for.",
        ),
        "total": (
            "incorrect",
            "Your code for this part uses a loop (line 3 of the function); solve it without.",
        ),
    }


def test_hostile_ones_cost_themselves_alone(server: WarmServer) -> None:
    found = graded(server, HOSTILE)
    statuses = {part.id: part.status for part in found.parts}
    assert found.run.status == "completed"
    assert statuses == {
        "bars": "incorrect",
        "points": "incorrect",
        "fitted": "incorrect",
        "table": "incorrect",  # code of the student's own, and no file that counts
        "total": "incorrect",
    }
    assert (
        found.parts[0].message == "The plot shows a set of bars, but not with the length that it should have."
    )


def test_each_part_gets_the_figure_of_its_own_cell(server: WarmServer) -> None:
    """A figure belongs to the first part that asks for it; a part without one of its own gets none."""
    draws = "draws: [{artist: line, data: {y: [%s]}}]"
    parts = "".join(
        f"  - id: {name}\n    title: T\n    variables: {{shown: {{figure: true}}}}\n"
        f"    checks: [{{plot: {{of: shown, {draws % data}}}}}]\n"
        for name, data in (("one", "1, 2"), ("two", "3, 4"), ("three", "3, 4"))
    )
    head, _, _ = SPEC.partition("parts:")
    found = graded(
        server,
        ("plt.plot([1, 2]); plt.show()", "one.check()", "plt.plot([3, 4])\ntwo.check()", "three.check()"),
        f"{head}parts:\n{parts}",
    )
    assert [part.status for part in found.parts] == ["correct", "correct", "not_attempted"]


def test_a_figure_and_a_file_are_taken_without_any_check(server: WarmServer) -> None:
    found = graded(server, (RIGHT[0], "open('note.txt', 'w').write('done')", "plt.show()"), WITHOUT_CHECKS)
    assert [part.status for part in found.parts] == ["correct", "correct"]


WITHOUT_CHECKS = """
id: tests/values
title: Values
environment: datascience
module: learntools.tests.values
parts:
  - id: bars
    title: Bars
    variables: {chart: {figure: true}}
    checks: [{plot: {of: chart, title: true, draws: [{artist: bars}]}}]
  - id: note
    title: Note
    variables: {note: {file: note.txt}}
    checks: [{file: {of: note, text: done}}]
"""
