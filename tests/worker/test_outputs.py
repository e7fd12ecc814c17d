"""What of a notebook's outputs is kept in the executed notebook."""

from __future__ import annotations

import json

import pytest
from nbformat import writes
from nbformat.v4 import new_code_cell, new_notebook

from tests.worker.runs import TinyAssignment
from worker.attempt import run_attempt
from worker.warm import WarmServer

pytestmark = pytest.mark.sandbox

SHOWN = """
from IPython.display import Javascript, display
display({
    "text/plain": "a film",
    "text/html": "<b>a film</b>",
    "image/svg+xml": "<svg/>",
    "application/javascript": "alert(1)",
    "application/vnd.jupyter.widget-view+json": {"model_id": "0"},
    "application/x-mine": "mine",
}, raw=True)
display(Javascript("alert(2)"))
handle = display("before", display_id=True)
handle.update({"text/plain": "after", "text/javascript": "alert(3)"}, raw=True)
"""


def test_forms_that_would_run_or_load_something_are_left_out(warm_server: WarmServer) -> None:
    notebook = writes(new_notebook(cells=[new_code_cell(SHOWN)])).encode()
    executed = run_attempt(notebook, TinyAssignment(), {}, warm_server).executed
    outputs = json.loads(executed)["cells"][0]["outputs"]
    assert [sorted(output["data"]) for output in outputs] == [
        ["image/svg+xml", "text/html", "text/plain"],
        ["text/plain"],
        ["text/plain"],
    ]
    assert "alert" not in json.dumps(outputs)
    assert "after" in json.dumps(outputs)
