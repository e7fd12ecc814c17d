"""A master becomes three notebooks, byte for byte the same every time."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from grader.authoring import MasterError, publish
from grader.authoring.macros import MODES, Mode


def cell(source: str, kind: str = "code", **more: Any) -> dict[str, Any]:
    extra = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **extra, **more}


def master(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> bytes:
    found = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": minor}
    return json.dumps(found).encode()


def published(source: bytes, mode: Mode = "student", **texts: str) -> dict[str, Any]:
    return dict(json.loads(publish(source, mode, texts)))


def sources(source: bytes, mode: Mode = "student") -> list[str]:
    return ["".join(found["source"]) for found in published(source, mode)["cells"]]


def test_each_mode_gets_its_cells() -> None:
    source = master(
        cell("# Title", "markdown"),
        cell("#%%RM_IF(REFERENCE)%%\nx = None"),
        cell("#%%RM_IF(PROD)%%\n# Correct\nx = 1"),
        cell("#%%RM%%\nnotes"),
        cell("#%%RM_BELOW%%\nscratch"),
        cell("more scratch with #$NONSENSE$ and #_NONSENSE_"),
    )
    assert sources(source, "student") == ["# Title", "x = None"]
    assert sources(source, "author") == ["# Title", "x = None", "# Correct\nx = 1"]
    assert sources(source, "reference") == ["# Title", "# Correct\nx = 1"]


@pytest.mark.parametrize("mode", MODES)
def test_equal_masters_give_equal_bytes_and_a_valid_notebook(mode: Mode) -> None:
    source = master(cell("a"), cell("a"), cell("é\u2028b", "markdown"), minor=4)
    out = publish(source, mode)
    assert out == publish(source, mode)
    assert out.endswith(b"}\n")
    notebook = nbformat.reads(out.decode(), as_version=4)
    nbformat.validate(notebook)
    assert [found.source for found in notebook.cells] == ["a", "a", "é\u2028b"]


def test_cells_keep_their_ids_and_others_get_one_that_is_unique() -> None:
    source = master(cell("a", id="setup"), cell("b", id="setup"), cell("c"), cell("c", id="not good!"))
    ids = [found["id"] for found in published(source)["cells"]]
    assert ids[0] == "setup"
    assert len(set(ids)) == 4


def test_a_cell_added_above_does_not_rename_the_others() -> None:
    before = [found["id"] for found in published(master(cell("b", id="two")))["cells"]]
    after = [found["id"] for found in published(master(cell("a", id="one"), cell("b", id="two")))["cells"]]
    assert after[1:] == before


def test_nothing_of_the_authors_run_is_left() -> None:
    ran = cell(
        "1 + 1",
        outputs=[{"output_type": "execute_result", "data": {"text/plain": "secret"}, "metadata": {}}],
        execution_count=7,
        metadata={"tags": ["keep"], "execution": {"iopub.execute_input": "secret"}},
    )
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "widgets": {"secret": 1},
        "grader": {"macros": {"SECRET": "secret"}},
    }
    out = publish(master(ran, **metadata), "student")
    assert b"secret" not in out
    found = json.loads(out)
    assert found["cells"][0]["outputs"] == []
    assert found["cells"][0]["execution_count"] is None
    assert found["cells"][0]["metadata"] == {"tags": ["keep"]}
    assert found["metadata"] == {"kernelspec": {"name": "python3", "display_name": "Python 3"}}


def test_pictures_in_text_cells_survive() -> None:
    picture = {"a.png": {"image/png": "AAAA"}}
    source = master(cell("![](attachment:a.png)", "markdown", attachments=picture))
    assert published(source)["cells"][0]["attachments"] == picture


def test_a_cell_of_macros_alone_leaves_nothing() -> None:
    assert sources(master(cell("#_RM_\nx"), cell("#$HEADER$", "markdown"), cell(""))) == [""]


def test_folding_is_written_as_jupyter_reads_it() -> None:
    found = published(master(cell("#%%HIDE_INPUT%%\nx")))["cells"][0]
    assert found["metadata"]["jupyter"] == {"source_hidden": True}


def test_texts_come_from_the_caller_before_the_master_before_the_defaults() -> None:
    own = {"macros": {"TUTORIAL_URL(1)": "master-1", "TUTORIAL_URL(2)": "master-2"}}
    source = master(cell("#$TUTORIAL_URL(1)$ #$TUTORIAL_URL(2)$ #$TUTORIAL_URL(3)$", "markdown"), grader=own)
    found = published(source, **{"TUTORIAL_URL(1)": "caller-1"})
    assert found["cells"][0]["source"] == ["caller-1 master-2 #tutorial-3"]


def test_every_mistake_is_named_with_its_cell_and_line() -> None:
    source = master(cell("fine", id="first"), cell("a\n#_REMOVE_\nb", id="second"), cell("#$NO$", "markdown"))
    with pytest.raises(MasterError) as caught:
        publish(source, "student")
    first, second = caught.value.problems
    assert first.startswith("cell 2 (id second), line 2: unknown macro `#_REMOVE_`")
    assert second.startswith("cell 3, line 1: unknown macro `#$NO$`")


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (b"not json", "not JSON"),
        (b"[]", "not an object"),
        (b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
        (master(cell("x"), grader={"macros": {"A": 1}}), "no table of texts"),
        (master(cell("x"), grader=[]), "no table of texts"),
    ],
)
def test_what_is_no_master_is_refused_in_words(source: bytes, what: str) -> None:
    with pytest.raises(MasterError, match=what):
        publish(source, "student")
