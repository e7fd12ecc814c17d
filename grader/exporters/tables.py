"""What the formats share: CSV that keeps the bytes it was not asked to change, numbers, the newest grades."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from grader.exporters import ExportError, Grade

BOM = "\ufeff"
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
SEPARATORS = (",", ";", "\t")


class Table:
    """The rows of a CSV file; all cells are written with their own spelling, except those put anew.

    Learning systems quote by rules of their own, and compare what comes back: a row that nobody changed goes
    back byte for byte, with its line end. ``changed`` holds the places of the rows that somebody did change.
    """

    def __init__(self, template: bytes, *, ragged: bool = False) -> None:
        """``template``: UTF-8, separated by commas, semicolons or tabs; raises ExportError.

        ``ragged``: rows may be shorter than the header, then they are filled up, or longer.
        """
        text = _decoded(template)
        self.bom = text.startswith(BOM)
        text = text.removeprefix(BOM)
        self.separator = _separator(text)
        self._raw: list[list[str]] = []
        self._ends: list[str] = []
        for raw, end in _records(text, self.separator):
            missing = len(self._raw[0]) - len(raw) if self._raw and raw != [""] else 0
            self._raw.append(raw + [""] * missing if ragged else raw)
            self._ends.append(end)
        self.changed: set[int] = set()
        self.rows = [[_unquoted(cell) for cell in raw] for raw in self._raw]
        if not self.rows or not any(self.rows[0]):
            raise ExportError("the template is empty")
        width = len(self.header)
        for number, row in enumerate(self.rows, start=1):
            if len(row) != width and row != [""] and not ragged:
                raise ExportError(f"the template's row {number} has {len(row)} cells, its header has {width}")

    @property
    def header(self) -> list[str]:
        """The first row."""
        return self.rows[0]

    def students(self) -> dict[int, list[str]]:
        """The rows below the header that are not blank, by their place in ``rows``."""
        return {n: row for n, row in enumerate(self.rows) if n and row != [""]}

    def put(self, row: int, column: int, text: str) -> None:
        """Change one cell."""
        self.changed.add(row)
        self.rows[row][column] = text
        self._raw[row][column] = _quoted(text, self.separator)

    def written(self, columns: Sequence[int] | None = None, *, bom: bool = True) -> bytes:
        """The file, or only some of its columns, then without blank rows; ``bom``: keep a byte order mark."""
        lines = [
            self.separator.join(raw if columns is None else [raw[n] for n in columns]) + end
            for raw, end, row in zip(self._raw, self._ends, self.rows, strict=True)
            if columns is None or row != [""]
        ]
        return ((BOM if bom and self.bom else "") + "".join(lines)).encode()


def _decoded(template: bytes) -> str:
    try:
        return template.decode()
    except UnicodeDecodeError as error:
        raise ExportError(
            f"the template is not UTF-8 ({error}): please give the file as it was downloaded; "
            "Excel keeps it readable only as “CSV UTF-8”"
        ) from error


def _separator(text: str) -> str:
    """The separator that makes the most cells of the first row."""

    def cells(separator: str) -> int:
        try:
            raw, _ = next(_records(text, separator), ([], ""))
        except ExportError:
            return 0
        return len(raw)

    return max(SEPARATORS, key=cells)


def _records(text: str, separator: str) -> Iterator[tuple[list[str], str]]:
    """Each row's cells as they are spelled, and how its line ends."""
    cell = re.compile(
        rf'("[^"]*+(?:""[^"]*+)*+"|(?!")[^{separator}\r\n]*+)({separator}|\r\n|\n|\r|\Z)',
    )
    at = 0
    row: list[str] = []
    while at < len(text) or row:
        match = cell.match(text, at)
        if match is None:
            line = text.count("\n", 0, at) + 1
            raise ExportError(f"the template is no CSV: line {line} has a quotation mark out of place")
        row.append(match[1])
        at = match.end()
        if match[2] != separator:
            yield row, match[2]
            row = []


def _unquoted(raw: str) -> str:
    return raw[1:-1].replace('""', '"') if raw.startswith('"') else raw


def _quoted(text: str, separator: str) -> str:
    if text.startswith('"') or not {separator, "\r", "\n"}.isdisjoint(text) or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def latest(grades: Iterable[Grade]) -> list[Grade]:
    """The newest grade of each student, by name."""
    newest: dict[str, Grade] = {}
    for grade in grades:
        if grade.student not in newest or grade.number >= newest[grade.student].number:
            newest[grade.student] = grade
    return sorted(newest.values(), key=lambda grade: grade.student)


def without_grade(grade: Grade) -> str:
    """Why a submission's total does not stand, for a remark."""
    to_mark = [part.id for part in grade.parts if part.status == "needs_review"]
    if to_mark:
        return f"no grade yet, a person has to mark {', '.join(to_mark)}"
    unjudged = [part.id for part in grade.parts if part.status == "unjudged"]
    return f"no grade yet, {', '.join(unjudged)} could not be judged" if unjudged else "no grade yet"


def number(value: float) -> str:
    """A score as people write it: at most four decimals, none where there are none."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def decimal(text: str) -> float | None:
    """A positive number as a learning system writes it; None for all else.

    What stands behind the last point or comma are decimals, as Canvas reads it.
    """
    *whole, last = re.split(r"[.,]", text.strip())
    if not all(re.fullmatch(r"[0-9]+", digits) for digits in (*whole, last)):
        return None
    return float(f"{''.join(whole)}.{last}" if whole else last) or None


def scaled(grade: Grade, maximum: float | None) -> float | None:
    """The score on a scale up to ``maximum``, where the other system counts otherwise."""
    if grade.score is None or maximum is None or not grade.max_score or maximum == grade.max_score:
        return grade.score
    return grade.score / grade.max_score * maximum


def harmless(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    return "'" + text if text.startswith(FORMULA_MARKS) else text
