"""A submitted file, checked and brought to the one form that is stored: nbformat 4.5 as ASCII JSON.

The form is built anew of what running a notebook takes. Whatever else the file holds never gets in, so that
nothing behind this door can stumble over it.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import math
import re
from typing import Any

import msgspec
import nbformat
from nbformat.converter import convert
from nbformat.reader import NotJSONError

NEWEST = nbformat.current_nbformat
MINOR = 5
MAX_CELLS = 5_000
MAX_DEPTH = 20
# What others index into; any other metadata is carried along unread.
METADATA_TYPES: dict[str, type] = {
    "kernelspec": dict,
    "language_info": dict,
    "execution": dict,
    "jupyter": dict,
    "tags": list,
}
# The longest mark first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotANotebookError(ValueError):
    """The file is no notebook that can be run; the text says why, in words for the one who sent it."""


def normal_form(raw: bytes) -> bytes:
    """The notebook as it is stored: equal notebooks get equal bytes, and so one digest.

    Reads UTF-8 and UTF-16, with or without a byte order mark, and upgrades nbformat 3. Outputs are left out,
    cells without an id get one made of their place and source. Raises NotANotebookError.
    """
    notebook = read_notebook(raw)
    taken: set[str] = set()
    for index, cell in enumerate(notebook["cells"]):
        cell["id"] = cell_id(cell, index, taken)
    return json.dumps(notebook, sort_keys=True, separators=(",", ":")).encode("ascii")


def read_notebook(raw: bytes) -> dict[str, Any]:
    """The same before it is written: cells have the ids of the file, if any. Raises NotANotebookError."""
    found = _read(raw)
    cells, metadata = found.get("cells"), found.get("metadata", {})
    if not isinstance(cells, list):
        raise NotANotebookError("the notebook has no list of cells")
    if len(cells) > MAX_CELLS:
        raise NotANotebookError(f"the notebook has {len(cells)} cells, at most {MAX_CELLS} are accepted")
    if not isinstance(metadata, dict):
        raise NotANotebookError("the notebook's metadata is no object")
    return {
        "cells": [_cell(number, cell) for number, cell in enumerate(cells)],
        "metadata": _metadata(metadata),
        "nbformat": NEWEST,
        "nbformat_minor": MINOR,
    }


def cell_id(cell: dict[str, Any], index: int, taken: set[str]) -> str:
    """The cell's own id, so that cells keep their names over the editions; else one made of the content.

    ``taken`` are the ids of the cells above; the new one is added.
    """
    name = cell.get("id")
    if not isinstance(name, str) or name in taken:
        name = hashlib.sha256(f"{index}\n{cell['source']}".encode()).hexdigest()[:12]
    taken.add(name)
    return name


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


def _read(raw: bytes) -> dict[str, Any]:
    found = _json(raw)
    if not isinstance(found, dict):
        raise NotANotebookError("the file is JSON, but no notebook: it is not an object")
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


def _json(raw: bytes) -> Any:
    """What the quick decoder takes means the same to the patient one, which also says what is wrong."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _json_of(_text(raw))


def _json_of(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise NotANotebookError(f"the file is not JSON: {error}") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _upgraded(old: dict[str, Any]) -> dict[str, Any]:
    try:
        new: dict[str, Any] = convert(nbformat.from_dict(old), NEWEST)  # type: ignore[no-untyped-call]
        # The converter draws ids at random, and equal notebooks must stay equal.
        return {**new, "cells": [{**cell, "id": None} for cell in new["cells"]]}
    # The converter indexes into whatever the file holds.
    except _CONVERTERS_ERRORS as error:
        raise NotANotebookError(
            f"the notebook (format {old['nbformat']}) could not be upgraded: {error!r}"
        ) from error


_CONVERTERS_ERRORS = (
    nbformat.ValidationError,
    NotJSONError,
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    RecursionError,
)


def _cell(number: int, cell: object) -> dict[str, Any]:
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise NotANotebookError(f"cell {number} is neither code nor text")
    metadata, name = cell.get("metadata"), cell.get("id")
    new: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "metadata": _metadata(metadata) if isinstance(metadata, dict) else {},
        "source": _source(number, cell.get("source", "")),
    }
    if isinstance(name, str) and _CELL_ID.fullmatch(name):
        new["id"] = name
    if new["cell_type"] == "code":
        return new | {"execution_count": None, "outputs": []}
    return new | ({"attachments": cell["attachments"]} if _are_attachments(cell.get("attachments")) else {})


def _source(number: int, source: object) -> str:
    text = _joined(source)
    if text is None:
        raise NotANotebookError(f"the source of cell {number} is no text")
    if not _is_encodable(text):
        raise NotANotebookError(f"the source of cell {number} holds half a character (a lone surrogate)")
    return text


def _joined(source: object) -> str | None:
    """The text of a list of lines, or of one that is not cut; None where it is neither."""
    if isinstance(source, str):
        return source
    try:
        return "".join(source) if isinstance(source, list) else None
    except TypeError:
        return None


def _metadata(found: dict[str, Any]) -> dict[str, Any]:
    """What of the metadata is as the format says, or of no known form but plain."""
    kept: dict[str, Any] = {
        key: value
        for key, value in found.items()
        if isinstance(value, METADATA_TYPES.get(key, object)) and _is_plain(key) and _is_plain(value)
    }
    if "tags" in kept:
        kept["tags"] = [tag for tag in kept["tags"] if isinstance(tag, str)]
    return kept


def _are_attachments(found: object) -> bool:
    return (
        isinstance(found, dict)
        and all(isinstance(kinds, dict) for kinds in found.values())
        and all(_is_text(data) for kinds in found.values() for data in kinds.values())
        and _is_plain(found)
    )


def _is_text(data: object) -> bool:
    return isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))


def _is_plain(value: object, depth: int = 0) -> bool:
    """Whether the value can be written in any encoding, read by any reader, and walked through."""
    match value:
        case str():
            return _is_encodable(value)
        case float():
            return math.isfinite(value)
        case dict():
            return _are_plain([*value, *value.values()], depth + 1)
        case list():
            return _are_plain(value, depth + 1)
        case _:
            return True


def _are_plain(values: list[Any], depth: int) -> bool:
    return depth <= MAX_DEPTH and all(_is_plain(value, depth) for value in values)


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
