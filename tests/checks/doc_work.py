"""Makes the calls and queries of the documentation's examples, by the code that makes them in the sandbox."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from typing import Any

import msgspec

from checks.evidence import Snapshot, decode_frame
from checks.evidence import values as v
from checks.plan import RunPlan
from worker.inside.calls import Calls, join
from worker.inside.frame import Label

FILE = "example.py"


def work_done(plan: RunPlan, code: str, names: Mapping[str, Any]) -> list[Snapshot]:
    """A snapshot of what came out of each part's calls on the variables that ``code`` assigns."""
    space = dict(names)
    # Exceptions tell their line's text.
    linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
    exec(compile(code, FILE, "exec"), space)  # the document's own code
    found = []
    for number, part in enumerate(msgspec.to_builtins(plan.parts)):
        frames: list[bytes] = []
        label: Label = {"part": f"{part['id']}()", "trigger": "check", "run": 1, "seed": 0}
        calls = Calls(part, ())
        if calls:
            calls.make(
                space,
                lambda body, blobs, label=label, into=frames: into.append(join(label, body, blobs)),
            )
            decode_frame(frames[-1])
            found.append(Snapshot(part=f"{part['id']}()", trigger="check", cell=number, frame=frames[-1]))
    return found


def function_node(value: Any) -> v.Callable:
    """The evidence of a function or class."""
    return v.Callable(name=value.__name__, cls=f"builtins.{type(value).__name__}")
