"""An assignment's submissions line by line, and what follows for each student, without any evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select
from sqlalchemy.orm import Session

from checks.feedback import PartStatus
from grader.grades import WITHOUT_SCORE
from grader.store.tables import Attempt, FeedbackRow, PartRow, Submission

Standing = Literal["complete", "open", "waiting", "needs_review", "unjudged"]
Sort = Literal["student", "score", "attempts", "handed_in", "seconds", "state"]
DUST = 1e-9


class Line(msgspec.Struct, frozen=True):
    """One submission with its latest attempt and the verdict that counts.

    ``score`` is None before there is a verdict, and as long as a part is ``unjudged`` or ``needs_review``.
    Moments are seconds since 1970; ``seconds`` is the run's wall time.
    """

    submission: str
    student: str
    number: int
    created_at: float
    attempt: str
    state: str
    reason: str | None
    claims: int
    queued_at: float
    started_at: float | None
    feedback: str | None
    evidence: str | None
    run_status: str | None
    score: float | None
    max_score: float | None
    seconds: float | None
    unjudged: int
    to_review: int

    @property
    def full(self) -> bool:
        """Whether every point there is was reached."""
        return self.score is not None and self.max_score is not None and self.score >= self.max_score - DUST


class Cell(msgspec.Struct, frozen=True):
    """One part of a verdict; ``score`` is None where the status gives none."""

    part: str
    title: str
    status: str
    score: float | None
    max_score: float
    misconception: str | None


class Student(msgspec.Struct, frozen=True):
    """A student's submissions, newest first; ``counts`` is the newest with a verdict, else the newest."""

    name: str
    lines: tuple[Line, ...]
    counts: Line
    success: int | None

    @property
    def standing(self) -> Standing:
        """Where the student stands, by what has to be done next."""
        if self.lines[0].feedback is None and self.lines[0].state != "parked":
            return "waiting"
        if self.counts.feedback is None or self.counts.unjudged:
            return "unjudged"
        if self.counts.to_review:
            return "needs_review"
        return "complete" if self.counts.full else "open"


def lines(session: Session, assignment_id: str, *, student: str | None = None) -> list[Line]:
    """Every submission to the assignment (of one student), oldest first."""
    rows = session.execute(_LINES.where(*_chosen(assignment_id, student)))
    return [_line(Line(*tuple(row))) for row in rows]


def to_mark(session: Session, assignment_id: str) -> list[tuple[str, str]]:
    """Each student whose standing is ``needs_review``, with the submission that counts; in no order."""
    rows = session.execute(_TO_MARK.where(Submission.assignment_id == assignment_id))
    return [(student, submission) for student, submission in rows]


def students(found: Iterable[Line]) -> list[Student]:
    """By name: each student with all submissions."""
    by_name: dict[str, list[Line]] = {}
    for line in found:
        by_name.setdefault(line.student, []).append(line)
    return [_student(name, by_name[name]) for name in sorted(by_name, key=str.casefold)]


def cells(
    session: Session, assignment_id: str, *, student: str | None = None, part: str | None = None
) -> dict[str, list[Cell]]:
    """By verdict: its parts (or only one), for every verdict that counts."""
    chosen = [*_chosen(assignment_id, student), *([] if part is None else [PartRow.part == part])]
    rows = session.execute(
        select(
            PartRow.feedback_id, PartRow.part, PartRow.title, PartRow.status, PartRow.score,
            PartRow.max_score, PartRow.misconception,
        )
        .select_from(Submission)
        .join(Attempt, Attempt.id == NEWEST_ATTEMPT)
        .join(FeedbackRow, FeedbackRow.id == NEWEST_VERDICT)
        .join(PartRow, PartRow.feedback_id == FeedbackRow.id)
        .where(*chosen)
        .order_by(PartRow.feedback_id, PartRow.position)
    )  # fmt: skip
    found: dict[str, list[Cell]] = {}
    for feedback, name, title, status, score, most, misconception in rows:
        kept = None if status in WITHOUT_SCORE else score
        found.setdefault(feedback, []).append(Cell(name, title, status, kept, most, misconception))
    return found


class PartCount(msgspec.Struct, frozen=True):
    """How many students have each status (of all that there are) and each misconception in a part."""

    id: str
    title: str
    max_score: float
    statuses: dict[str, int]
    misconceptions: dict[str, int]

    @property
    def total(self) -> int:
        """How many verdicts there are."""
        return sum(self.statuses.values())


def part_counts(found: Sequence[Student], by_verdict: Mapping[str, Sequence[Cell]]) -> list[PartCount]:
    """The parts in the order of the newest verdict; those that only older ones had come last."""
    by_part: dict[str, list[Cell]] = {}
    counting = sorted((each.counts for each in found), key=lambda line: line.feedback or "", reverse=True)
    for line in counting:
        for cell in by_verdict.get(line.feedback or "", ()):
            by_part.setdefault(cell.part, []).append(cell)
    return [
        PartCount(
            name,
            kept[0].title,
            kept[0].max_score,
            dict.fromkeys(get_args(PartStatus), 0) | Counter(cell.status for cell in kept),
            dict(Counter(cell.misconception for cell in kept if cell.misconception)),
        )
        for name, kept in by_part.items()
    ]


