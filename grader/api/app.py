"""The application: routes, middleware, and what starts and stops with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles

from grader import __version__, logs
from grader.api import (
    assignments,
    audit,
    due,
    error_pages,
    examples,
    exporting,
    health,
    mark_pages,
    marking,
    pages,
    problems,
    regrade_pages,
    regrading,
    report_link,
    reports,
    session,
    submissions,
    webhooks,
)
from grader.api.bounds import BoundBody
from grader.api.census import Census
from grader.api.instructor.routes import router as instructor_pages
from grader.api.limits import Buckets
from grader.api.links import links_of
from grader.api.metrics import Figures
from grader.api.pings import Pings
from grader.api.recent import RecentTokens
from grader.api.requests import Requests
from grader.api.service import Service
from grader.delivery.deliverer import Deliverer
from grader.delivery.sender import Sender
from grader.patient_streams import patient_streams
from grader.queue import Queue
from grader.regrade_relay import RegradeWatch
from grader.relay import Relay
from grader.safety import require_safe
from grader.settings import Settings
from grader.store import Store, open_store
from grader.store.database import migrate

# What a form adds to the notebook that it carries; JSON escapes can double the bytes.
ENVELOPE = 2

# The order counts: an assignment's id has slashes, so its longer paths come first.
ROUTERS = (
    submissions.router,
    marking.router,
    regrading.router,
    exporting.router,
    reports.router,
    audit.router,
    due.router,
    assignments.router,
    webhooks.router,
    session.router,
    regrade_pages.router,
    mark_pages.router,
    instructor_pages,
    pages.router,
    report_link.router,
    health.router,
)
# One for all applications of a process: FastAPI takes longer to work out the routes' parameters than anything
# else at the start.
ROUTES = APIRouter()
for _router in ROUTERS:
    ROUTES.include_router(_router)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application with the given settings.

    Without any it is this process's service: settings are the environment's, logs are set up.
    """
    if settings is None:
        settings = Settings()
        logs.configure()
    app = FastAPI(
        title="Notebook grader",
        version=__version__,
        summary="Grades Jupyter notebooks part by part.",
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        routes=ROUTES.routes,
    )
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    app.add_middleware(BoundBody, limit=_limit(settings))
    app.add_middleware(error_pages.ErrorPages)
    app.add_middleware(Requests)  # the outermost: it sees what the others answer
    problems.install(app, bug=error_pages.bug)
    # FastAPI's documented way to add schemas.
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _lifespan(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store, queue = open_store(settings), Queue(settings)
        migrate(store.engine)
        require_safe(settings, store)
        relay = Relay(
            store, queue, sweep_seconds=settings.sweep_seconds, lease_seconds=settings.lease_seconds
        )
        regrades = RegradeWatch(
            store, sweep_seconds=settings.sweep_seconds, lease_seconds=settings.lease_seconds
        )
        deliverer = Deliverer(store, Sender(local=settings.webhook_local), settings)
        census = Census(queue)
        app.state.service = _service(settings, store, queue, relay, census)
        with patient_streams():
            for thread in (relay, regrades, deliverer, census):
                thread.start()
            try:
                yield
            finally:
                for thread in (census, deliverer, regrades, relay):
                    thread.stop()
                queue.close()
                store.close()

    return lifespan


def _service(settings: Settings, store: Store, queue: Queue, relay: Relay, census: Census) -> Service:
    return Service(
        settings,
        store,
        queue,
        relay,
        links_of(settings),
        Figures(store, census),
        token_turns=Buckets(settings.token_requests_per_second),
        link_turns=Buckets(settings.link_requests_per_second),
        recent=RecentTokens(),
        pings=Pings(queue.ping),
    )


def _limit(settings: Settings) -> Callable[[str], int]:
    def limit(path: str) -> int:
        if path.rstrip("/") == "/api/v1/assignments":
            return settings.max_bundle_bytes
        return settings.max_notebook_bytes * ENVELOPE

    return limit


PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        _forget_fastapis_problems(schema)
        examples.add(schema)
        app.openapi_schema = schema
    return app.openapi_schema


def _forget_fastapis_problems(schema: dict[str, Any]) -> None:
    """FastAPI announces a 422 of its own form for every parameter; what is wrong is a Problem here."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
