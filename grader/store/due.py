"""Due dates: one for an assignment, and later ones that single students were given.

They say when students see what a spec keeps for ``after_due``, and which submissions came late. Nobody is
kept from handing in, and no points are taken off.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grader.store import assignments, audit
from grader.store.tables import DueDate, Extension


class NoDueDateError(LookupError):
    """The assignment has no due date that a student could be given a later one than."""


class UnknownExtensionError(LookupError):
    """The student has no due date of his own."""


class Due(msgspec.Struct, frozen=True):
    """A moment ``at`` (seconds since 1970), told to people in ``zone`` (an IANA name or an offset)."""

    at: float
    zone: str


class Dates(msgspec.Struct, frozen=True):
    """All due dates of an assignment; ``extensions`` by student."""

    due: Due | None = None
    extensions: Mapping[str, Due] = msgspec.field(default_factory=dict)

    def of(self, student: str) -> Due | None:
        """What counts for a student: an extension never makes it earlier."""
        own = self.extensions.get(student)
        if self.due is None or own is None:
            return self.due
        return max(self.due, own, key=lambda each: each.at)

    def is_late(self, student: str, handed_in: float) -> bool | None:
        """Whether what came at ``handed_in`` came too late; None where there is no due date."""
        due = self.of(student)
        return None if due is None else handed_in > due.at


NONE = Dates()


def of_assignment(session: Session, assignment_id: str) -> Dates:
    """The assignment's due dates; none where nobody set any."""
    row = session.get(DueDate, assignment_id)
    if row is None:
        return NONE
    rows = session.scalars(
        select(Extension).where(Extension.assignment_id == assignment_id).order_by(Extension.student)
    )
    return Dates(Due(row.due_at, row.zone), {each.student: Due(each.due_at, each.zone) for each in rows})


def of_all(session: Session, assignment_ids: Iterable[str]) -> dict[str, Due]:
    """By assignment: its due date, for those that have one."""
    rows = session.scalars(select(DueDate).where(DueDate.assignment_id.in_(sorted(assignment_ids))))
    return {row.assignment_id: Due(row.due_at, row.zone) for row in rows}


def put(session: Session, assignment_id: str, due: Due, *, by: str) -> None:
    """Set the assignment's due date; raises UnknownAssignmentError."""
    assignments.current(session, assignment_id)
    row = session.get(DueDate, assignment_id, with_for_update=True)
    before = None if row is None else Due(row.due_at, row.zone)
    if before == due:
        return
    if row is None:
        session.add(DueDate(assignment_id=assignment_id, due_at=due.at, zone=due.zone, by=by, at=time.time()))
    else:
        row.due_at, row.zone, row.by, row.at = due.at, due.zone, by, time.time()
    _note(session, "due.set", assignment_id, assignment_id, before, due, by)


def clear(session: Session, assignment_id: str, *, by: str) -> bool:
    """Take the due date away, with every extension; False where there was none.

    Raises UnknownAssignmentError.
    """
    assignments.current(session, assignment_id)
    row = session.get(DueDate, assignment_id, with_for_update=True)
    if row is None:
        return False
    for student in of_assignment(session, assignment_id).extensions:
        withdraw(session, assignment_id, student, by=by)
    before = Due(row.due_at, row.zone)
    session.execute(delete(DueDate).where(DueDate.assignment_id == assignment_id))
    _note(session, "due.cleared", assignment_id, assignment_id, before, None, by)
    return True


def extend(session: Session, assignment_id: str, student: str, due: Due, *, by: str) -> None:
    """Give one student a due date of his own; raises UnknownAssignmentError, NoDueDateError."""
    assignments.current(session, assignment_id)
    if session.get(DueDate, assignment_id, with_for_update=True) is None:
        raise NoDueDateError(assignment_id)
    row = session.get(Extension, (assignment_id, student))
    before = None if row is None else Due(row.due_at, row.zone)
    if before == due:
        return
    if row is None:
        session.add(
            Extension(
                assignment_id=assignment_id,
                student=student,
                due_at=due.at,
                zone=due.zone,
                by=by,
                at=time.time(),
            )
        )
    else:
        row.due_at, row.zone, row.by, row.at = due.at, due.zone, by, time.time()
    _note(session, "extension.given", assignment_id, student, before, due, by)


def withdraw(session: Session, assignment_id: str, student: str, *, by: str) -> None:
    """Let the assignment's due date count for a student again; raises UnknownExtensionError."""
    row = session.get(Extension, (assignment_id, student))
    if row is None:
        raise UnknownExtensionError(student)
    before = Due(row.due_at, row.zone)
    session.delete(row)
    session.flush()
    _note(session, "extension.withdrawn", assignment_id, student, before, None, by)


def _note(  # noqa: PLR0917 - an entry has as many facts
    session: Session,
    action: audit.Action,
    assignment_id: str,
    subject: str,
    before: Due | None,
    after: Due | None,
    by: str,
) -> None:
    audit.add(
        session,
        action,
        subject,
        by=by,
        assignment=assignment_id,
        before=None if before is None else msgspec.structs.asdict(before),
        after=None if after is None else msgspec.structs.asdict(after),
    )
