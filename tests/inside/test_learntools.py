"""The module that a notebook imports its parts from, as the students' interpreter sees it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, need
from tests.inside.scenarios import PYTHON

MODULE = "learntools.course.exercise"
PLAN: dict[str, Any] = {
    "module": MODULE,
    "parts": [
        {"id": "part1", "variables": ["x"], "hints": ["Look at the axis.", "There are two axes."]},
        {"id": "part2", "variables": [], "hints": []},
        {"id": "part3.a", "variables": ["y"], "hints": ["Only one."]},
        {"id": "part3.b", "variables": ["y"], "hints": []},
        {"id": "q4", "variables": [], "hints": []},
    ],
}
PREPARE = """
import json, sys
sys.path.insert(0, "inside")
from _grader_inside import learntools
taken = []
learntools.install(json.loads({plan!r}), taken.append)
del learntools, sys, json
"""

GUARDED = """
try:
    exec({code!r}, globals())
except Exception as e:
    print(f"{{type(e).__name__}}: {{e}}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory."""
    need(PYTHON.exists(), "the environment tensorflow")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "_grader_inside").symlink_to(ROOT / "worker" / "inside", target_is_directory=True)
    return tmp_path


def student(folder: Path, code: str, plan: dict[str, Any] = PLAN) -> str:
    """What the code prints; errors as ``Class: message``."""
    script = PREPARE.format(plan=json.dumps(plan)) + GUARDED.format(code=code)
    command = [str(PYTHON), "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


STAR = f"from {MODULE} import *\n"

PRINTS = {
    "binder": ("from learntools.core import binder; print(binder.bind(globals()))", "None"),
    "binder by star": ("from learntools.core import *\nprint(binder.bind(globals()))", "None"),
    "binder without arguments": ("from learntools.core import binder; print(binder.bind())", "None"),
    "check records": (STAR + "part1.check(); print(taken)", "part1: recorded.\n['part1']"),
    "check of a nested part": (STAR + "part3.a.check(); print(taken)", "part3.a: recorded.\n['part3.a']"),
    "check of a free name": (STAR + "q4.check(); print(taken)", "q4: recorded.\n['q4']"),
    "check returns nothing": (STAR + "print(part1.check())", "part1: recorded.\nNone"),
    "check with arguments": (STAR + "part1.check(1, x=2); print(taken)", "part1: recorded.\n['part1']"),
    "check of a group": (
        STAR + "part3.check(); print(taken)",
        "part3 consists of part3.a, part3.b: use these one by one.\n[]",
    ),
    "module by its name": (f"import {MODULE} as ex\nex.part2.check()", "part2: recorded."),
    "module from its package": (
        "from learntools.course import exercise\nexercise.q4.check()",
        "q4: recorded.",
    ),
    "module by its full path": (f"import {MODULE}\n{MODULE}.part3.b.check()", "part3.b: recorded."),
    "one part by name": (f"from {MODULE} import part3\npart3.a.check()", "part3.a: recorded."),
    "first hint": (
        STAR + "part1.hint()",
        "Hint 1 of 2 for part1: Look at the axis. (for another one: part1.hint(2))",
    ),
    "second hint": (STAR + "part1.hint(2)", "Hint 2 of 2 for part1: There are two axes."),
    "hint by keyword": (STAR + "part1.hint(n=2)", "Hint 2 of 2 for part1: There are two axes."),
    "only hint": (STAR + "part3.a.hint()", "Hint 1 of 1 for part3.a: Only one."),
    "no hints": (STAR + "part2.hint()", "part2: there is no hint for this part."),
    "hint too far": (STAR + "part1.hint(3)", "part1: no hint 3; there are 2 hints: hint(1) to hint(2)."),
    "hint too far of one": (STAR + "part3.a.hint(2)", "part3.a: no hint 2; there is 1 hint: hint()."),
    "hint zero": (STAR + "part1.hint(0)", "part1: no hint 0; there are 2 hints: hint(1) to hint(2)."),
    "hint of a word": (
        STAR + "part1.hint('x')",
        "part1: no hint 'x'; there are 2 hints: hint(1) to hint(2).",
    ),
    "solution": (STAR + "part1.solution()", "part1: solutions are not shown while a notebook is graded."),
    "names are neutral": (STAR + "print(part1, [part3.a], part3)", "part1 [part3.a] part3"),
    "star gives the top names": (
        f"old = {{*globals(), 'old'}}\nfrom {MODULE} import *\nprint(sorted(globals().keys() - old))",
        "['part1', 'part2', 'part3', 'q4']",
    ),
    "tab completion": (STAR + "print(dir(part3))", "['a', 'b', 'check', 'hint', 'solution']"),
    "copies": (STAR + "import copy\nprint(copy.copy(part1), copy.deepcopy(part3).a)", "part1 part3.a"),
    "imported again": (
        f"import importlib, {MODULE} as ex\nimportlib.reload(ex).part1.check()",
        "part1: recorded.",
    ),
    "names taken by a student": (
        STAR + "take = taken = None\nlist = print = None\npart1.check()",
        "part1: recorded.",
    ),
}


@pytest.mark.parametrize("case", PRINTS)
def test_a_notebook_sees(case: str, folder: Path) -> None:
    code, printed = PRINTS[case]
    assert student(folder, code) == printed


FAILS = {
    "unknown part": (
        f"import {MODULE} as ex\nex.part9",
        "AttributeError",
        ["'part9'", "part1, part2, part3, q4"],
    ),
    "unknown part below": (STAR + "part3.c", "AttributeError", ["'c'", "part3.a, part3.b"]),
    "unknown method": (
        STAR + "part1.slove()",
        "AttributeError",
        ["'slove'", "check(), hint() and solution()"],
    ),
    "unknown part by import": (f"from {MODULE} import part9", "ImportError", ["'part9'"]),
    "unknown course": (
        "from learntools.other.ex import *",
        "ImportError",
        ["'learntools.other'", f"'{MODULE}'"],
    ),
    "unknown exercise": (
        "import learntools.course.ex9",
        "ImportError",
        ["'learntools.course.ex9'", f"'{MODULE}'"],
    ),
    "unknown exercise from package": (
        "from learntools.course import ex9",
        "ImportError",
        ["ex9", f"'{MODULE}'"],
    ),
    "a replaced method": (STAR + "part1.check = print", "AttributeError", ["read-only"]),
}


@pytest.mark.parametrize("case", FAILS)
def test_a_mistake_is_told(case: str, folder: Path) -> None:
    code, error, words = FAILS[case]
    printed = student(folder, code)
    assert printed.startswith(f"{error}: ")
    assert [word for word in words if word not in printed] == []


@pytest.mark.parametrize("name", ["learntools.py", "learntools/__init__.py"])
def test_a_file_of_the_students_own_hides_nothing(name: str, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("raise SystemExit('the wrong one')")
    assert student(folder, STAR + "part1.check()") == "part1: recorded."


def test_an_assignment_without_a_module_gets_none(folder: Path) -> None:
    plan = {**PLAN, "module": None}
    assert student(folder, "import learntools", plan) == "ModuleNotFoundError: No module named 'learntools'"


def test_a_module_may_have_any_name(folder: Path) -> None:
    plan = {**PLAN, "module": "exercise7"}
    code = (
        "from learntools.core import binder\nfrom exercise7 import *\nbinder.bind(globals())\npart3.b.check()"
    )
    assert student(folder, code, plan) == "part3.b: recorded."


def test_a_second_plan_replaces_the_first(folder: Path) -> None:
    second = {"module": "learntools.course.other", "parts": [{"id": "q1", "variables": [], "hints": []}]}
    code = f"""
from learntools.course.exercise import part1
from _grader_inside import learntools
learntools.install({second!r}, lambda part: print('took', part))
from learntools.course.other import q1
q1.check()
import learntools.course.exercise
"""
    printed = student(folder, code)
    assert printed.splitlines()[:2] == ["took q1", "q1: recorded."]
    assert "ImportError" in printed


def test_a_part_may_also_be_a_group(folder: Path) -> None:
    parts = [{"id": part, "variables": [], "hints": []} for part in ("q1.a", "q1", "q1.b")]
    code = "from learntools.x import *\nfor part in (q1, q1.a, q1.b):\n    part.check()"
    printed = student(folder, code, {"module": "learntools.x", "parts": parts})
    assert printed == "q1: recorded.\nq1.a: recorded.\nq1.b: recorded."


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["q1", "q1"], "two parts have the id 'q1'"),
        (["q1.a", "q1.b", "q1.a"], "two parts have the id 'q1.a'"),
        (["q1.check"], "cannot be reached as an attribute: 'check'"),
        (["1"], "cannot be reached as an attribute: '1'"),
        (["q1..a"], "cannot be reached as an attribute: ''"),
        (["q.class"], "cannot be reached as an attribute: 'class'"),
    ],
)
def test_an_impossible_plan_is_refused(ids: list[str], message: str, folder: Path) -> None:
    parts = [{"id": part, "variables": [], "hints": []} for part in ids]
    plan = {"module": "m", "parts": parts}
    code = f"from _grader_inside import learntools\nlearntools.install({plan!r}, print)"
    assert message in student(folder, code)
