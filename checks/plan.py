"""What a run has to know of an assignment: names to watch and texts to show. Nothing in it is a secret.

A plan goes into the sandbox, where every student can read it: no expected value, no solution, no check.
"""

from __future__ import annotations

import msgspec


class PartPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part: ``variables`` are captured when its check runs; ``hints`` are what ``.hint(n)`` prints.

    ``answers`` are those of the variables whose binding means an answer: when one is bound anew, the part's
    values are captured too, for notebooks without the part's check. ``products``: those of the variables
    that are none, but the ``figure`` that was drawn last, or ``file:<path>`` that the notebook wrote.
    """

    id: str
    variables: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    products: dict[str, str] = {}


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
