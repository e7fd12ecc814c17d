"""What the formats with a template share: reading CSV, finding students, spelling numbers and comments."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from grader.exporters import ExportError, Grade

BOM = "\ufeff"
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
_NAME_AND_NUMBER = re.compile(r"(?P<name>.+)_(?P<number>\d+)", re.DOTALL)


def read(template: bytes) -> list[list[str]]:
    """The rows of a UTF-8 CSV file with commas; raises ExportError."""
    try:
        text = template.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExportError(f"the template is not UTF-8: {error}") from error
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ExportError(f"the template is no CSV: {error}") from error
    if not rows:
        raise ExportError("the template is empty")
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != width:
            raise ExportError(f"the template's row {number} has {len(row)} cells, its header has {width}")
    return rows


def written(rows: Iterable[Sequence[str]], like: bytes) -> bytes:
    """The rows as UTF-8 CSV, with the byte order mark and the line ends of ``like``."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n" if b"\r\n" in like else "\n").writerows(rows)
    return ((BOM if like.startswith(BOM.encode()) else "") + target.getvalue()).encode()


class Students:
    """Finds a grade's row by number, login or name; each of the template's columns is asked in its order."""

    def __init__(self, columns: Sequence[Mapping[int, str]]) -> None:
        """``columns``: by row, what identifies its student; the surest column first."""
        self._columns = [_index(column) for column in columns]

    def row(self, student: str) -> int | None:
        """The row of a student; None where nobody, or more than one, is meant."""
        split = _NAME_AND_NUMBER.fullmatch(student)
        spellings = [student] if split is None else [student, split["number"], split["name"]]
        for spelling in spellings:
            for index in self._columns:
                rows = index.get(_plain(spelling), [])
                if len(rows) == 1:
                    return rows[0]
        return None


def _index(column: Mapping[int, str]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for row, text in column.items():
        if text.strip():
            index.setdefault(_plain(text), []).append(row)
    return index


def _plain(text: str) -> str:
    """Letters and digits only, in lower case: how archives spell "Lovelace, Ada"."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def latest(grades: Iterable[Grade]) -> list[Grade]:
    """The newest grade of each student, by name."""
    newest: dict[str, Grade] = {}
    for grade in grades:
        if grade.student not in newest or grade.number >= newest[grade.student].number:
            newest[grade.student] = grade
    return sorted(newest.values(), key=lambda grade: grade.student)


def number(value: float) -> str:
    """A score as people write it: at most four decimals, none where there are none."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def scaled(grade: Grade, maximum: float | None) -> float | None:
    """The score on a scale up to ``maximum``, where the other system counts otherwise."""
    if grade.score is None or maximum is None or not grade.max_score or maximum == grade.max_score:
        return grade.score
    return grade.score / grade.max_score * maximum


def harmless(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    return "'" + text if text.startswith(FORMULA_MARKS) else text


def comment(grade: Grade) -> str:
    """What a student reads beside the grade: one line a part."""
    lines = []
    for part in grade.parts:
        if part.hidden:
            continue
        points = "" if part.score is None else f" ({number(part.score)}/{number(part.max_score)})"
        words = part.status.replace("_", " ")
        lines.append(f"{part.title}: {words}{points}" + (f". {part.message}" if part.message else ""))
    return "\n".join(lines)
