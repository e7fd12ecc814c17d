"""Webhooks of a course: set up, listed, removed, and the log of their deliveries."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from grader.api.access import CourseInstructor
from grader.api.problems import Problem, described
from grader.api.service import TheService
from grader.delivery.address import MAX_URL, AddressRefusedError, target
from grader.store import webhooks
from grader.store.webhooks import EVENTS, Event, State

MAX_WEBHOOKS = 20
ID = Annotated[str, Query(max_length=100, description="the last id of the page before")]

router = APIRouter(prefix="/api/v1/courses", tags=["webhooks"])


class NewWebhook(BaseModel, extra="forbid"):
    """Where to send which events."""

    url: str = Field(max_length=MAX_URL, description="https, an address of the public internet")
    events: list[Event] = Field(default=list(EVENTS), min_length=1, max_length=10)


class Webhook(BaseModel):
    """An endpoint; ``disabled_at`` where its receiver answered 410, ``failed`` events were given up."""

    id: str
    course: str
    url: str
    events: list[str]
    created_at: float
    disabled_at: float | None
    failed: int


class CreatedWebhook(Webhook):
    """``secret`` verifies signatures; it is told here and never again."""

    secret: str


class Webhooks(BaseModel):
    """A course's endpoints, oldest first."""

    webhooks: list[Webhook]


class DeliveryTry(BaseModel):
    """One try; ``error`` says why where there was no answer."""

    number: int
    at: float
    seconds: float
    status: int | None
    error: str | None
    excerpt: str


class Delivery(BaseModel):
    """One event; ``id`` is its ``webhook-id``."""

    id: str
    event: str
    state: State
    created_at: float
    next_at: float | None
    tries: list[DeliveryTry]


class Deliveries(BaseModel):
    """Newest first; ``next`` is the value of ``before`` for the page that follows, null at the end."""

    deliveries: list[Delivery]
    next: str | None


class SentAgain(BaseModel):
    """How many events are sent again."""

    queued: int


@router.post("/{course}/webhooks", status_code=201, responses=described(400, 401, 403, 404, 409, 422, 429))
def create(  # noqa: PLR0917 - FastAPI calls it by name
    course: str,
    body: NewWebhook,
    request: Request,
    response: Response,
    service: TheService,
    caller: CourseInstructor,
) -> CreatedWebhook:
    """Have events of the course's submissions sent to a URL, signed by the secret in the answer."""
    try:
        target(body.url, local=service.settings.webhook_local)
    except AddressRefusedError as error:
        raise Problem(422, "bad-webhook-url", f"The URL cannot be used: {error}.") from error
    with service.store.write() as session:
        if len(webhooks.listed(session, course)) >= MAX_WEBHOOKS:
            raise Problem(409, "too-many-webhooks", f"A course has at most {MAX_WEBHOOKS} webhooks.")
        made, secret = webhooks.create(session, course, body.url, body.events, by=caller.actor)
    response.headers["Location"] = service.url(request, f"/api/v1/courses/{course}/webhooks")
    return CreatedWebhook(secret=secret, **_fields(made))


@router.get("/{course}/webhooks", responses=described(401, 403, 404, 429))
def listed(course: str, service: TheService, _caller: CourseInstructor) -> Webhooks:
    """The course's endpoints, without their secrets."""
    with service.store.read() as session:
        return Webhooks(webhooks=[Webhook(**_fields(one)) for one in webhooks.listed(session, course)])


@router.delete("/{course}/webhooks/{webhook_id}", status_code=204, responses=described(401, 403, 404, 429))
def remove(course: str, webhook_id: str, service: TheService, caller: CourseInstructor) -> None:
    """Send nothing more there, what still waits included."""
    with service.store.write() as session:
        webhooks.remove(session, course, webhook_id, by=caller.actor)


@router.get("/{course}/webhooks/{webhook_id}/deliveries", responses=described(401, 403, 404, 422, 429))
def deliveries(  # noqa: PLR0917 - FastAPI calls it by name
    course: str,
    webhook_id: str,
    service: TheService,
    _caller: CourseInstructor,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: ID | None = None,
    state: State | None = None,
) -> Deliveries:
    """What was sent, or is to be sent, with every try."""
    with service.store.read() as session:
        found = webhooks.deliveries(session, course, webhook_id, limit=limit, before=before, state=state)
    return Deliveries(
        deliveries=[_shown(one) for one in found], next=found[-1].id if len(found) == limit else None
    )


@router.post(
    "/{course}/webhooks/{webhook_id}/deliveries/{delivery_id}/send-again",
    status_code=202,
    responses=described(401, 403, 404, 409, 429),
)
def send_again(
    course: str, webhook_id: str, delivery_id: str, service: TheService, caller: CourseInstructor
) -> Delivery:
    """Send an event that was given up again, under the same ``webhook-id``."""
    with service.store.write() as session:
        return _shown(webhooks.send_again(session, course, webhook_id, delivery_id, by=caller.actor))


@router.post(
    "/{course}/webhooks/{webhook_id}/send-again",
    status_code=202,
    responses=described(401, 403, 404, 409, 429),
)
def send_all_again(course: str, webhook_id: str, service: TheService, caller: CourseInstructor) -> SentAgain:
    """Send every event again that was given up, each under its ``webhook-id``."""
    with service.store.write() as session:
        return SentAgain(queued=webhooks.send_all_again(session, course, webhook_id, by=caller.actor))


def _shown(one: webhooks.Delivery) -> Delivery:
    return Delivery(
        id=one.id,
        event=one.event,
        state=one.state,  # type: ignore[arg-type] # pydantic checks it
        created_at=one.created_at,
        next_at=one.next_at,
        tries=[DeliveryTry(**_fields(each)) for each in one.tries],
    )


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(struct)
