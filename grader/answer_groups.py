"""Wrong answers grouped by what they are, and checks that look as if they were wrong themselves.

What an evidence's answers are is worked out once and kept (``grader.answers``, table ``answers``): a page
works off what is missing for a bounded time and says how much is left.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from checks.assignment import Assignment
from checks.evidence import Evidence, digest
from checks.feedback import Feedback, PartFeedback
from checks.spec.models import Part
from grader.answers import Answer, Tally, answer_of, merged
from grader.roster import NEWEST_ATTEMPT, NEWEST_VERDICT
from grader.store import Store
from grader.store.blobs import BlobMissingError
from grader.store.tables import AnswerRow, Attempt, FeedbackRow, PartRow, Submission

READ_SECONDS = 2.0
AT_ONCE = 25
EXAMPLES = 400  # verdicts that one page reads at most
JUDGED_WRONG = ("incorrect", "partial")
WRONG = (*JUDGED_WRONG, "error")
# A false alarm costs an author a look, a missed one costs a class its points.
ALARM_ANSWERS = 4
ALARM_SHARE = 0.5
UNUSUAL = 2.0
UNUSUAL_SHARE = 0.2

log = structlog.get_logger()


class Group(msgspec.Struct, frozen=True):
    """One answer to a part. ``students`` gave it once, ``still`` of them in what counts for them now.

    ``example`` is a submission with it, ``message`` and ``failed`` (ids of checks) what it was told.
    """

    part: str
    text: str
    status: str
    misconception: str | None
    message: str
    failed: tuple[str, ...]
    students: tuple[str, ...]
    still: int
    submissions: tuple[str, ...]
    example: str


class Alarm(msgspec.Struct, frozen=True):
    """A check that may be wrong: ``answers`` different answers of ``students`` students fail it alone."""

    part: str
    check: str
    answers: int
    students: int
    share: float
    unusual: bool


class _Given(msgspec.Struct, frozen=True):
    """One submission's answer to one part."""

    part: str
    submission: str
    student: str
    feedback: str
    status: str
    misconception: str | None
    evidence: str
    outline: str
    sketch: str


def read_missing(store: Store, assignment: Assignment) -> int:
    """Work out answers of evidence that was not looked at yet, for a bounded time; how many are left."""
    until = time.monotonic() + READ_SECONDS
    parts = [part for part in assignment.parts if part.graded and part.answers]
    layout = _layout(parts)
    wanted = _wanted(store, assignment.id, layout) if parts else []
    while wanted and time.monotonic() < until:
        now, wanted = wanted[:AT_ONCE], wanted[AT_ONCE:]
        rows = [row for name in now for row in _rows(store, name, parts, layout)]
        try:
            with store.write() as session:
                session.execute(delete(AnswerRow).where(AnswerRow.evidence.in_(now)))
                session.add_all(rows)
        except IntegrityError:  # another request has just worked out the same
            continue
    return len(wanted)


def groups(session: Session, assignment: Assignment, *, only: str | None = None) -> dict[str, list[Group]]:
    """By part: the answers that are not right, those that no misconception explains first.

    ``only``: of one part, the right ones too. Three statements, whatever the number of submissions.
    """
    given = _given(session, assignment.id, only)
    newest = _counting(given)
    drafts = [
        (part, members)
        for part, found in _by_part(given).items()
        for members in _members(found)
        if only is not None or members[0].status in WRONG
    ]
    drafts.sort(key=lambda draft: -len({each.student for each in draft[1]}))
    shown = drafts[:EXAMPLES]
    verdicts = _verdicts(session, {members[0].feedback for _, members in shown})
    texts = _texts(session, {members[0].evidence for _, members in shown})
    made: dict[str, list[Group]] = {}
    for part, members in shown:
        head = members[0]
        told = verdicts.get(head.feedback, {}).get(part)
        made.setdefault(part, []).append(_group(members, told, texts.get((head.evidence, part), ""), newest))
    return {part: sorted(found, key=_unmatched_first) for part, found in made.items()}


