"""A page's table for programs: CSV for a spreadsheet, JSON, both with the same columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from fastapi import Response

from grader.exporters.tables import FORMULA_MARKS

Format = Literal["html", "csv", "json"]
Value = str | int | float | None | Sequence[str]


def answer(form: Format, name: str, head: Sequence[str], rows: Iterable[Sequence[Value]]) -> Response:
    """The table as a file: ``csv``, or ``json`` as a list of objects. Nothing there is null, never 0."""
    headers = {
        "Content-Disposition": f'attachment; filename="{_file(name)}.{form}"',
        "Cache-Control": "no-store",
    }
    if form == "json":
        listed = [dict(zip(head, row, strict=True)) for row in rows]
        return Response(msgspec.json.encode(listed), headers=headers, media_type="application/json")
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(target.getvalue().encode(), headers=headers, media_type="text/csv")


def _cell(value: Value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else "; ".join(value)
    # A student's name or answer must not become a formula of the instructor's spreadsheet.
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text


def _file(name: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "-" for each in name)
