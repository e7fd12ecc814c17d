"""Assignments and their immutable versions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from grader.store import audit
from grader.store.tables import Assignment, AssignmentVersion
from grader.store.waiting import Line, queue_up


class UnknownAssignmentError(LookupError):
    """Nothing is published under this id."""


class Version(msgspec.Struct, frozen=True):
    """One published state; ``archive`` is the packed bundle's blob."""

    version: str
    title: str
    archive: str
    created_at: float


class Published(msgspec.Struct, frozen=True):
    """An assignment as its current version describes it; ``archive`` is the packed bundle's blob."""

    id: str
    version: str
    title: str
    environment: str
    archive: str
    published_at: float


def publish(
    session: Session,
    assignment_id: str,
    *,
    version: str,
    title: str,
    environment: str,
    archive: str,
    by: str = audit.COMMAND_LINE,
) -> bool:
    """Put a version in force; False where it was in force already. A version never changes.

    ``by``: who, for the audit log.
    """
    queue_up(session.connection(), Line.PUBLISHING)
    now = time.time()
    if session.get(AssignmentVersion, version) is None:
        session.add(
            AssignmentVersion(
                version=version,
                assignment_id=assignment_id,
                title=title,
                environment=environment,
                archive=archive,
                created_at=now,
            )
        )
        session.flush()
    current = session.get(Assignment, assignment_id)
    if current is None:
        session.add(Assignment(id=assignment_id, version=version, published_at=now))
        _note(session, assignment_id, None, version, by)
        return True
    changed = current.version != version
    if changed:
        _note(session, assignment_id, current.version, version, by)
        current.version, current.published_at = version, now
    return changed


def current(session: Session, assignment_id: str) -> Published:
    """The version in force; raises UnknownAssignmentError."""
    found = session.execute(_PUBLISHED.where(Assignment.id == assignment_id)).one_or_none()
    if found is None:
        raise UnknownAssignmentError(assignment_id)
    return Published(*found)


def in_force(session: Session, assignment_ids: Iterable[str]) -> dict[str, Published]:
    """By id: the versions in force of those that are published."""
    rows = session.connection().execute(_IN_FORCE, {"ids": sorted(assignment_ids)})
    return {row[0]: Published(*row) for row in rows}


def listed(session: Session) -> Sequence[Published]:
    """All assignments, by id."""
    return [Published(*row) for row in session.execute(_PUBLISHED.order_by(Assignment.id))]


def versions(session: Session, assignment_id: str) -> list[Version]:
    """Everything that was ever published under the id, newest first."""
    rows = session.execute(
        select(
            AssignmentVersion.version,
            AssignmentVersion.title,
            AssignmentVersion.archive,
            AssignmentVersion.created_at,
        )
        .where(AssignmentVersion.assignment_id == assignment_id)
        .order_by(AssignmentVersion.created_at.desc(), AssignmentVersion.version)
    )
    return [Version(*row) for row in rows]


def archive_of(session: Session, version: str) -> str:
    """The blob of a version's bundle; raises LookupError."""
    found = session.get(AssignmentVersion, version)
    if found is None:
        raise LookupError(f"no assignment version {version}")
    return found.archive


def _note(session: Session, assignment_id: str, before: str | None, after: str, by: str) -> None:
    was = None if before is None else {"version": before}
    audit.add(
        session,
        "version.published",
        after,
        by=by,
        assignment=assignment_id,
        before=was,
        after={"version": after},
    )


_PUBLISHED = select(
    Assignment.id,
    Assignment.version,
    AssignmentVersion.title,
    AssignmentVersion.environment,
    AssignmentVersion.archive,
    Assignment.published_at,
).join(AssignmentVersion, AssignmentVersion.version == Assignment.version)
_IN_FORCE = _PUBLISHED.where(Assignment.id.in_(bindparam("ids", expanding=True)))
