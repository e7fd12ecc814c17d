"""What every route works with, held by the application and handed to routes as a dependency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, cast

from fastapi import Depends, Request

from checks import bundle
from checks.assignment import Assignment
from checks.feedback import Feedback
from grader import due
from grader.api.limits import Buckets
from grader.api.links import Links
from grader.api.metrics import Figures
from grader.api.pings import Pings
from grader.api.recent import RecentTokens
from grader.queue import Queue
from grader.relay import Relay
from grader.settings import Settings
from grader.store import Store, assignments
from grader.store.due import Dates


@dataclass(frozen=True, eq=False)
class Service:
    """The open store, the broker, the relay between them, the signer of links, and the rate limits."""

    settings: Settings
    store: Store
    queue: Queue
    relay: Relay
    links: Links
    figures: Figures
    token_turns: Buckets
    link_turns: Buckets
    recent: RecentTokens
    pings: Pings

    @lru_cache(maxsize=16)  # noqa: B019 - one service lives as long as its process
    def assignment(self, version: str) -> Assignment:
        """The assignment as it was in ``version``."""
        with self.store.read() as session:
            archive = assignments.archive_of(session, version)
        return Assignment.from_files(bundle.unpack(self.store.blobs.get(archive)))

    def for_student(self, judged: Feedback, dates: Dates) -> Feedback:
        """The feedback as its student may see it at this moment; ``dates`` are its assignment's."""
        return due.seen(judged, self.assignment(judged.assignment.version), dates)

    def base(self, request: Request) -> str:
        """What stands before every path in an address under which a browser finds this service."""
        return (self.settings.public_url or str(request.base_url)).rstrip("/")

    def url(self, request: Request, path: str) -> str:
        """The address under which a browser finds ``path``."""
        return self.base(request) + path


# async: a plain function would be sent to a thread and back.
async def _of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(_of)]
