"""Gradescope's ``results.json``, one a student in a zip (or the file alone, for one student).

A part is one test. ``score`` at the top overrides the sum. By its specification it stands there or at
every test, so a student whose grade does not stand yet is left out; the score of a part that nobody
judges is left out in any case.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from grader.exporters import Export, ExportError, Grade, Order, PartLine
from grader.exporters.tables import latest, without_grade

FORMAT = "Gradescope results.json"
TEMPLATE = False
FROM = ""
FOR_STUDENTS = True
JUDGED = frozenset({"correct", "partial", "incorrect", "not_attempted", "error"})
# A zip's members have a time; a fixed one keeps equal grades equal bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def export(grades: Sequence[Grade], _order: Order) -> Export:
    """``results.json`` of each student's newest submission; raises ExportError where none has a grade."""
    found = latest(grades)
    newest = [grade for grade in found if grade.score is not None]
    remarks = [f"{each.student}: {without_grade(each)}; not exported" for each in found if each.score is None]
    if not newest:
        raise ExportError("nobody has a grade yet, and Gradescope takes no results without a score")
    if len(found) == 1:
        return Export(results(newest[0]), "application/json", "results.json", students=1)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, grade in enumerate(newest, start=1):
            member = zipfile.ZipInfo(f"{number:04d}_{_plain(grade.student)}/results.json", EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, results(grade))
    return Export(target.getvalue(), "application/zip", "gradescope.zip", tuple(remarks), len(newest))


def results(grade: Grade) -> bytes:
    """The document of a submission that has a grade."""
    document: dict[str, Any] = {
        "score": grade.score,
        "execution_time": round(grade.seconds, 3),
        "output": f"Run: {grade.run.replace('_', ' ')}",
        "output_format": "text",
        "test_output_format": "md",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"submission": grade.submission, "run": grade.run},
        "tests": [_test(number, part) for number, part in enumerate(grade.parts, start=1)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _test(number: int, part: PartLine) -> dict[str, Any]:
    test: dict[str, Any] = {"name": part.title, "name_format": "text", "number": str(number)}
    if part.score is not None:
        test |= {"score": part.score, "max_score": part.max_score}
    if part.status in JUDGED:
        test["status"] = "passed" if part.status == "correct" else "failed"
    return test | {
        "output": part.message,
        "output_format": "md",
        "tags": [part.status],
        "visibility": "hidden" if part.hidden else "visible",
        "extra_data": {"part": part.id, "status": part.status},
    }


def _plain(student: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in student)[:80]
