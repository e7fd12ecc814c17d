"""What every route works with, held by the application and handed to routes as a dependency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from grader.api.links import Links
from grader.queue import Queue
from grader.relay import Relay
from grader.settings import Settings
from grader.store import Store


@dataclass(frozen=True)
class Service:
    """The open store, the broker, the relay between them and the signer of links."""

    settings: Settings
    store: Store
    queue: Queue
    relay: Relay
    links: Links

    def url(self, request: Request, path: str) -> str:
        """The address under which a browser finds ``path``."""
        base = self.settings.public_url or str(request.base_url)
        return base.rstrip("/") + path


def _of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(_of)]
