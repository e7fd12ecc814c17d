"""What this host has to run notebooks with: the sandbox's layers and each environment (``grader doctor``)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from checks.plan import Limits, RunPlan
from grader.settings import Settings
from worker import records
from worker.environment import Environment, known_environments, load_environment
from worker.errors import InfrastructureError, SandboxUnavailable
from worker.execute import execute, parse_notebook
from worker.jail import Upkeep
from worker.kernel import SealedKernel
from worker.sandbox.inputs import materialise
from worker.sandbox.layers import Layer, layers
from worker.warm import WarmServer

_EMPTY = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def inventory(settings: Settings, *, start: bool) -> Iterator[Layer]:
    """Layers, then environments; ``start`` starts each environment that is installed, which takes seconds."""
    yield from layers(require_cgroup=settings.require_cgroup)
    for name in known_environments():
        try:
            environment = load_environment(name)
        except SandboxUnavailable as error:
            served = name in settings.serves
            yield Layer(f"environment {name}", not served, f"{error}{'' if served else ' (not served here)'}")
            continue
        yield Layer(f"environment {name}", True, _described(environment, settings))
        yield _started(environment, settings) if start else _recorded(environment, settings)


def prove(server: WarmServer) -> None:
    """Have one sealed kernel answer; raises InfrastructureError with what the sandbox could not do.

    A layer may be there by name and fail all the same: this is the only certain test.
    """
    notebook, inputs = parse_notebook(_EMPTY), materialise(server.inputs, "sha256:none", {})
    with SealedKernel(server, RunPlan(module=None, parts=()), Limits(), inputs, 0) as kernel:
        execute(notebook, kernel, Limits(), lambda _cell, _cells: None)


def warm_server(environment: Environment, settings: Settings) -> WarmServer:
    """The host's server of ``environment`` as its owner makes it: with kernels standing by, and a record."""
    return WarmServer(
        environment, settings.runtime_dir, Upkeep(standby=settings.standby), settings.sandbox_records
    )


def _described(environment: Environment, settings: Settings) -> str:
    served = "" if environment.name in settings.serves else " (not served here)"
    return f"{', '.join(environment.packages)}; in {environment.prefix}{served}"


def _recorded(environment: Environment, settings: Settings) -> Layer:
    start = records.last(settings.sandbox_records, environment.name)
    if start is None:
        told = "not started yet; grader doctor --start does"
    else:
        changed = "" if start.environment == environment.label else "; the environment has changed since"
        told = f"last {records.told(start)}{changed}"
    return Layer(f"sandbox of {environment.name}", True, told)


def _started(environment: Environment, settings: Settings) -> Layer:
    settings.make_folders()
    runtime = settings.runtime_dir / f"doctor-{os.getpid()}"
    upkeep = Upkeep(standby=settings.standby)
    try:
        with WarmServer(environment, runtime, upkeep, settings.sandbox_records) as server:
            prove(server)
    except InfrastructureError as error:
        return Layer(f"sandbox of {environment.name}", False, str(error))
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    start = records.last(settings.sandbox_records, environment.name)
    return Layer(f"sandbox of {environment.name}", True, "starts" if start is None else records.told(start))
