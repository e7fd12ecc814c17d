"""The watch over a notebook's variables: takes a part's when its check runs and when an answer is bound.

What leaves here is a copy as inert data; see ``frame`` for the bytes and ``values`` for the translation.
Names that the standard library offers are bound at import time, before any student's code can replace them.
"""

from __future__ import annotations

import ast
import os
from threading import Lock
from typing import TYPE_CHECKING, Any

from . import calls, frame
from .products import Products

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

_write = os.write
_parse = ast.parse
_walk = ast.walk


class Watch:
    """Sends frames to ``fd``. ``plan`` names the parts with their variables; see ``checks.plan.RunPlan``."""

    def __init__(self, shell: InteractiveShell, plan: Mapping[str, Any], fd: int, seed: int) -> None:
        self._shell = shell
        self._fd = fd
        self._seed = seed
        self._parts = {part["id"]: tuple(part["variables"]) for part in plan["parts"]}
        self._answers = {part["id"]: tuple(part["answers"]) for part in plan["parts"]}
        self._products = Products({part["id"]: part.get("products", {}) for part in plan["parts"]})
        self._calls = {part["id"]: calls.Calls(part, (fd,)) for part in plan["parts"]}
        self._checked: set[str] = set()
        if plan["end"]:
            self._parts[""] = self._answers[""] = tuple(plan["end"])
        self._bound: dict[str, object] = {}
        self._sent: dict[str, bytes] = {}  # what was last sent of a part without its check
        self._run = 0
        self._count = -1
        self._lock = Lock()

    def install(self) -> None:
        """Begin to watch the shell's cells."""
        self._products.install()
        self._shell.events.register("pre_run_cell", self._before_cell)
        self._shell.events.register("post_run_cell", self._after_cell)

    def take(self, part: str) -> None:
        """Send the values of ``part`` as they are now: its check was called."""
        self._send(part, "check")
        self._checked.add(part)
        self._make_calls(part, "check")

    def _before_cell(self, _info: object) -> None:
        count = self._shell.execution_count
        if count != self._count:  # magics run cells inside cells, under the outer one's number
            self._run, self._count = self._run + 1, count
            self._products.begin(self._run)

    def _after_cell(self, result: ExecutionResult) -> None:
        tree = parsed(self._source(result))
        bound, called = self._rebound() | bound_names(tree), called_names(tree)
        renewed = self._products.renewed()
        for part, answers in self._answers.items():
            surely = bool(bound.intersection(answers)) or part in renewed
            if surely or called.intersection(answers):
                self._send(part, "end" if part == "" else "bound", only_changes=not surely)

    def _rebound(self) -> set[str]:
        """Names whose object is another one than after the cell before."""
        space = self._shell.user_ns
        watched = {name for answers in self._answers.values() for name in answers}
        now = {name: space[name] for name in watched if name in space}
        before = self._bound
        changed = {name for name, value in now.items() if name not in before or before[name] is not value}
        self._bound = now
        return changed

    def _source(self, result: ExecutionResult) -> str:
        if result.info is None:
            return ""
        try:
            return str(self._shell.transform_cell(result.info.raw_cell))
        except SyntaxError:
            return ""

    def _send(self, part: str, trigger: str, *, only_changes: bool = False) -> None:
        label: frame.Label = {"part": part, "trigger": trigger, "run": self._run, "seed": self._seed}
        data, content = frame.encode(label, self._parts.get(part, ()), self._space(part))
        if only_changes and self._sent.get(part) == content:
            return
        if trigger != "check":
            self._sent[part] = content
        self._write(data)
        if trigger == "bound" and part not in self._checked:  # a check, once there is one, decides
            self._make_calls(part, trigger)

    def _make_calls(self, part: str, trigger: str) -> None:
        """Make the part's calls and queries on what was just taken; they have a frame of their own."""
        label: frame.Label = {"part": f"{part}()", "trigger": trigger, "run": self._run, "seed": self._seed}
        if self._calls.get(part):
            send = lambda body, blobs: self._write(calls.join(label, body, blobs))  # noqa: E731
            self._calls[part].make(self._shell.user_ns, send)

    def _write(self, data: bytes) -> None:
        with self._lock:
            view = memoryview(len(data).to_bytes(4, "little") + data)
            while view:
                view = view[_write(self._fd, view) :]

    def _space(self, part: str) -> dict[str, Any]:
        """Where a part's names are looked up: the notebook's namespace, or what is made beside it."""
        beside = self._products.names(part)
        if not beside:
            space: dict[str, Any] = self._shell.user_ns
            return space
        names = [name for name in self._parts[part] if name not in beside]
        return {
            **{name: self._shell.user_ns[name] for name in names if name in self._shell.user_ns},
            **self._products.of(part),
        }


def parsed(source: str) -> ast.Module:
    """The syntax tree; an empty one where the source is no Python."""
    try:
        return _parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return _parse("")


def bound_names(tree: ast.Module) -> set[str]:
    """Names that the code binds, or whose object it stores into: ``x =``, ``x[…] =``, ``x.y =``."""
    found: set[str | None] = set()
    for node in _walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            found.add(base_name(node))
    return {name for name in found if name is not None}


def called_names(tree: ast.Module) -> set[str]:
    """Names whose methods the code calls: ``x.y()`` may change the object, and mostly does not."""
    calls = (node.func for node in _walk(tree) if isinstance(node, ast.Call))
    found = {base_name(function) for function in calls if isinstance(function, ast.Attribute)}
    return {name for name in found if name is not None}


def base_name(node: ast.expr) -> str | None:
    """``x`` of ``x.a[1].b``; None where it begins with no name."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
