from __future__ import annotations

import json

import pytest

from grader.notebooks import NotANotebookError, normal_form
from tests.grader.arithmetic import notebook

PLAIN = notebook("x = 'é'")
SPLIT = json.loads(PLAIN)
SPLIT["cells"][0]["source"] = ["x = ", "'é'"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(PLAIN.decode().encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(PLAIN.decode().encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(PLAIN.decode().encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param(PLAIN.decode().encode("utf-16-le"), id="UTF-16, little end first"),
        pytest.param(json.dumps(SPLIT).encode(), id="source as a list of lines"),
        pytest.param(json.dumps(SPLIT, indent=3, ensure_ascii=False).encode(), id="laid out otherwise"),
    ],
)
def test_one_notebook_has_one_form_however_it_was_written(raw):
    assert normal_form(raw) == normal_form(PLAIN)


def test_the_form_is_its_own_form():
    assert normal_form(normal_form(PLAIN)) == normal_form(PLAIN)


def test_format_3_is_upgraded():
    upgraded = json.loads(normal_form(notebook("x = 1", "y = 2", version=3)))
    assert upgraded["nbformat"] == 4
    assert [cell["source"] for cell in upgraded["cells"]] == ["x = 1", "y = 2"]


def _with(**fields: object) -> bytes:
    return json.dumps(json.loads(PLAIN) | fields).encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not text"),
        (b"PK\x03\x04 a zip", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"nbformat": NaN}', "not a JSON number"),
        (b"[1, 2]", "not an object"),
        (b"{}", "no `nbformat`"),
        (_with(nbformat=5), "newer"),
        (_with(nbformat=2), "too old"),
        (_with(nbformat=True), "no `nbformat`"),
        (_with(cells=None), "no list of cells"),
        (_with(cells=[{}] * 6000), "6000 cells"),
        (_with(cells=["x"]), "cell 0 is neither"),
        (_with(cells=[{"cell_type": "code", "source": 7}]), "source of cell 0"),
        (_with(cells=[{"cell_type": "code", "source": "\ud800"}]), "lone surrogate"),
        (_with(metadata=[]), "metadata"),
        (b'{"nbformat": 3, "worksheets": 7}', "could not be upgraded"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(raw, says):
    with pytest.raises(NotANotebookError, match=says):
        normal_form(raw)


def test_half_a_character_in_an_output_does_not_stop_a_notebook():
    cell = {
        "cell_type": "code",
        "source": "1",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "\ud800"}],
    }
    assert b"\\ud800" in normal_form(_with(cells=[cell]))
