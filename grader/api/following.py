"""A submission's way as server-sent events, read from the event log: any API process can tell all of it.

``progress`` has the submission as ``GET …/submissions/{id}`` shows it, ``part`` has one part of
``feedback/1`` (``provisional`` while the notebook runs), ``feedback`` the whole document; then the stream
ends. An event's id is ``<attempt's number>.<event's number>``. What carries no id is told again to who comes
again: the ending before its last event.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.concurrency import run_in_threadpool

from checks.feedback import Feedback, PartFeedback, RunInfo, SubmissionInfo, assignment_info
from grader.api.service import Service
from grader.store import due, events, submissions
from grader.store import feedback as verdicts
from grader.store.due import Dates
from grader.store.events import Event, Step
from grader.store.submissions import Progress

# How often the database is asked while somebody watches, and how long proxies see nothing at most.
WATCH_SECONDS = 0.3
KEEPALIVE_SECONDS = 15.0
# nginx would hold events back.
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
ENDED = frozenset({"finished", "parked"})


@dataclass(frozen=True)
class Mark:
    """Up to where somebody was told: an attempt's number and the last event's."""

    attempt: int = 0
    number: int = 0

    @classmethod
    def read(cls, text: str | None) -> Mark:
        """From a ``Last-Event-ID``. What is none of ours means the beginning, so that nothing is missed."""
        attempt, _, number = (text or "").partition(".")
        plain = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (attempt, number))
        return cls(int(attempt), int(number)) if plain else cls()

    def __str__(self) -> str:
        return f"{self.attempt}.{self.number}"


@dataclass(frozen=True)
class News:
    """What one look at the database found; ``feedback`` is there where the attempt has ended."""

    found: Progress
    events: Sequence[Event]
    told_parts: Sequence[bytes] = ()
    feedback: bytes | None = None
    dates: Dates = due.NONE


@dataclass(frozen=True)
class Watched:
    """One submission as one caller sees it; ``whole`` shows what the assignment hides from students."""

    service: Service
    submission: str
    view: Callable[[Progress], dict[str, Any]]
    whole: bool

    def is_over(self, mark: Mark) -> bool:
        """Whether everything was told before; raises UnknownSubmissionError."""
        with self.service.store.read() as session:
            found = submissions.progress(session, self.submission)
        return found.state in ENDED and mark == Mark(found.attempt_number, found.revision)

    def look(self, mark: Mark) -> News:
        """What is new since ``mark``."""
        with self.service.store.read() as session:
            found = submissions.progress(session, self.submission)
            since = mark.number if mark.attempt == found.attempt_number else 0
            # Where a read is no snapshot, what came between the two is left for the next look.
            told = [e for e in events.after(session, found.attempt, since) if e.number <= found.revision]
            news = News(found, told, dates=due.of_assignment(session, found.assignment))
            if found.state not in ENDED:
                return news
            return replace(
                news,
                told_parts=events.latest_parts(session, found.attempt),
                feedback=verdicts.latest(session, found.attempt),
            )

    def part(self, part: PartFeedback, version: str, news: News) -> dict[str, Any] | None:
        """One part as this caller may see it; None where it may not."""
        if self.whole:
            return _plain(part)
        assignment = self.service.assignment(version)
        alone = Feedback(
            assignment=assignment_info(assignment),
            submission=SubmissionInfo(self.submission, news.found.student, ""),
            run=RunInfo("running", 0.0, assignment.environment, ""),
            score=part.score,
            max_score=part.max_score,
            parts=(part,),
        )
        shown = self.service.for_student(alone, news.dates).parts
        return _plain(shown[0]) if shown else None

    def document(self, raw: bytes, dates: Dates) -> bytes:
        """The feedback as this caller may see it."""
        return raw if self.whole else for_students(self.service, raw, dates)


async def following(watched: Watched, mark: Mark) -> AsyncIterator[bytes]:
    """The stream from ``mark`` on: server-sent events as bytes, comments while nothing happens."""
    # Who comes again has been told where it stands, but for a place in the queue, which is no event.
    position, spoken = -1 if mark == Mark() else 0, time.monotonic()
    while True:
        news = await run_in_threadpool(watched.look, mark)
        told = await run_in_threadpool(_told, watched, news, mark, position)
        for event in told:
            yield event
        if news.found.state in ENDED:
            return
        mark, position = Mark(news.found.attempt_number, news.found.revision), news.found.position
        if told:
            spoken = time.monotonic()
        elif time.monotonic() - spoken > KEEPALIVE_SECONDS:
            spoken = time.monotonic()
            yield KEEPALIVE_COMMENT
        await asyncio.sleep(WATCH_SECONDS)


def _told(watched: Watched, news: News, mark: Mark, position: int) -> list[bytes]:
    return list(_telling(watched, news, mark, position))


def _telling(watched: Watched, news: News, mark: Mark, position: int) -> Iterator[bytes]:
    found = news.found
    ended = found.state in ENDED
    for event in news.events:
        told = str(Mark(found.attempt_number, event.number))
        if event.kind == "part":
            part = watched.part(msgspec.json.decode(event.document, type=PartFeedback), found.version, news)
            if part is not None:
                yield _event("part", {"provisional": True, "part": part}, told)
        elif event.number < found.revision:
            step = msgspec.json.decode(event.document, type=Step)
            yield _event("progress", watched.view(_as_it_was(found, step)), told)
    if ended:
        yield from _ending(watched, news)
    elif Mark(found.attempt_number, found.revision) != mark or found.position != position:
        yield _event("progress", watched.view(found), str(Mark(found.attempt_number, found.revision)))


def _ending(watched: Watched, news: News) -> Iterator[bytes]:
    """The parts whose verdict differs from what was told of them last, the end, and the feedback."""
    if news.feedback is not None:
        last = {part.id: part for part in map(_part, news.told_parts)}
        judged = Feedback.from_json(news.feedback)
        for part in judged.parts:
            shown = watched.part(part, judged.assignment.version, news) if last.get(part.id) != part else None
            if shown is not None:
                yield _event("part", {"provisional": False, "part": shown})
    yield _event("progress", watched.view(news.found))
    document = None if news.feedback is None else json.loads(watched.document(news.feedback, news.dates))
    yield _event("feedback", document, str(Mark(news.found.attempt_number, news.found.revision)))


def for_students(service: Service, document: bytes, dates: Dates) -> bytes:
    """A ``feedback/1`` document without what its assignment hides; ``dates`` are the assignment's."""
    return service.for_student(Feedback.from_json(document), dates).to_json()


def _as_it_was(found: Progress, step: Step) -> Progress:
    """The submission at an earlier step; its place in the queue then is not known any more."""
    return msgspec.structs.replace(
        found,
        state=step.state,
        phase=step.phase,
        cell=step.cell,
        cells=step.cells,
        position=0,
        finished_at=None,
    )


def _part(document: bytes) -> PartFeedback:
    return msgspec.json.decode(document, type=PartFeedback)


def _plain(part: PartFeedback) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(part)
    return plain


def _event(kind: str, data: object, mark: str | None = None) -> bytes:
    return format_sse_event(event=kind, data_str=json.dumps(data, ensure_ascii=False), id=mark)
