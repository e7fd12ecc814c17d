"""A master notebook becomes the one that students get, authors rehearse, or the reference run uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from grader.authoring.macros import DEFAULT_TEXTS, Expansion, Mode, expand
from grader.notebooks import NotANotebookError, cell_id, read_notebook

# Where a master's metadata may hold the course's own texts: {"grader": {"macros": {"TUTORIAL_URL(3)": "…"}}}.
OWN = "grader"
KEPT_METADATA = ("kernelspec", "language_info")
KEPT_CELL_METADATA = ("tags",)


class MasterError(ValueError):
    """The author's master cannot be published; ``problems`` names every mistake with its cell and line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def publish(source: bytes, mode: Mode, texts: Mapping[str, str] | None = None) -> bytes:
    """The notebook that ``mode`` gets from the master ``source``: nbformat 4.5, UTF-8, without outputs.

    - ``student``: what is handed out (the condition ``PROD`` holds, the author's test cells are gone);
    - ``author``: what a rehearsal runs, test cells included (``TESTING`` holds);
    - ``reference``: whose values the judge compares with (``TESTING`` and ``REFERENCE`` hold).

    ``texts`` adds to the text macros of ``DEFAULT_TEXTS`` and of the master's metadata, and wins over both.
    Equal input gives equal bytes. Raises MasterError.
    """
    master = _read(source)
    table = {**DEFAULT_TEXTS, **_own_texts(master), **(texts or {})}
    cells = _published(master["cells"], mode, table)
    metadata = {key: master["metadata"][key] for key in KEPT_METADATA if key in master["metadata"]}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _read(source: bytes) -> dict[str, Any]:
    try:
        return read_notebook(source)
    except NotANotebookError as error:
        raise MasterError([f"the master is no notebook: {error}"]) from error


def _own_texts(master: dict[str, Any]) -> dict[str, str]:
    own = master["metadata"].get(OWN, {})
    table = own.get("macros", {}) if isinstance(own, dict) else None
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise MasterError([f"the master's metadata: {OWN}.macros is no table of texts"])
    return table


def _published(cells: list[dict[str, Any]], mode: Mode, table: Mapping[str, str]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    problems: list[str] = []
    taken: set[str] = set()
    for index, cell in enumerate(cells):
        result = expand(cell["source"], mode, table)
        problems += [f"{_name(cell, index)}, line {slip.line}: {slip.what}" for slip in result.mistakes]
        if result.ends:
            break
        # A cell that holds nothing but macros leaves nothing behind.
        if result.removed or (cell["source"].strip() and not result.text.strip()):
            continue
        kept.append(_cell(cell, result, cell_id(cell, index, taken)))
    if problems:
        raise MasterError(problems)
    return kept


def _cell(cell: dict[str, Any], result: Expansion, name: str) -> dict[str, Any]:
    old = cell["metadata"]
    metadata: dict[str, Any] = {key: old[key] for key in KEPT_CELL_METADATA if key in old}
    if result.fold:
        metadata["jupyter"] = result.fold
    new: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": name,
        "metadata": metadata,
        "source": result.text.strip("\n").splitlines(keepends=True),
    }
    if "attachments" in cell:
        new["attachments"] = cell["attachments"]
    if cell["cell_type"] == "code":
        new |= {"execution_count": None, "outputs": []}
    return new


def _name(cell: dict[str, Any], index: int) -> str:
    """Cells are counted from 1, as a person does who scrolls through the master."""
    return f"cell {index + 1} (id {cell['id']})" if "id" in cell else f"cell {index + 1}"
