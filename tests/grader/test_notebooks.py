from __future__ import annotations

import json

import msgspec
import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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


PIECES = st.sampled_from(
    [
        b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf",
        b'"a"', b'"b"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\\x"', b'"\t"', b'"\xc3\xa9"', b"-", b"0",
        b"01", b"-0.0", b"1e400", b"1e-400", b"12345678901234567890123", b"0.1", b"1E5", b"true", b"null",
        b"NaN", b"Infinity",
    ]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=12), st.lists(PIECES, max_size=12).map(b"".join)))
@example(b'{"a":1,"a":2}')
@example(b"[" * 5000 + b"]" * 5000)
def test_what_the_quick_decoder_takes_is_what_the_patient_one_reads(raw):
    try:
        quick = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    assert repr(quick) == repr(json.loads(raw.decode("utf-8")))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    ),
    st.booleans(),
)
def test_the_quick_decoder_reads_every_value_as_the_patient_one(value, ascii_only):
    raw = json.dumps(value, ensure_ascii=ascii_only).encode(errors="replace")
    assert repr(msgspec.json.decode(raw)) == repr(json.loads(raw))


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
        (_with(cells=[{"cell_type": ["code"], "source": ""}]), "cell 0 is neither"),
        (_with(cells=[{"cell_type": "code", "source": ["a", None]}]), "source of cell 0"),
        (_with(cells={}), "no list of cells"),
        (b'{"nbformat": 3, "worksheets": 7}', "could not be upgraded"),
        (b'{"nbformat": 3, "worksheets": [{"cells": [7]}]}', "could not be upgraded"),
        (b'{"nbformat": 3, "metadata": 7, "worksheets": []}', "could not be upgraded"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(raw, says):
    with pytest.raises(NotANotebookError, match=says):
        normal_form(raw)


def test_format_3_has_one_form_too():
    old = notebook("x = 1", "y = 2", version=3)
    assert normal_form(old) == normal_form(old)


CODE = {"cell_type": "code", "source": "1", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
DEEP = json.loads("[" * 500 + "]" * 500)


@pytest.mark.parametrize(
    "fields",
    [
        {"nbformat_minor": "zz"},
        {"nbformat_minor": None},
        {"nbformat_minor": 10**9},
        {"signature": 5, "orig_nbformat": []},
        {"metadata": {"kernelspec": 5, "language_info": [], "signature": "x"}},
        {"metadata": {"a": "\ud800", "\ud800": 1, "deep": DEEP, "big": 10**400}},
        {"cells": [CODE | {"outputs": 5}]},
        {"cells": [CODE | {"outputs": [{"output_type": "stream", "text": "\ud800"}]}]},
        {"cells": [CODE | {"metadata": 7}]},
        {"cells": [CODE | {"metadata": {"tags": 5, "execution": "now", "jupyter": None}}]},
        {"cells": [CODE | {"metadata": {"tags": [None, ["x"]]}}]},
        {"cells": [CODE | {"execution_count": "many", "attachments": 3, "trusted": 1}]},
        {"cells": [CODE | {"id": name} for name in (5, "", "no good", "x" * 65, "a", "a")]},
        {"cells": [{"cell_type": "code", "source": []}, {"cell_type": "raw"}]},
        {"cells": [{"cell_type": "markdown", "source": "x", "attachments": {"a": {"b": 5}}}]},
        {"cells": [{"cell_type": "markdown", "source": "x", "attachments": {"a": 5}}]},
    ],
)
def test_what_a_file_has_wrong_around_its_cells_is_mended(fields):
    form = normal_form(_with(**fields))
    read = nbformat.reads(form.decode(), as_version=4)
    nbformat.validate(read)
    assert nbformat.writes(read).encode()
    assert normal_form(form) == form


def test_what_runs_nothing_is_left_out_and_the_rest_kept():
    ran = CODE | {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
        "execution_count": 7,
        "metadata": {"tags": ["graded"], "nbgrader": {"grade": True}},
    }
    kept = json.loads(normal_form(_with(cells=[ran], metadata={"course": {"week": 1}})))
    assert kept["cells"] == [CODE | {"metadata": ran["metadata"]}]
    assert kept["metadata"] == {"course": {"week": 1}}
