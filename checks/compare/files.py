"""What a file's content says: tables out of CSV, values out of JSON, the size of an image."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from checks.evidence import array_node
from checks.evidence import values as v

MAX_CELLS = 200_000
MAX_DEPTH = 50


class UnreadableError(ValueError):
    """The content is not of the form asked for; the text says why, for people."""


def read_csv(text: str, delimiter: str) -> v.Table:
    """A table, its first line the columns' names; columns of numbers are numbers, empty cells NaN.

    Raises UnreadableError.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise UnreadableError(str(error)) from error
    if not rows:
        raise UnreadableError("it is empty")
    head, body = rows[0], rows[1:]
    if len(head) * max(1, len(body)) > MAX_CELLS:
        raise UnreadableError("it is too large")
    odd = next((number for number, row in enumerate(body, 2) if len(row) != len(head)), None)
    if odd is not None:
        raise UnreadableError(f"line {odd} has another number of values than the first")
    columns = tuple(_column(name, [row[at] for row in body]) for at, name in enumerate(head))
    level = array_node(np.arange(len(body)))
    return v.Table(columns=columns, index=v.Index(levels=(level,), names=(v.Nothing(),)), cls="file.csv")


def _column(name: str, cells: list[str]) -> v.Column:
    numbers = _numbers(cells)
    if numbers is not None:
        return v.Column(name=v.Text(v=name), dtype=numbers.dtype.name, values=array_node(numbers))
    items = tuple(v.Text(v=cell) for cell in cells)
    return v.Column(
        name=v.Text(v=name), dtype="str", values=v.Array(dtype="str", shape=(len(items),), items=items)
    )


def _numbers(cells: list[str]) -> np.ndarray[Any, Any] | None:
    """The cells as whole numbers, else as floats; None where one is neither, or all are empty."""
    if not any(cell.strip() for cell in cells):
        return None
    for convert, dtype in ((int, "int64"), (_float, "float64")):
        try:
            return np.array([convert(cell) for cell in cells], dtype=dtype)
        except (ValueError, OverflowError):
            continue
    return None


def _float(cell: str) -> float:
    return float(cell) if cell.strip() else float("nan")


def read_json(text: str) -> v.AnyNode:
    """The value that a JSON text stands for; raises UnreadableError."""
    try:
        return _value(json.loads(text), 0)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"line {error.lineno}: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise UnreadableError("it is nested too deep, or holds a number that is too long") from error


def _value(found: Any, depth: int) -> v.AnyNode:  # noqa: PLR0911 - one line a kind of value
    if depth > MAX_DEPTH:
        raise RecursionError
    match found:
        case None:
            return v.Nothing()
        case bool():
            return v.Bool(v=found)
        case int():
            return v.Int(v=str(found))
        case float():
            return v.Float(v=found.hex())
        case str():
            return v.Text(v=found)
        case list():
            return v.Sequence(items=tuple(_value(item, depth + 1) for item in found))
        case _:
            pairs = ((v.Text(v=key), _value(item, depth + 1)) for key, item in found.items())
            return v.Mapping(items=tuple(pairs))


def image_size(content: bytes) -> tuple[str, int, int] | None:
    """Format, width and height in pixels of a PNG, GIF, BMP or JPEG; None for anything else.

    The places are those of the formats' own specifications: IHDR of PNG, the screen descriptor of GIF, the
    info header of BMP, the frame header (SOF) of JPEG.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return "png", int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if content[:6] in (b"GIF87a", b"GIF89a") and len(content) >= 10:
        return "gif", int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")
    if content.startswith(b"BM") and len(content) >= 26:
        height = int.from_bytes(content[22:26], "little", signed=True)
        return "bmp", int.from_bytes(content[18:22], "little"), abs(height)
    if content.startswith(b"\xff\xd8"):
        return next(_jpeg_frames(content), None)
    return None


def _jpeg_frames(content: bytes) -> Iterator[tuple[str, int, int]]:
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = content[place + 5 : place + 7], content[place + 7 : place + 9]
            yield "jpeg", int.from_bytes(width, "big"), int.from_bytes(height, "big")
        place += 2 + max(2, length)
