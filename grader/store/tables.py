"""The database's tables. Moments are seconds since 1970 (UTC), digests ``sha256:…``."""

from __future__ import annotations

import secrets
import time
from typing import Literal

from sqlalchemy import Dialect, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Float, Integer, LargeBinary, String, Text, TypeDecorator

AttemptState = Literal["queued", "running", "finished", "parked"]
Role = Literal["lms", "instructor", "monitor"]
_MOMENT_DIGITS = 12


def new_id() -> str:
    """An identifier that nobody guesses; later ones sort after earlier ones."""
    return _id_of(time.time_ns() // 1_000_000)


def id_after(other: str) -> str:
    """A new identifier that sorts after ``other``, whatever the clock says."""
    return _id_of(int(other[:_MOMENT_DIGITS], 16) + 1)


def _id_of(milliseconds: int) -> str:
    return f"{milliseconds:0{_MOMENT_DIGITS}x}{secrets.token_hex(10)}"


class _Storable(TypeDecorator[str]):
    """Text as every database takes it.

    PostgreSQL refuses the character U+0000 and neither takes half a character (a lone surrogate). Where these
    come in (an address, an error's words, an author's title), they must not stop anything.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put a replacement in the place of what cannot be stored."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class _StorableText(_Storable):
    impl = Text
    cache_ok = True


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {str: _Storable, float: Float, int: Integer, bytes: LargeBinary}  # noqa: RUF012


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
    reason: Mapped[str | None] = mapped_column(_StorableText)
    evidence: Mapped[str | None]
    executed: Mapped[str | None]


class FeedbackRow(Base):
    """A verdict: ``document`` is the ``feedback/1`` object. An attempt's latest counts.

    ``judged`` is what the judge said, where a person's marks changed it in ``document``, else None.
    ``regrade``: the regrade that wrote it.
    """

    __tablename__ = "feedback"

    id: Mapped[str] = mapped_column(primary_key=True)
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("assignment_versions.version"))
    evidence: Mapped[str | None]
    run_status: Mapped[str]
    score: Mapped[float]
    max_score: Mapped[float]
    run_seconds: Mapped[float | None]
    document: Mapped[bytes]
    judged: Mapped[bytes | None]
    regrade: Mapped[str | None]
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
    """A bearer token: only its hash is kept; ``prefix`` is its public beginning. No course: every course."""

    __tablename__ = "tokens"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    role: Mapped[str]
    course: Mapped[str | None]
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


class AuditEntry(Base):
    """One change of a mark or of who may see it. ``before`` and ``after`` are JSON objects; None: nothing."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_assignment", "assignment_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    course: Mapped[str | None]
    assignment_id: Mapped[str | None]
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)


class WebhookEndpoint(Base):
    """Where a course wants to be told of ``events`` (blank-separated); ``secret`` signs.

    ``disabled_at``: its receiver answered 410. ``removed_at``: a person took it away.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(index=True)
    url: Mapped[str]
    events: Mapped[str]
    secret: Mapped[str]
    created_at: Mapped[float]
    disabled_at: Mapped[float | None]
    removed_at: Mapped[float | None]


class WebhookMessage(Base):
    """The outbox: one event for one endpoint; ``id`` is the receiver's ``webhook-id``.

    ``tries``: how often it was sent. ``not_before``: the next try's moment. ``lease_until``: somebody has it.
    """

    __tablename__ = "webhook_messages"
    __table_args__ = (Index("ix_webhook_messages_due", "state", "not_before"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"), index=True)
    event: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(default="pending")
    created_at: Mapped[float]
    tries: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[float] = mapped_column(default=0.0)
    owner: Mapped[str | None]
    lease_until: Mapped[float | None]


class WebhookTry(Base):
    """One try to deliver: the receiver's status and the beginning of its answer, or why there was none."""

    __tablename__ = "webhook_tries"

    message_id: Mapped[str] = mapped_column(ForeignKey("webhook_messages.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    seconds: Mapped[float]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)


class Mark(Base):
    """A person's points for one part of a submission; the newest that is not withdrawn counts."""

    __tablename__ = "marks"
    __table_args__ = (Index("ix_marks_submission_part", "submission_id", "part"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    part: Mapped[str]
    score: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    at: Mapped[float]
    withdrawn_at: Mapped[float | None]


class Regrade(Base):
    """Judging an assignment's submissions again by ``version``: previewed, then applied, then perhaps undone.

    ``total`` submissions are looked at, ``done`` of them so far; ``detail`` says why it failed. ``queue``: of
    the workers that preview it, None where whoever asked does so himself; ``message_at``, ``owner``,
    ``lease_until`` and ``claims`` are as an attempt's. ``then_apply``: put it in force once it is previewed.
    """

    __tablename__ = "regrades"

    id: Mapped[str] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("assignment_versions.version"))
    state: Mapped[str]
    by: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    detail: Mapped[str] = mapped_column(_StorableText, default="")
    created_at: Mapped[float]
    changed_at: Mapped[float]
    queue: Mapped[str | None]
    message_at: Mapped[float | None]
    owner: Mapped[str | None]
    lease_until: Mapped[float] = mapped_column(default=0.0)
    claims: Mapped[int] = mapped_column(default=0)
    then_apply: Mapped[int] = mapped_column(default=0)


class RegradeLine(Base):
    """One submission of a regrade. ``before``: the feedback that it had; ``after``: what the judge says now.

    ``after`` is None where the stored evidence does not tell (``needs_run``). ``written``: the feedback that
    it made last.
    """

    __tablename__ = "regrade_lines"

    regrade_id: Mapped[str] = mapped_column(ForeignKey("regrades.id"), primary_key=True)
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    student: Mapped[str]
    from_version: Mapped[str]
    before: Mapped[str]
    before_score: Mapped[float | None]
    after: Mapped[bytes | None]
    after_score: Mapped[float | None]
    changes: Mapped[bytes]
    needs_run: Mapped[int] = mapped_column(default=0)
    written: Mapped[str | None]


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


class AnswerRow(Base):
    """What a part's answer in one evidence is (``grader.answers``), worked out once.

    ``layout``: which parts and variables it was worked out for. ``outline`` is empty where none is.
    """

    __tablename__ = "answers"

    evidence: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    layout: Mapped[str]
    outline: Mapped[str]
    sketch: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(_StorableText)


class DueDate(Base):
    """When an assignment is due: ``due_at``, told in ``zone``; ``by`` whom and ``at`` when it was set."""

    __tablename__ = "due_dates"

    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    due_at: Mapped[float]
    zone: Mapped[str]
    by: Mapped[str]
    at: Mapped[float]


class Extension(Base):
    """One student's own, later due date."""

    __tablename__ = "extensions"

    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    student: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[float]
    zone: Mapped[str]
    by: Mapped[str]
    at: Mapped[float]