def alarms(found: Mapping[str, Sequence[Group]]) -> list[Alarm]:
    """Checks that many different answers fail, and nothing else: the check may be wrong, not the students.

    A part where far more students than in the median part fail one check only is ``unusual``.
    """
    lonely = {part: _lonely(kept) for part, kept in found.items()}
    shares = sorted(sum(len(names) for _, names in each.values()) / max(1, _wrong(found[part]))
                    for part, each in lonely.items())  # fmt: skip
    median = shares[len(shares) // 2] if shares else 0.0
    made = []
    for part, checks in lonely.items():
        wrong = max(1, _wrong(found[part]))
        for check, (answers, names) in checks.items():
            share = len(names) / wrong
            unusual = len(shares) > 2 and share > UNUSUAL * median and share > UNUSUAL_SHARE
            if answers >= ALARM_ANSWERS and (share >= ALARM_SHARE or unusual):
                made.append(Alarm(part, check, answers, len(names), share, unusual))
    return sorted(made, key=lambda alarm: (-alarm.answers, alarm.part))


def _lonely(found: Sequence[Group]) -> dict[str, tuple[int, set[str]]]:
    """By check: how many different answers fail it alone and no misconception explains, and whose."""
    made: dict[str, tuple[int, set[str]]] = {}
    for group in found:
        if (
            group.misconception is None
            and len(group.failed) == 1
            and group.status in ("incorrect", "partial")
        ):
            count, names = made.get(group.failed[0], (0, set()))
            made[group.failed[0]] = (count + 1, names | set(group.students))
    return made


def _wrong(found: Sequence[Group]) -> int:
    return len(
        {name for group in found if group.status in ("incorrect", "partial") for name in group.students}
    )


def _unmatched_first(group: Group) -> tuple[bool, bool, int]:
    return group.misconception is not None, group.status == "error", -len(group.students)


def _layout(parts: Iterable[Part]) -> str:
    return digest(msgspec.json.encode([(part.id, part.answers) for part in parts]))


def _wanted(store: Store, assignment_id: str, layout: str) -> list[str]:
    """The evidence of verdicts that lacks its answers in this layout."""
    known = select(AnswerRow.evidence).where(
        AnswerRow.evidence == FeedbackRow.evidence, AnswerRow.layout == layout
    )
    with store.read() as session:
        return list(
            session.scalars(
                select(FeedbackRow.evidence)
                .join(Attempt, Attempt.id == FeedbackRow.attempt_id)
                .join(Submission, Submission.id == Attempt.submission_id)
                .where(Submission.assignment_id == assignment_id)
                .where(FeedbackRow.evidence.is_not(None), ~known.exists())
                .distinct()
            )
        )


def _rows(store: Store, name: str, parts: Sequence[Part], layout: str) -> list[AnswerRow]:
    try:
        evidence = Evidence.from_bytes(store.blobs.get(name))
    except (BlobMissingError, msgspec.DecodeError) as error:
        log.error("an evidence cannot be read", evidence=name, error=str(error))
        found: list[Answer | None] = [None for _ in parts]
    else:
        found = [answer_of(part, evidence) for part in parts]
    return [_row(name, part.id, layout, answer) for part, answer in zip(parts, found, strict=True)]


def _row(evidence: str, part: str, layout: str, answer: Answer | None) -> AnswerRow:
    outline, sketch, text = (answer.outline, answer.sketch, answer.text) if answer else ("", (), "")
    spelled = msgspec.json.encode(sketch).decode()
    return AnswerRow(evidence=evidence, part=part, layout=layout, outline=outline, sketch=spelled, text=text)


def _given(session: Session, assignment_id: str, only: str | None) -> list[_Given]:
    """Every submission's answers, oldest first."""
    wanted = (
        select(
            PartRow.part, Submission.id, Submission.student, FeedbackRow.id, PartRow.status,
            PartRow.misconception, FeedbackRow.evidence, AnswerRow.outline, AnswerRow.sketch,
        )
        .select_from(Submission)
        .join(Attempt, Attempt.id == NEWEST_ATTEMPT)
        .join(FeedbackRow, FeedbackRow.id == NEWEST_VERDICT)
        .join(PartRow, PartRow.feedback_id == FeedbackRow.id)
        .join(AnswerRow, (AnswerRow.evidence == FeedbackRow.evidence) & (AnswerRow.part == PartRow.part))
        .where(Submission.assignment_id == assignment_id, AnswerRow.outline != "")
        .order_by(Submission.number, Submission.id)
    )  # fmt: skip
    chosen = PartRow.part == only if only is not None else PartRow.status.in_((*WRONG, "correct"))
    return [_Given(*cast(Any, row)) for row in session.execute(wanted.where(chosen))]


def _counting(given: Iterable[_Given]) -> dict[tuple[str, str], str]:
    """By part and student: the newest submission with an answer."""
    return {(each.part, each.student): each.submission for each in given}


def _by_part(given: Iterable[_Given]) -> dict[str, list[_Given]]:
    made: dict[str, list[_Given]] = {}
    for each in given:
        made.setdefault(each.part, []).append(each)
    return made


def _members(found: Iterable[_Given]) -> Iterable[list[_Given]]:
    """The answers of one part, equal ones together; what the judge told apart stays apart."""
    same: dict[tuple[str, str, str, str | None], list[_Given]] = {}
    for each in found:
        same.setdefault((each.outline, each.sketch, each.status, each.misconception), []).append(each)
    kept = list(same.items())
    tallies = [
        Tally(
            f"{key[0]} {key[2]} {key[3]}", msgspec.json.decode(key[1], type=tuple[float, ...]), len(members)
        )
        for key, members in kept
    ]
    for places in merged(tallies):
        yield [each for place in places for each in kept[place][1]]


def _read_sketch(spelled: str) -> tuple[float, ...]:
    return msgspec.json.decode(spelled, type=tuple[float, ...])


def _group(
    members: Sequence[_Given], told: PartFeedback | None, text: str, newest: Mapping[tuple[str, str], str]
) -> Group:
    head = members[0]
    names = tuple(sorted({each.student for each in members}, key=str.casefold))
    still = {each.student for each in members if newest[each.part, each.student] == each.submission}
    return Group(
        part=head.part,
        text=text,
        status=head.status,
        misconception=head.misconception,
        message=told.message if told else "",
        failed=tuple(check.id for check in told.checks if check.outcome == "failed") if told else (),
        students=names,
        still=len(still),
        submissions=tuple(each.submission for each in members),
        example=members[-1].submission,
    )


def _verdicts(session: Session, wanted: set[str]) -> dict[str, dict[str, PartFeedback]]:
    rows = session.execute(select(FeedbackRow.id, FeedbackRow.document).where(FeedbackRow.id.in_(wanted)))
    return {name: {part.id: part for part in Feedback.from_json(raw).parts} for name, raw in rows}


def _texts(session: Session, wanted: set[str]) -> dict[tuple[str, str], str]:
    rows = session.execute(
        select(AnswerRow.evidence, AnswerRow.part, AnswerRow.text).where(AnswerRow.evidence.in_(wanted))
    )
    return {(evidence, part): text for evidence, part, text in rows}
