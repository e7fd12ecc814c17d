"""A submitted file, checked and brought to the one form that is stored: nbformat 4 as UTF-8 JSON."""

from __future__ import annotations

import codecs
import json
from typing import Any

import nbformat
from nbformat.converter import convert
from nbformat.reader import NotJSONError

NEWEST = nbformat.current_nbformat
MAX_CELLS = 5_000
# The longest mark first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotANotebookError(ValueError):
    """The file is no notebook that can be run; the text says why, in words for the one who sent it."""


def normal_form(raw: bytes) -> bytes:
    """The notebook as it is stored: equal notebooks get equal bytes, and so one digest.

    Reads UTF-8 and UTF-16, with or without a byte order mark, and upgrades nbformat 3.
    Raises NotANotebookError.
    """
    notebook = _read(_text(raw))
    _check_cells(notebook)
    # Escaped, because an output may hold half a surrogate pair, which no encoding can carry.
    return json.dumps(notebook, sort_keys=True, separators=(",", ":")).encode("ascii")


def _text(raw: bytes) -> str:
    encoding = _encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotANotebookError(f"the file is not text in {encoding.upper()}") from error
    return text.removeprefix("\ufeff")


def _encoding(raw: bytes) -> str:
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return encoding
    # JSON begins with an ASCII character, so a zero byte beside it tells UTF-16 (RFC 4627, section 3).
    if raw[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if raw[:1] == b"\0" else "utf-8"


def _read(text: str) -> dict[str, Any]:
    found = _json_object(text)
    version = found.get("nbformat")
    if type(version) is not int:
        raise NotANotebookError("the file is JSON, but no notebook: it has no `nbformat` number")
    if version > NEWEST:
        raise NotANotebookError(
            f"the notebook's format {version} is newer than {NEWEST}, the newest known here"
        )
    if version < 3:
        raise NotANotebookError(f"the notebook's format {version} is too old; save it with a current Jupyter")
    return found if version == NEWEST else _upgraded(found)


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise NotANotebookError(f"the file is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotANotebookError("the file is JSON, but no notebook: it is not an object")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _upgraded(old: dict[str, Any]) -> dict[str, Any]:
    try:
        new = convert(nbformat.from_dict(old), NEWEST)  # type: ignore[no-untyped-call]
    # The converter indexes into whatever the file holds.
    except (nbformat.ValidationError, NotJSONError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotANotebookError(
            f"the notebook (format {old['nbformat']}) could not be upgraded: {error!r}"
        ) from error
    return dict(new)


def _check_cells(notebook: dict[str, Any]) -> None:
    """What running a notebook relies on; the rest of the schema (outputs, ids) is of no consequence here."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise NotANotebookError("the notebook has no list of cells")
    if len(cells) > MAX_CELLS:
        raise NotANotebookError(f"the notebook has {len(cells)} cells, at most {MAX_CELLS} are accepted")
    if not isinstance(notebook.get("metadata", {}), dict):
        raise NotANotebookError("the notebook's metadata is no object")
    notebook.setdefault("metadata", {})
    for number, cell in enumerate(cells):
        _check_cell(number, cell)


def _check_cell(number: int, cell: object) -> None:
    if not isinstance(cell, dict) or cell.get("cell_type") not in {"code", "markdown", "raw"}:
        raise NotANotebookError(f"cell {number} is neither code nor text")
    source = cell.get("source", "")
    lines = [source] if isinstance(source, str) else source
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise NotANotebookError(f"the source of cell {number} is no text")
    cell["source"] = "".join(lines)
    if not _is_encodable(cell["source"]):
        raise NotANotebookError(f"the source of cell {number} holds half a character (a lone surrogate)")


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
