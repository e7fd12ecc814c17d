"""What this installation offers to assignments: its environments and compatibility shims.

Both are files beside the worker, found by their names; the service reads the names and nothing else of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from checks.assignment import Offer

WORKER = Path(__file__).parent.parent / "worker"


@cache
def offered() -> Offer:
    """The names that an assignment may give as its ``environment`` and in ``compat``."""
    shims = (path for path in (WORKER / "inside" / "compat").iterdir() if not path.name.startswith("_"))
    return Offer(
        environments=frozenset(path.stem for path in (WORKER / "environments").glob("*.toml")),
        shims=frozenset(path.stem for path in shims if path.is_dir() or path.suffix == ".py"),
    )
