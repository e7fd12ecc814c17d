"""What a run has to know of an assignment: names to watch and texts to show. Nothing in it is a secret.

A plan goes into the sandbox, where every student can read it: no expected value, no solution, no check.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class StepPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a case: ``call`` what the dotted name ``of`` stands for, or only ``look`` at it.

    The name begins with the ``name`` of an earlier step or with a variable of the notebook; where it is
    ``imported``, with a module. ``arguments`` and
    ``keywords`` are inert (see ``checks.spec.argument``); of an iterator that comes out, ``consume`` items
    are taken.
    """

    do: Literal["call", "look"]
    of: str
    name: str = "it"
    arguments: tuple[dict[str, Any], ...] = ()
    keywords: dict[str, dict[str, Any]] = {}
    consume: int | None = None
    imported: bool = False


class CasePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Steps that are made one after the other within ``seconds``; the whole ``repeats`` times.

    ``seed`` is what the random generators begin with each time.
    """

    id: str
    steps: tuple[StepPlan, ...]
    seconds: float = 5.0
    repeats: int = 1
    seed: int | None = None


class CallsPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls, found again by their ``key``; ``arguments``: whether to keep them as they are afterwards."""

    key: str
    cases: tuple[CasePlan, ...]
    arguments: bool = False
    process: Literal["own", "notebook"] = "own"


class DatabasePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A database: a file where the notebook finds it (``input``), or what a ``script`` makes in memory."""

    id: str
    input: str | None = None
    script: str = ""


class QueryPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query in the variable ``of``, run on each database: at most ``rows`` rows, within ``seconds``."""

    key: str
    of: str
    databases: tuple[DatabasePlan, ...]
    seconds: float = 5.0
    rows: int = 10_000


class PartPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part: ``variables`` are captured when its check runs; ``hints`` are what ``.hint(n)`` prints.

    ``calls`` and ``queries`` are made on what was captured, right after it was.

    ``answers`` are those of the variables whose binding means an answer: when one is bound anew, the part's
    values are captured too, for notebooks without the part's check. ``products``: those of the variables
    that are none, but the ``figure`` that was drawn last, or ``file:<path>`` that the notebook wrote.
    """

    id: str
    variables: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    products: dict[str, str] = {}
    calls: tuple[CallsPlan, ...] = ()
    queries: tuple[QueryPlan, ...] = ()


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of one run: seconds of wall time for the notebook and a cell; memory, output, disk in MiB."""

    seconds: float = 300.0
    cell_seconds: float = 120.0
    memory_mib: int = 2048
    output_mib: float = 8.0
    disk_mib: int = 256
    processes: int = 128


class RunPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run. ``module`` is the name that the notebook imports its parts from; ``compat`` names the
    environment's shims to apply; ``end`` are names taken when the last cell has run (for reference runs);
    ``seed`` seeds numpy's and Python's generators.
    """

    module: str | None
    parts: tuple[PartPlan, ...]
    compat: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    seed: int | None = None
