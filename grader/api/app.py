"""The application: routes, middleware, and what starts and stops with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles

from grader import __version__
from grader.api import assignments, health, pages, problems, reports, submissions
from grader.api.bounds import BoundBody
from grader.api.links import links_of
from grader.api.service import Service
from grader.patient_streams import patient_streams
from grader.queue import Queue
from grader.relay import Relay
from grader.settings import Settings
from grader.store import open_store
from grader.store.database import migrate

# What a form adds to the notebook that it carries; JSON escapes can double the bytes.
ENVELOPE = 2

# The order counts: an assignment's id has slashes, so its longer paths come first.
ROUTERS = (submissions.router, reports.router, assignments.router, pages.router, health.router)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application with the given settings, or with those of the environment."""
    settings = settings or Settings()
    app = FastAPI(
        title="Notebook grader",
        version=__version__,
        summary="Grades Jupyter notebooks part by part.",
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    app.add_middleware(BoundBody, limit=_limit(settings))
    problems.install(app)
    # FastAPI's documented way to add schemas.
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _lifespan(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store, queue = open_store(settings), Queue(settings)
        migrate(store.engine)
        relay = Relay(
            store, queue, sweep_seconds=settings.sweep_seconds, lease_seconds=settings.lease_seconds
        )
        app.state.service = Service(settings, store, queue, relay, links_of(settings))
        with patient_streams():
            relay.start()
            try:
                yield
            finally:
                relay.stop()
                queue.close()
                store.close()

    return lifespan


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
        app.openapi_schema = schema
    return app.openapi_schema
