"""The transactional outbox: what receivers are told is written with the verdict that it tells of.

    pending --claim--> pending, leased --delivered--> delivered
                                       |--again-----> pending, later
                                       |--give_up---> failed --send again (a person)--> pending

A message is sent at least once: a deliverer that dies after the receiver's answer leaves a lease that nobody
renews, and the next deliverer sends the message again, under the same id.

No clock decides who holds a message (``grader.store.lease_watch``); ``lease_until`` is for people.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import ColumnElement, CursorResult, Update, case, insert, or_, select, update
from sqlalchemy.orm import Session

from grader.store import audit
from grader.store.backoff import Backoff
from grader.store.courses import course_of
from grader.store.tables import WebhookEndpoint, WebhookMessage, WebhookTry, new_id
from grader.store.webhooks import Event


class Outgoing(msgspec.Struct, frozen=True):
    """A message that a deliverer holds: where it goes, what signs it, how often it was sent before."""

    id: str
    endpoint: str
    url: str
    secret: str
    body: str
    tries: int
    owner: str


class Beat(msgspec.Struct, frozen=True):
    """A held message as it was seen: ``owner`` and ``until`` change when it is renewed or taken over."""

    message: str
    owner: str
    until: float


class Outcome(msgspec.Struct, frozen=True):
    """What came of one try: the receiver's status and the beginning of its answer, or an error."""

    at: float
    seconds: float
    status: int | None = None
    error: str | None = None
    excerpt: str = ""

    @property
    def delivered(self) -> bool:
        """The receiver said that it has it."""
        return self.status is not None and 200 <= self.status < 300


def announce(session: Session, event: Event, assignment_id: str, data: dict[str, object]) -> None:
    """Queue the event for every endpoint of the assignment's course that wants it."""
    announce_all(session, event, assignment_id, [data])


def announce_all(
    session: Session, event: Event, assignment_id: str, data: Sequence[dict[str, object]]
) -> None:
    """Queue one event for each of ``data``, for every endpoint of the assignment's course that wants it."""
    wanting = session.scalars(
        select(WebhookEndpoint).where(WebhookEndpoint.course == course_of(assignment_id), *_in_use())
    )
    rows = [
        {
            "id": f"msg_{new_id()}",
            "endpoint_id": endpoint.id,
            "event": event,
            "body": _body(event, each),
            "created_at": time.time(),
        }
        for endpoint in wanting
        if event in endpoint.events.split()
        for each in data
    ]
    if rows:
        session.connection().execute(insert(WebhookMessage), rows)


def due_endpoints(session: Session, backoff: Backoff) -> Sequence[str]:
    """Endpoints that something can be sent to now."""
    return session.scalars(
        select(WebhookMessage.endpoint_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookMessage.endpoint_id)
        .where(_due(backoff), *_in_use())
        .distinct()
    ).all()


def claim(session: Session, endpoint_id: str, backoff: Backoff, *, seconds: float) -> Outgoing | None:
    """Take the endpoint's oldest due message; None where there is none (left). ``seconds``: the lease's."""
    now, owner = time.time(), secrets.token_hex(8)
    row = session.execute(
        select(
            WebhookMessage.id,
            WebhookEndpoint.url,
            WebhookEndpoint.secret,
            WebhookMessage.body,
            WebhookMessage.tries,
        )
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookMessage.endpoint_id)
        .where(WebhookMessage.endpoint_id == endpoint_id, _due(backoff), *_in_use())
        .order_by(WebhookMessage.not_before, WebhookMessage.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    taken = update(WebhookMessage).where(
        WebhookMessage.id == row.id, WebhookMessage.tries == row.tries, *_free()
    )
    if not _changed(session, taken.values(owner=owner, lease_until=now + seconds)):
        return None
    return Outgoing(row.id, endpoint_id, row.url, row.secret, row.body, row.tries, owner)


def renew(session: Session, held: Outgoing, *, seconds: float) -> bool:
    """Keep a message while it is being sent; False where it was lost."""
    mine = update(WebhookMessage).where(WebhookMessage.id == held.id, WebhookMessage.owner == held.owner)
    return _changed(session, mine.values(lease_until=time.time() + seconds))


def beats(session: Session) -> Sequence[Beat]:
    """Every held message; a plain read."""
    rows = session.execute(
        select(WebhookMessage.id, WebhookMessage.owner, WebhookMessage.lease_until).where(
            WebhookMessage.state == "pending", WebhookMessage.owner.is_not(None)
        )
    )
    return [Beat(row[0], row[1] or "", row[2] or 0.0) for row in rows]


def take_back(session: Session, beat: Beat) -> bool:
    """Free the message of a deliverer that fell silent; False where it was renewed since it was seen."""
    unchanged = update(WebhookMessage).where(
        WebhookMessage.id == beat.message,
        WebhookMessage.owner == beat.owner,
        WebhookMessage.lease_until == beat.until,
    )
    return _changed(session, unchanged.values(owner=None, lease_until=None))


def settle(session: Session, sent: Outgoing, outcome: Outcome, *, again_in: float | None) -> bool:
    """Log a try and say what becomes of the message; False (and nothing kept) where the lease was lost.

    ``again_in`` seconds it is tried again, if it was not delivered; None: never.
    """
    state = "delivered" if outcome.delivered else ("failed" if again_in is None else "pending")
    number = sent.tries + 1
    held = update(WebhookMessage).where(WebhookMessage.id == sent.id, WebhookMessage.owner == sent.owner)
    values = {"state": state, "tries": number, "not_before": time.time() + (again_in or 0.0)}
    if not _changed(session, held.values(**values, owner=None, lease_until=None)):
        return False
    session.add(
        WebhookTry(
            message_id=sent.id,
            number=number,
            at=outcome.at,
            seconds=outcome.seconds,
            status=outcome.status,
            error=outcome.error,
            excerpt=outcome.excerpt,
        )
    )
    return True


def disable(session: Session, endpoint_id: str) -> None:
    """Send nothing more there: the receiver says that it is gone."""
    row = session.get_one(WebhookEndpoint, endpoint_id)
    if row.disabled_at is None:
        row.disabled_at = time.time()
        facts: dict[str, object] = {"url": row.url, "because": "the receiver answered 410"}
        audit.add(session, "webhook.removed", row.id, by=audit.DELIVERER, course=row.course, before=facts)


def _body(event: Event, data: dict[str, object]) -> str:
    """The payload that Standard Webhooks recommends."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return msgspec.json.encode({"type": event, "timestamp": now, "data": data}).decode()


def _in_use() -> tuple[ColumnElement[bool], ...]:
    return WebhookEndpoint.removed_at.is_(None), WebhookEndpoint.disabled_at.is_(None)


def _free() -> tuple[ColumnElement[bool], ...]:
    return WebhookMessage.state == "pending", WebhookMessage.owner.is_(None)


def _due(backoff: Backoff) -> ColumnElement[bool]:
    """Free, and its moment has come, or is further away than any pause: a clock since put back noted it."""
    now, longest = time.time(), backoff.longest()
    in_round = (WebhookMessage.tries - 1) % backoff.tries + 1
    ahead = {number: now + seconds for number, seconds in enumerate(longest, start=1)}
    latest = case(ahead, value=in_round, else_=now + longest[-1])
    state, owner = _free()
    return state & owner & or_(WebhookMessage.not_before <= now, WebhookMessage.not_before > latest)


def _changed(session: Session, statement: Update) -> bool:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount == 1
