"""Structured logs: one JSON object a line, or coloured lines on a terminal. Ids come from the context.

Whoever begins to work on something binds its ids (``structlog.contextvars``): ``request`` in the API,
``attempt`` and ``submission`` in API and worker. Every line written meanwhile has them, those of libraries
(uvicorn, Celery, SQLAlchemy) too. Nothing logs notebooks, tokens or signatures.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

# They log each request, which the API's own line says better, and without its query (that signs links).
SILENT = ("uvicorn.access", "httpx", "httpcore")


def configure(*, as_json: bool | None = None) -> None:
    """Send every log of this process to stderr; JSON unless that is a terminal. For whole processes only."""
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = _ToStderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()], processors=_rendering(as_json=as_json)
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in list(logging.root.manager.loggerDict):
        _hand_up(name)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment: the service sets it up anew after its logs."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Like the handler that ``logging`` itself falls back to."""
        return sys.stderr


def _rendering(*, as_json: bool) -> list[Processor]:
    if as_json:
        last: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    else:
        last = [structlog.dev.ConsoleRenderer()]
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]


def _hand_up(name: str) -> None:
    """A library's own handlers would write lines of another form beside ours."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True
