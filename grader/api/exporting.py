"""Grades and feedback as files, for programs and for learning systems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from fastapi.responses import StreamingResponse

from checks.feedback import Feedback
from grader import grades, handback
from grader.api.access import AssignmentInstructor
from grader.api.problems import described
from grader.api.service import Service, TheService
from grader.exporters import Export, Order, export
from grader.handback import Handback, Returned
from grader.store import BlobMissingError, assignments, due
from grader.store.due import Dates

router = APIRouter(prefix="/api/v1/assignments", tags=["exports"])
REMARKS = "X-Grader-Remarks"
MAX_REMARKS = 20
FEEDBACK_ZIP = "feedback.zip"
Format = Annotated[
    str, Query(alias="format", description="plain | canvas | moodle | gradescope", max_length=50)
]
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the file; its kind depends on the format",
        "content": {
            "text/csv": {},
            "application/json": {"example": {"score": 2.5, "tests": []}},
            "application/zip": {"example": "(a zip of one results.json a student)"},
        },
        "headers": {
            REMARKS: {
                "description": "a JSON array: what is doubtful, then what was not exported and why; "
                f"the first {MAX_REMARKS}, then how many more",
                "schema": {"type": "string"},
            }
        },
    }
}
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "a zip", "content": {"application/zip": {}}, "headers": FILES[200]["headers"]},
}


@router.get(
    "/{assignment_id:path}/grades.csv",
    responses=FILES | described(401, 403, 404, 422, 429),
    response_class=Response,
)
def grades_csv(
    assignment_id: str, service: TheService, _caller: AssignmentInstructor, wanted: Format = "plain"
) -> Response:
    """The latest submission's grade of each student, in a format that needs no file of another system."""
    return answer(exported(service, assignment_id, wanted))


@router.post(
    "/{assignment_id:path}/grades.csv",
    responses=FILES | described(400, 401, 403, 404, 413, 422, 429),
    response_class=Response,
)
def grades_into(
    assignment_id: str,
    service: TheService,
    _caller: AssignmentInstructor,
    template: Annotated[UploadFile, File(description="the gradebook or worksheet downloaded there")],
    column: Annotated[str | None, Form(description="the column to fill in", max_length=500)] = None,
    wanted: Format = "canvas",
) -> Response:
    """The same, filled into the gradebook or worksheet that was downloaded from the learning system."""
    return answer(exported(service, assignment_id, wanted, template.file.read(), column))


@router.get(
    "/{assignment_id:path}/feedback.zip",
    responses=ZIP | described(401, 403, 404, 429),
    response_class=StreamingResponse,
)
def feedback_zip(assignment_id: str, service: TheService, _caller: AssignmentInstructor) -> StreamingResponse:
    """A folder a student: feedback.html (opens offline), the annotated notebook, feedback.json."""
    return zipped(service, assignment_id, None)


@router.post(
    "/{assignment_id:path}/feedback.zip",
    responses=ZIP | described(400, 401, 403, 404, 413, 422, 429),
    response_class=StreamingResponse,
)
def feedback_into(
    assignment_id: str,
    service: TheService,
    _caller: AssignmentInstructor,
    download: Annotated[UploadFile, File(description="Canvas's or Moodle's zip of the submissions")],
) -> StreamingResponse:
    """The same under the names of a learning system's download, which it takes as feedback files."""
    return zipped(service, assignment_id, download.file.read())


def exported(
    service: Service,
    assignment_id: str,
    wanted: str,
    template: bytes | None = None,
    column: str | None = None,
) -> Export:
    """The file in a format; raises UnknownAssignmentError, ExportError."""
    with service.store.read() as session:
        title = assignments.current(session, assignment_id).title
        found = grades.stored(session, assignment_id)
        dates = due.of_assignment(session, assignment_id)
    told = [each.grade(lambda judged: service.for_student(judged, dates)) for each in found]
    return export(wanted, told, Order(title, template, column or None))


def answer(made: Export) -> Response:
    """A finished file, with its remarks in a header."""
    headers = {"Content-Disposition": f'attachment; filename="{made.filename}"'}
    if made.remarks:
        headers[REMARKS] = told(made.remarks)
    return Response(made.content, media_type=made.media_type, headers=headers)


def zipped(service: Service, assignment_id: str, download: bytes | None) -> StreamingResponse:
    """All students' feedback, under the names of ``download`` where there is one; raises ExportError."""
    return streamed(bundled(service, assignment_id, download))


def bundled(service: Service, assignment_id: str, download: bytes | None) -> Returned:
    """The same as an open file, whose end closes it (``streamed``), and who is not in it."""
    with service.store.read() as session:
        found = grades.feedback_of_assignment(session, assignment_id)
        dates = due.of_assignment(session, assignment_id)
    given = _handbacks(service, found, dates)
    if download is None:
        return Returned(handback.folders([each.student for each in found], given), ())
    return handback.returned(download, given)


def streamed(back: Returned) -> StreamingResponse:
    """A zip piece by piece, with its remarks in a header."""
    headers = {"Content-Disposition": f'attachment; filename="{FEEDBACK_ZIP}"'}
    if back.remarks:
        headers[REMARKS] = told(back.remarks)
    return StreamingResponse(handback.pieces(back.made), media_type="application/zip", headers=headers)


def told(remarks: Sequence[str]) -> str:
    """The remarks as a header's value; where there are too many, the last tells how many are missing."""
    more = len(remarks) - MAX_REMARKS
    return json.dumps([*remarks[:MAX_REMARKS], f"and {more} more"] if more > 0 else list(remarks))


def _handbacks(service: Service, found: list[grades.Judged], dates: Dates) -> Iterator[Handback]:
    for each in found:
        seen = service.for_student(Feedback.from_json(each.document), dates)
        yield Handback(each.student, seen, _executed(service, each.executed))


def _executed(service: Service, blob: str | None) -> bytes | None:
    """The notebook as it ran; without it, its student still gets the feedback."""
    try:
        return None if blob is None else service.store.blobs.get(blob)
    except BlobMissingError:
        return None
