"""Webhook endpoints of courses, and the log of what was delivered to them."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from grader.store import audit
from grader.store.tables import WebhookEndpoint, WebhookMessage, WebhookTry, new_id

Event = Literal["submission.graded", "submission.parked", "feedback.changed"]
State = Literal["pending", "delivered", "failed"]
EVENTS: tuple[Event, ...] = get_args(Event)
SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64


class UnknownWebhookError(LookupError):
    """The course has no such endpoint."""


class UnknownDeliveryError(LookupError):
    """Nothing with this id was, or is to be, sent to the webhook."""


class CannotSendAgainError(Exception):
    """There is nothing to send again; the text says why."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where a course wants to be told of which events; without its secret.

    ``failed`` counts the events that were given up.
    """

    id: str
    course: str
    url: str
    events: tuple[str, ...]
    created_at: float
    disabled_at: float | None
    failed: int = 0


class Try(msgspec.Struct, frozen=True):
    """One try to deliver; ``status`` is None and ``error`` says why where there was no answer."""

    number: int
    at: float
    seconds: float
    status: int | None
    error: str | None
    excerpt: str


class Delivery(msgspec.Struct, frozen=True):
    """One event for one endpoint; ``id`` is the receiver's ``webhook-id``.

    ``state``: pending, delivered or failed. ``next_at`` is when it is tried again, None where it is not.
    """

    id: str
    event: str
    state: str
    created_at: float
    next_at: float | None
    tries: tuple[Try, ...]


def create(
    session: Session, course: str, url: str, events: Sequence[Event], *, by: str
) -> tuple[Endpoint, str]:
    """A new endpoint and its signing secret (``whsec_…``), which is told once, here."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    row = WebhookEndpoint(
        id=new_id(),
        course=course,
        url=url,
        events=" ".join(sorted(set(events))),
        secret=secret,
        created_at=time.time(),
    )
    session.add(row)
    facts = {"url": url, "events": row.events.split()}
    audit.add(session, "webhook.created", row.id, by=by, course=course, after=facts)
    return _endpoint(row), secret


def listed(session: Session, course: str) -> Sequence[Endpoint]:
    """The course's endpoints that are in use, or that their receivers ended, oldest first."""
    rows = session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.course == course, WebhookEndpoint.removed_at.is_(None))
        .order_by(WebhookEndpoint.id)
    )
    failed = _given_up(session, course)
    return [_endpoint(row, failed.get(row.id, 0)) for row in rows]


def remove(session: Session, course: str, endpoint_id: str, *, by: str) -> None:
    """Send nothing more there, what waits included; raises UnknownWebhookError."""
    row = _row(session, course, endpoint_id)
    row.removed_at = time.time()
    facts = {"url": row.url, "events": row.events.split()}
    audit.add(session, "webhook.removed", row.id, by=by, course=course, before=facts)


def deliveries(
    session: Session,
    course: str,
    endpoint_id: str,
    *,
    limit: int = 100,
    before: str | None = None,
    state: State | None = None,
) -> Sequence[Delivery]:
    """What was or is to be sent to an endpoint, newest first; raises UnknownWebhookError."""
    _row(session, course, endpoint_id)
    wanted = select(WebhookMessage).where(WebhookMessage.endpoint_id == endpoint_id)
    if state is not None:
        wanted = wanted.where(WebhookMessage.state == state)
    if before is not None:
        wanted = wanted.where(WebhookMessage.id < before)
    rows = session.scalars(wanted.order_by(WebhookMessage.id.desc()).limit(limit)).all()
    tries = _tries(session, [row.id for row in rows])
    return [_delivery(row, tries.get(row.id, ())) for row in rows]


def send_again(session: Session, course: str, endpoint_id: str, delivery_id: str, *, by: str) -> Delivery:
    """Send an event that was given up once more, under its id, with a whole round of tries.

    Raises UnknownWebhookError, UnknownDeliveryError, or CannotSendAgainError where it was not given up or the
    receiver ended the webhook.
    """
    row = _living(session, course, endpoint_id)
    message = session.get(WebhookMessage, delivery_id)
    if message is None or message.endpoint_id != endpoint_id:
        raise UnknownDeliveryError(delivery_id)
    if not _revive(session, row, by, WebhookMessage.id == delivery_id):
        session.refresh(message)
        raise CannotSendAgainError(f"it is {message.state}; only what was given up is sent again")
    session.refresh(message)
    return _delivery(message, _tries(session, [delivery_id]).get(delivery_id, ()))


def send_all_again(session: Session, course: str, endpoint_id: str, *, by: str) -> int:
    """``send_again`` for every event that was given up; returns how many.

    Raises UnknownWebhookError, or CannotSendAgainError where the receiver ended the webhook.
    """
    return _revive(session, _living(session, course, endpoint_id), by)


def _revive(session: Session, row: WebhookEndpoint, by: str, *which: ColumnElement[bool]) -> int:
    """Have the endpoint's events that were given up sent from now on; returns how many."""
    found = session.scalars(
        update(WebhookMessage)
        .where(WebhookMessage.endpoint_id == row.id, WebhookMessage.state == "failed", *which)
        .values(state="pending", not_before=0.0)
        .returning(WebhookMessage.id)
        .execution_options(synchronize_session=False)
    ).all()
    if found:
        facts = {"url": row.url, "deliveries": sorted(found)}
        audit.add(session, "webhook.sent_again", row.id, by=by, course=row.course, after=facts)
    return len(found)


def _living(session: Session, course: str, endpoint_id: str) -> WebhookEndpoint:
    row = _row(session, course, endpoint_id)
    if row.disabled_at is not None:
        raise CannotSendAgainError("the receiver answered 410 and ended this webhook; set up another one")
    return row


def _tries(session: Session, messages: Sequence[str]) -> dict[str, tuple[Try, ...]]:
    found: dict[str, tuple[Try, ...]] = {}
    for row in session.scalars(
        select(WebhookTry).where(WebhookTry.message_id.in_(messages)).order_by(WebhookTry.number)
    ):
        one = Try(row.number, row.at, row.seconds, row.status, row.error, row.excerpt)
        found[row.message_id] = (*found.get(row.message_id, ()), one)
    return found


def _delivery(row: WebhookMessage, tries: tuple[Try, ...]) -> Delivery:
    next_at = row.not_before if row.state == "pending" else None
    return Delivery(row.id, row.event, row.state, row.created_at, next_at, tries)


def _row(session: Session, course: str, endpoint_id: str) -> WebhookEndpoint:
    row = session.get(WebhookEndpoint, endpoint_id)
    if row is None or row.course != course or row.removed_at is not None:
        raise UnknownWebhookError(endpoint_id)
    return row


def _given_up(session: Session, course: str) -> dict[str, int]:
    """By endpoint of the course: events that nobody tries to send any more."""
    rows = session.execute(
        select(WebhookMessage.endpoint_id, func.count())
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookMessage.endpoint_id)
        .where(WebhookEndpoint.course == course, WebhookMessage.state == "failed")
        .group_by(WebhookMessage.endpoint_id)
    )
    return {row[0]: row[1] for row in rows}


def _endpoint(row: WebhookEndpoint, failed: int = 0) -> Endpoint:
    events = tuple(row.events.split())
    return Endpoint(row.id, row.course, row.url, events, row.created_at, row.disabled_at, failed)