def ordered(found: Iterable[Student], sort: Sort, *, descending: bool) -> list[Student]:
    """Sorted; students without what is sorted by come last whichever way, equals by name."""
    key = _KEYS[sort]
    by_name = sorted(found, key=lambda each: each.name.casefold())
    having = [each for each in by_name if key(each) is not None]
    having.sort(key=key, reverse=descending)  # type: ignore[arg-type] # what is None was left out
    return having + [each for each in by_name if key(each) is None]


_KEYS: Mapping[Sort, Callable[[Student], float | str | None]] = {
    "student": lambda each: each.name.casefold(),
    "score": lambda each: each.counts.score,
    "attempts": lambda each: len(each.lines),
    "handed_in": lambda each: each.lines[0].created_at,
    "seconds": lambda each: each.counts.seconds,
    "state": lambda each: each.standing,
}


def _chosen(assignment_id: str, student: str | None) -> list[ColumnElement[bool]]:
    chosen = [Submission.assignment_id == assignment_id]
    return chosen if student is None else [*chosen, Submission.student == student]


def _line(read: Line) -> Line:
    score = None if read.unjudged or read.to_review else read.score
    seconds = None if read.run_status == "system_error" else read.seconds
    return msgspec.structs.replace(read, score=score, seconds=seconds)


def _student(name: str, found: list[Line]) -> Student:
    newest = sorted(found, key=lambda line: line.number, reverse=True)
    counts = next((line for line in newest if line.feedback is not None), newest[0])
    success = min((line.number for line in newest if line.full), default=None)
    return Student(name, tuple(newest), counts, success)


# A submission's newest attempt, and an attempt's newest verdict, for joins: each one look into an index.
_OTHER = Attempt.__table__.alias("other")
NEWEST_ATTEMPT = (
    select(_OTHER.c.id)
    .where(_OTHER.c.submission_id == Submission.id)
    .order_by(_OTHER.c.number.desc())
    .limit(1)
    .correlate(Submission)
    .scalar_subquery()
)
_VERDICT = FeedbackRow.__table__.alias("verdict")
NEWEST_VERDICT = (
    select(func.max(_VERDICT.c.id))
    .where(_VERDICT.c.attempt_id == Attempt.id)
    .correlate(Attempt)
    .scalar_subquery()
)


def _parts_in(status: str) -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(PartRow.feedback_id == FeedbackRow.id, PartRow.status == status)
        .correlate(FeedbackRow)
        .scalar_subquery()
    )


_LINES = (
    select(
        Submission.id, Submission.student, Submission.number, Submission.created_at,
        Attempt.id, Attempt.state, Attempt.reason, Attempt.claims, Attempt.created_at, Attempt.started_at,
        FeedbackRow.id, FeedbackRow.evidence, FeedbackRow.run_status, FeedbackRow.score,
        FeedbackRow.max_score, FeedbackRow.run_seconds, _parts_in("unjudged"), _parts_in("needs_review"),
    )
    .select_from(Submission)
    .join(Attempt, Attempt.id == NEWEST_ATTEMPT)
    .outerjoin(FeedbackRow, FeedbackRow.id == NEWEST_VERDICT)
    .order_by(Submission.created_at, Submission.id)
)  # fmt: skip


def _has_part(status: str) -> ColumnElement[bool]:
    return exists().where(PartRow.feedback_id == NEWEST_VERDICT, PartRow.status == status).correlate(Attempt)


# A later submission of the same student, with its newest attempt.
_LATER = Submission.__table__.alias("later")
_LATER_ATTEMPT = Attempt.__table__.alias("later_attempt")
_LATER_OTHER = Attempt.__table__.alias("later_other")
_LATEST = (
    select(func.max(_LATER.c.number))
    .where(_LATER.c.assignment_id == Submission.assignment_id, _LATER.c.student == Submission.student)
    .correlate(Submission)
    .scalar_subquery()
)
# It takes the place of this one: it has a verdict, or it is the latest and still waits for one.
_OVERTAKEN = (
    exists()
    .where(
        _LATER.c.assignment_id == Submission.assignment_id,
        _LATER.c.student == Submission.student,
        _LATER.c.number > Submission.number,
        _LATER_ATTEMPT.c.submission_id == _LATER.c.id,
        _LATER_ATTEMPT.c.number
        == select(func.max(_LATER_OTHER.c.number))
        .where(_LATER_OTHER.c.submission_id == _LATER.c.id)
        .correlate(_LATER)
        .scalar_subquery(),
        or_(
            exists().where(_VERDICT.c.attempt_id == _LATER_ATTEMPT.c.id).correlate(_LATER_ATTEMPT),
            (_LATER_ATTEMPT.c.state != "parked") & (_LATER.c.number == _LATEST),
        ),
    )
    .correlate(Submission)
)
_TO_MARK = (
    select(Submission.student, Submission.id)
    .join(Attempt, Attempt.id == NEWEST_ATTEMPT)
    .where(_has_part("needs_review"), ~_has_part("unjudged"), ~_OVERTAKEN)
)
