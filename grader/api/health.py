"""Whether the service lives, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from grader.api.service import Service, TheService
from grader.queue import BrokerDownError
from grader.store.database import is_current

router = APIRouter(tags=["health"])


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


@router.get("/readyz", responses={503: {"model": Readiness}})
def ready(service: TheService, response: Response) -> Readiness:
    """Database, its schema, and broker are there."""
    found = Readiness(database=_database(service), broker=_broker(service))
    if not found.ready:
        response.status_code = 503
    return found


def _database(service: Service) -> str:
    try:
        with service.store.engine.connect() as connection:
            return "ok" if is_current(connection) else "the schema is not this version's"
    except SQLAlchemyError as error:
        return type(error).__name__


def _broker(service: Service) -> str:
    try:
        service.queue.ping()
    except BrokerDownError:
        return "does not answer"
    return "ok"
