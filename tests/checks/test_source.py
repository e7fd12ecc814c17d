"""What cells' sources tell: assignments, calls of a check, stores of a column."""

from __future__ import annotations

import pytest

from checks.source import (
    NotANotebookError,
    assigned_names,
    calls_check,
    code_cells,
    mentions,
    only_asks,
    parse,
    same_code,
    stores_column,
)
from tests.checks.making import notebook


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "a = x = 1",
        "x: int = 1",
        "x += 1",
        "(x, *y) = z",
        "[y, x] = z",
        "f((x := 3))",
        "for x in y: pass",
        "with y as x: pass",
        "with y as (x, z): pass",
        "import x",
        "import x.y",
        "from y import z as x",
        "def x(): pass",
        "class x: pass",
        "try: pass\nexcept E as x: pass",
        "if a:\n    x = 1",
        "def f():\n    global x\n    x = 1",
        "globals()['x'] = 1",
        "match y:\n    case [x, *_]: pass",
        "[0 for x in y]",
        "%time\nx = 1",
        "%%time\nx = 1",
        "x = !ls",
        "x = %env HOME",
    ],
)
def test_every_way_to_bind_a_name(source: str) -> None:
    assert "x" in assigned_names(source)


@pytest.mark.parametrize(
    "source", ["x", "x.y = 1", "x[0] = 1", "f(x=1)", "# x = 1", "'x = 1'", "y = x", "x = (", "%%html\nx = 1"]
)
def test_what_binds_no_name(source: str) -> None:
    assert "x" not in assigned_names(source)


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("part3.a.check()", True),
        ("_ = part3.a.check()", True),
        ("ex3.part3.a.check()", True),
        ("if True:\n    part3.a.check()", True),
        ("part3.a.check(", True),
        ("%magic\npart3.a.check()", True),
        ("part3.a.hint()", False),
        ("part3.a.check", False),
        ("part3.b.check()", False),
        ("mypart3.a.check()", False),
        ("#part3.a.check()", False),
        ("( # part3.a.check()", False),
        ("'part3.a.check()'", False),
    ],
)
def test_calls_check(source: str, calls: bool) -> None:
    assert calls_check(source, "part3.a") is calls


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("q.check()", True),
        ("# text\nq.check()\nx", True),
        ("q.check()\nq.hint()\nq.solution()", True),
        ("%time q.check()", True),
        ("x = 1\nq.check()", False),
        ("f()\nq.check()", False),
        ("q.check(", False),
    ],
)
def test_only_asks(source: str, asks: bool) -> None:
    assert only_asks(source, "q") is asks


@pytest.mark.parametrize(
    ("source", "stores"),
    [
        ("t['norm'] = n", True),
        ("t['other'] = n", True),
        ("t.loc[:, 'norm'] = n", True),
        ("t.norm = n", True),
        ("u['norm'] = n", True),
        ("u.norm = n", True),
        ("t = t.assign(norm=n)", True),
        ("u = dict(norm=n)", True),
        ("t.insert(0, 'norm', n)", True),
        ("t.assign(**{'norm': n})", True),
        ("t = t.rename(columns={'x': 'norm'})", True),
        ("setattr(t, 'norm', n)", True),
        ("t['norm' = n", True),
        ("t.sort_values(by='norm')", False),
        ("t['norm'].head()", False),
        ("x = t['norm']", False),
        ("np.linalg.norm(w)", False),
        ("u['other'] = n", False),
        ("# t['norm'] = n", False),
    ],
)
def test_stores_column(source: str, stores: bool) -> None:
    assert stores_column(source, "t", "norm") is stores


def test_same_code_looks_past_comments_and_layout() -> None:
    assert same_code("x = 1  # one\n\ny = [1,\n 2]", "x=1\ny = [1, 2]")
    assert not same_code("x = 1", "x = 2")
    assert not same_code("x = (", "x = (")


def test_mentions_whole_words_outside_comments() -> None:
    assert mentions("(bias", "bias")
    assert not mentions("(bias2 # bias", "bias")


@pytest.mark.parametrize("source", ["(" * 100_000, "-" * 100_000 + "1", "x\0y", "f(" * 5_000])
def test_hostile_source_is_no_python_and_nothing_worse(source: str) -> None:
    assert parse(source) is None
    assert assigned_names(source) == set()


def test_code_cells_are_read_from_both_spellings() -> None:
    raw = notebook("x = 1").replace(b'"x = 1"', b'["x = ", "1"]')
    assert code_cells(raw) == code_cells(notebook("x = 1")) == ["x = 1"]


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"cells": 3}', b'{"cells": [{"cell_type": "code"}]}', b"[" * 100_000]
)
def test_what_is_no_notebook_is_refused(raw: bytes) -> None:
    with pytest.raises(NotANotebookError):
        code_cells(raw)
