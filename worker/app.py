"""The Celery application of a worker host: ``celery -A worker.app worker``.

The main process keeps one warm server for each environment that the host serves. Its pool's children
connect to them by their sockets, and each opens the store for itself (a database connection does not
survive a fork).
"""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

import structlog
from celery import Celery, signals  # type: ignore[import-untyped]
from celery.worker.control import inspect_command  # type: ignore[import-untyped]
from kombu.entity import Exchange, Queue

from grader import logs
from grader.settings import Settings, celery_settings, queue_name
from grader.store import Store, open_store
from worker import drain, inventory
from worker.environment import load_environment
from worker.errors import InfrastructureError
from worker.warm import WarmServer, require_sandbox

URGENCIES = ("interactive", "batch")
EXIT_INFRASTRUCTURE = 3

log = structlog.get_logger()
# Names this worker's main process and the pool's children that it forks, but no worker after it.
HOST = secrets.token_hex(6)
settings = Settings()
app = Celery("worker", include=["worker.tasks", "worker.regrading"])
app.conf.update(celery_settings(settings))
app.conf.task_queues = [
    Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]
    for name in [queue_name(served, urgency) for urgency in URGENCIES for served in settings.serves]
]
app.conf.task_create_missing_queues = False
app.conf.task_default_queue = queue_name(settings.serves[0])

_owned: list[WarmServer] = []


@cache
def store() -> Store:
    """This process's store."""
    return open_store(settings)


def warm_server(environment: str) -> WarmServer:
    """This process's way to the host's warm server; raises SandboxUnavailable.

    Made anew for each task: the environment's files may have changed since the last one.
    """
    return WarmServer(load_environment(environment), settings.runtime_dir)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _configure_logs(**_: Any) -> None:
    """In place of Celery's own way, which takes no part in ours."""
    logs.configure()


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _start_warm_servers(**_: Any) -> None:
    """Import everything before the first notebook comes; a host that cannot run notebooks takes none."""
    settings.make_folders()
    try:
        require_sandbox(require_cgroup=settings.require_cgroup)
        for name in settings.serves:
            server = inventory.warm_server(load_environment(name), settings)
            server.start()
            _owned.append(server)
            inventory.prove(server)
            log.info("warm server ready", environment=name, memory_limit=server.driver.name, **server.ready)
    except InfrastructureError as error:
        log.error("this host cannot run notebooks", reason=str(error))
        _stop_warm_servers()
        # Celery swallows the exceptions of signal handlers, but not the exit.
        raise SystemExit(EXIT_INFRASTRUCTURE) from error


@inspect_command()  # type: ignore[untyped-decorator]
def warm_servers(_state: Any) -> dict[str, int]:
    """For whoever asks over the broker: 1 for each environment that takes notebooks here just now, else 0."""
    return {server.environment.name: int(server.failure is None) for server in _owned}


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _stop_warm_servers(**_: Any) -> None:
    while _owned:
        _owned.pop().stop()


drain.install(settings, HOST, _stop_warm_servers)
