"""The database's tables. Moments are seconds since 1970 (UTC), digests ``sha256:…``."""

from __future__ import annotations

import secrets
import time
from typing import Literal

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Float, Integer, LargeBinary, String, Text

AttemptState = Literal["queued", "running", "finished", "parked"]
Role = Literal["lms", "instructor"]


def new_id() -> str:
    """An identifier that nobody guesses; later ones sort after earlier ones."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {str: String, float: Float, int: Integer, bytes: LargeBinary}  # noqa: RUF012


class AssignmentVersion(Base):
    """One published state of an assignment, kept for ever. ``archive`` is the packed bundle's blob."""

    __tablename__ = "assignment_versions"

    version: Mapped[str] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    environment: Mapped[str]
    archive: Mapped[str]
    created_at: Mapped[float]


class Assignment(Base):
    """What students submit to: points at the version in force."""

    __tablename__ = "assignments"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("assignment_versions.version"))
    published_at: Mapped[float]


class Submission(Base):
    """One notebook handed in. ``number`` counts the student's submissions to the assignment from 1."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("assignment_id", "student", "number"),
        Index("ix_submissions_assignment_created", "assignment_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"))
    version: Mapped[str] = mapped_column(ForeignKey("assignment_versions.version"))
    student: Mapped[str]
    number: Mapped[int]
    notebook: Mapped[str]
    created_at: Mapped[float]


class Attempt(Base):
    """One run of one submission: the job, its lease and its progress.

    ``message_at``: when a message for it was last handed to the broker (None: it still has to be).
    ``not_before``: a retry's earliest moment. ``claims``: how often a worker took it. ``revision`` grows with
    every change that somebody may watch. ``reason``: why the last try failed, for instructors.
    ``executed``: the notebook with the run's outputs.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("submission_id", "number"),
        Index("ix_attempts_state_queue", "state", "queue", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), index=True)
    number: Mapped[int]
    queue: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    created_at: Mapped[float]
    message_at: Mapped[float | None]
    not_before: Mapped[float] = mapped_column(default=0.0)
    claims: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    lease_until: Mapped[float | None]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    phase: Mapped[str] = mapped_column(default="queued")
    cell: Mapped[int] = mapped_column(default=0)
    cells: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[str | None]
    executed: Mapped[str | None]


class FeedbackRow(Base):
    """A verdict: ``document`` is the ``feedback/1`` object. An attempt's latest counts."""

    __tablename__ = "feedback"

    id: Mapped[str] = mapped_column(primary_key=True)
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("assignment_versions.version"))
    evidence: Mapped[str | None]
    run_status: Mapped[str]
    score: Mapped[float]
    max_score: Mapped[float]
    document: Mapped[bytes]
    created_at: Mapped[float]


class PartRow(Base):
    """One part of one verdict, for reports."""

    __tablename__ = "feedback_parts"

    feedback_id: Mapped[str] = mapped_column(ForeignKey("feedback.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[str]
    title: Mapped[str]
    status: Mapped[str]
    score: Mapped[float]
    max_score: Mapped[float]
    misconception: Mapped[str | None]


class Reference(Base):
    """The author's run of a version in an environment; ``evidence`` is None while ``owner`` works on it."""

    __tablename__ = "reference_runs"

    version: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str] = mapped_column(primary_key=True)
    evidence: Mapped[str | None]
    owner: Mapped[str | None]
    lease_until: Mapped[float]


class Token(Base):
    """A bearer token: only its hash is kept; ``prefix`` is its public beginning."""

    __tablename__ = "tokens"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    role: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[float]
    revoked_at: Mapped[float | None]


class IdempotencyKey(Base):
    """What was answered to a request's ``Idempotency-Key``: the same key and body get the same submission."""

    __tablename__ = "idempotency_keys"

    token: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    created_at: Mapped[float]


class AttemptEvent(Base):
    """One thing that those who watch an attempt are told; ``number`` is the attempt's revision then.

    ``kind`` progress: ``document`` is a JSON object of state, phase, cell, cells. Kind part: a part of
    ``feedback/1``, judged while the notebook was still running.
    """

    __tablename__ = "attempt_events"

    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[float] = mapped_column(index=True)
    document: Mapped[bytes]
