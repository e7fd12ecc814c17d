"""The audit log: who changed a mark, or who may see it; when; what it was before and after.

Entries are written in the transaction of the change itself, by the function that changes: there is no
change without its entry, and no entry without its change. Nothing here is ever updated or deleted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session

from grader.store.courses import course_of
from grader.store.tables import AuditEntry, new_id

Action = Literal[
    "version.published",
    "verdict.written",
    "mark.given",
    "mark.withdrawn",
    "regrade.applied",
    "regrade.undone",
    "due.set",
    "due.cleared",
    "extension.given",
    "extension.withdrawn",
    "token.created",
    "token.revoked",
    "webhook.created",
    "webhook.removed",
    "webhook.sent_again",
]
# Who acts where nobody sent a request. A request's actor is ``token <prefix> (<name>)``.
WORKER = "worker"
COMMAND_LINE = "command line"
DELIVERER = "deliverer"
Facts = Mapping[str, object]


class Entry(msgspec.Struct, frozen=True):
    """One change; ``subject`` is the id of what changed (a submission, version, token prefix, webhook,
    assignment or student)."""

    id: str
    at: float
    actor: str
    action: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None


def add(
    session: Session,
    action: Action,
    subject: str,
    *,
    by: str,
    course: str | None = None,
    assignment: str | None = None,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Note a change; the course follows from the assignment where there is one."""
    session.add(
        AuditEntry(
            id=new_id(),
            at=time.time(),
            actor=by,
            action=action,
            subject=subject,
            course=course_of(assignment) if assignment is not None else course,
            assignment_id=assignment,
            before=_json(before),
            after=_json(after),
        )
    )


def add_all(
    session: Session,
    action: Action,
    assignment: str,
    *,
    by: str,
    facts: Sequence[tuple[str, Facts | None, Facts | None]],
) -> None:
    """Note many changes of one kind in an assignment; ``facts``: subject, before, after of each."""
    now = time.time()
    rows = [
        {
            "id": new_id(),
            "at": now,
            "actor": by,
            "action": action,
            "subject": subject,
            "course": course_of(assignment),
            "assignment_id": assignment,
            "before": _json(before),
            "after": _json(after),
        }
        for subject, before, after in facts
    ]
    if rows:
        session.connection().execute(insert(AuditEntry), rows)


def of_assignment(
    session: Session, assignment_id: str, *, limit: int = 100, before: str | None = None
) -> Sequence[Entry]:
    """What changed the assignment or a mark in it, newest first; ``before`` goes on from an entry's id."""
    wanted = select(AuditEntry).where(AuditEntry.assignment_id == assignment_id)
    if before is not None:
        wanted = wanted.where(AuditEntry.id < before)
    return _entries(session, wanted, limit)


def of_subject(session: Session, assignment_id: str, subject: str, *, limit: int = 100) -> Sequence[Entry]:
    """What changed one submission of the assignment, newest first."""
    wanted = select(AuditEntry).where(
        AuditEntry.assignment_id == assignment_id, AuditEntry.subject == subject
    )
    return _entries(session, wanted, limit)


def _entries(session: Session, wanted: Select[AuditEntry], limit: int) -> Sequence[Entry]:
    rows = session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(limit))
    return [
        Entry(row.id, row.at, row.actor, row.action, row.subject, _read(row.before), _read(row.after))
        for row in rows
    ]


def _json(facts: Facts | None) -> str | None:
    return None if facts is None else msgspec.json.encode(facts).decode()


def _read(text: str | None) -> dict[str, object] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, object])
