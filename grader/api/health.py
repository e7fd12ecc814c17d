"""Whether the service lives, whether it can do its work, and its figures."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from grader.api.access import Credentials, require_monitor
from grader.api.problems import described
from grader.api.service import Service, TheService
from grader.safety import is_loopback
from grader.store.database import is_current

router = APIRouter(tags=["health"])
AWAY = {"database": "ok", "broker": "does not answer"}


class Readiness(BaseModel):
    """``ok``, or what is wrong, of each thing that the service needs."""

    database: str
    broker: str

    @property
    def ready(self) -> bool:
        """Whether everything is there."""
        return self.database == self.broker == "ok"


@router.get("/livez", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def live() -> Response:
    """The process answers."""
    return Response("ok\n", media_type="text/plain")


@router.get(
    "/readyz", responses={503: {"model": Readiness, "content": {"application/json": {"example": AWAY}}}}
)
def ready(service: TheService, response: Response) -> Readiness:
    """Database, its schema, and broker are there."""
    found = Readiness(database=_database(service), broker=_broker(service))
    if not found.ready:
        response.status_code = 503
    return found


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **described(401, 403, 429)},
)
def metrics(request: Request, service: TheService, credentials: Credentials) -> Response:
    """Figures for Prometheus; open to this machine while the service is for this machine only."""
    if not _is_private(request, service):
        require_monitor(service, credentials)
    return Response(service.figures.text(), media_type=CONTENT_TYPE_LATEST)


def _is_private(request: Request, service: Service) -> bool:
    """A public address means a proxy on this machine, behind which everybody seems to be here."""
    settings, client = service.settings, request.client
    return (
        settings.public_url is None
        and is_loopback(settings.host)
        and client is not None
        and is_loopback(client.host)
    )


def _database(service: Service) -> str:
    try:
        with service.store.engine.connect() as connection:
            return "ok" if is_current(connection) else "the schema is not this version's"
    except SQLAlchemyError as error:
        return type(error).__name__


def _broker(service: Service) -> str:
    return "ok" if service.pings.answered() else "does not answer"
