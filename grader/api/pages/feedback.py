"""A student's pages, opened by the signed link of one submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from checks.assignment import Assignment
from checks.errors import SpecError
from checks.feedback import Feedback
from grader.api.access import require_turn
from grader.api.links import LinkRefusedError
from grader.api.pages import view
from grader.api.pages.notebook import NoNotebookError, annotated_file, framed_refusal, notebook_page
from grader.api.pages.rendering import PRIVATE, page, refusal, refused_words
from grader.api.service import Service, TheService
from grader.due import is_past
from grader.store import assignments, due, handed_in, submissions
from grader.store.due import Dates, Due
from grader.store.feedback import latest
from grader.store.handed_in import HandedIn, Verdict
from grader.store.submissions import Progress, UnknownSubmissionError

SHOWN_SUBMISSIONS = 30
NO_NOTEBOOK = "There is no executed notebook to show: the file was not run, or its run left none."

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True)
class Found:
    """A submission, and its feedback as its student may see it (None before there is any).

    ``dates``: the assignment's due dates.
    """

    progress: Progress
    feedback: Feedback | None
    dates: Dates

    @property
    def due(self) -> Due | None:
        """What counts for the submission's student."""
        return self.dates.of(self.progress.student)


@dataclass(frozen=True)
class Step:
    """One verdict in a submission's history."""

    at: float
    words: str
    total: view.Total


@dataclass(frozen=True)
class Line:
    """One of the student's submissions; ``total`` is None before its feedback."""

    link: str
    number: int
    created_at: float
    state: str
    total: view.Total | None
    current: bool


@dataclass(frozen=True)
class Link:
    """What the address of a student's page says, not checked yet."""

    submission: str
    expires: int
    signature: str

    @property
    def key(self) -> str:
        """The part behind the question mark, which opens all of the submission's pages."""
        return urlencode({"expires": self.expires, "signature": self.signature})


def _link(submission_id: str, expires: int = 0, signature: str = "") -> Link:
    return Link(submission_id, expires, signature)


TheLink = Annotated[Link, Depends(_link)]


@router.get("/feedback/{submission_id}")
def feedback(link: TheLink, service: TheService) -> Response:
    """A student's feedback; while there is none, where the submission stands."""
    return _opened(service, link, lambda found: _page(service, found, link))


@router.get("/feedback/{submission_id}/notebook")
def notebook(link: TheLink, service: TheService) -> Response:
    """The executed notebook with the feedback in it, for the page's frame."""
    return _opened(service, link, lambda found: _notebook(service, found), framed_refusal)


@router.get("/feedback/{submission_id}/annotated.ipynb")
def annotated(link: TheLink, service: TheService) -> Response:
    """The same as a file for Jupyter."""
    return _opened(service, link, lambda found: _annotated(service, found))


def _opened(
    service: Service,
    link: Link,
    answer: Callable[[Found], Response],
    refuse: Callable[[int, str, str], Response] = refusal,
) -> Response:
    """What the link opens, or a page that says why it does not."""
    try:
        service.links.check("feedback", link.submission, link.expires, link.signature)
        require_turn(service.link_turns, link.submission)
        return answer(_found(service, link.submission))
    except LinkRefusedError as error:
        return refuse(403, "This link does not open", refused_words(error))
    except UnknownSubmissionError:
        return refuse(404, "Not found", "There is no such submission.")
    except NoNotebookError:
        return refuse(404, "No notebook", NO_NOTEBOOK)


def _found(service: Service, submission_id: str) -> Found:
    with service.store.read() as session:
        found = submissions.progress(session, submission_id)
        document = latest(session, found.attempt)
        dates = due.of_assignment(session, found.assignment)
    seen = None if document is None else service.for_student(Feedback.from_json(document), dates)
    return Found(found, seen, dates)


def _page(service: Service, found: Found, link: Link) -> Response:
    progress = found.progress
    with service.store.read() as session:
        title = assignments.current(session, progress.assignment).title
        mine = handed_in.of_student(
            session, progress.assignment, progress.student, limit=SHOWN_SUBMISSIONS + 1
        )
    own = next((one for one in mine if one.id == progress.id), None)
    return page(
        "feedback.html",
        title=title,
        submission=progress,
        feedback=found.feedback,
        key=link.key,
        due=found.due,
        late=found.dates.is_late(progress.student, progress.created_at),
        more_lines=len(mine) > SHOWN_SUBMISSIONS,
        lines=[_line(service, one, found, link.expires) for one in mine[:SHOWN_SUBMISSIONS]],
        steps=_steps(service, own.verdicts, found.dates) if own is not None else [],
        **_judged(service, found),
    )


def _judged(service: Service, found: Found) -> dict[str, Any]:
    judged = found.feedback
    if judged is None:
        assignment = _assignment(service, found.progress.version)
        return {"expected": view.expected_of(assignment, due_is_past=is_past(found.due))}
    shown = view.cards(judged, service.assignment(judged.assignment.version))
    shared = view.shared_message(shown)
    return {
        "cards": shown,
        "shared": shared,
        "shared_next": view.shared_next(shown, judged.run.status) if shared else "",
        "total": view.total(judged),
        "summary": view.summary(shown),
        "to_do": None if shared else view.first_to_do(shown),
    }


def _assignment(service: Service, version: str) -> Assignment | None:
    """None where a version cannot be read (any more): then its submissions are parked, which is told."""
    try:
        return service.assignment(version)
    except SpecError:
        return None


def _line(service: Service, one: HandedIn, found: Found, until: int) -> Line:
    verdict = one.latest
    return Line(
        link=service.links.sign("feedback", one.id, until=until),
        number=one.number,
        created_at=one.created_at,
        state=one.state,
        total=None if verdict is None else view.total(service.for_student(verdict.feedback, found.dates)),
        current=one.id == found.progress.id,
    )


def _steps(service: Service, verdicts: Sequence[Verdict], dates: Dates) -> list[Step]:
    steps: list[Step] = []
    for verdict in verdicts:
        words = view.step_words(verdict.attempt, again=verdict.regraded, by_hand=verdict.by_hand)
        steps.append(Step(verdict.at, words, view.total(service.for_student(verdict.feedback, dates))))
    return steps


def _executed(service: Service, found: Found) -> tuple[bytes, Feedback]:
    if found.progress.executed is None or found.feedback is None:
        raise NoNotebookError(found.progress.id)
    return service.store.blobs.get(found.progress.executed), found.feedback


def _notebook(service: Service, found: Found) -> Response:
    executed, judged = _executed(service, found)
    assignment = service.assignment(judged.assignment.version)
    return notebook_page(executed, judged, view.cards(judged, assignment))


def _annotated(service: Service, found: Found) -> Response:
    executed, judged = _executed(service, found)
    headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{found.progress.id}-feedback.ipynb"'}
    return Response(annotated_file(executed, judged), headers=headers, media_type="application/x-ipynb+json")
