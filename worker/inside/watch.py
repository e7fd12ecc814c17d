"""The watch over a notebook's variables: takes a part's values when its check runs and whenever they are bound anew.

What leaves here is a copy as inert data; see ``frame`` for the bytes and ``values`` for the translation. Names that the
standard library offers are bound at import time, before any student's code can replace them.
"""

import ast
import os
from threading import Lock

from . import frame

_write = os.write
_parse = ast.parse
_walk = ast.walk


class Watch:
    """Sends frames to ``fd``. ``plan`` names the parts with their variables; see ``checks.plan.RunPlan``."""

    def __init__(self, shell, plan, fd, seed):
        self._shell = shell
        self._fd = fd
        self._seed = seed
        self._parts = {part["id"]: tuple(part["variables"]) for part in plan["parts"]}
        self._answers = {part["id"]: tuple(part["answers"]) for part in plan["parts"]}
        if plan["end"]:
            self._parts[""] = self._answers[""] = tuple(plan["end"])
        self._bound = {}
        self._run = 0
        self._lock = Lock()

    def install(self):
        """Begin to watch the shell's cells."""
        self._shell.events.register("pre_run_cell", self._before_cell)
        self._shell.events.register("post_run_cell", self._after_cell)

    def take(self, part):
        """Send the values of ``part`` as they are now: its check was called."""
        self._send(part, "check")

    def _before_cell(self, _info):
        self._run += 1

    def _after_cell(self, result):
        touched = self._rebound() | modified_names(self._source(result))
        for part, answers in self._answers.items():
            if touched.intersection(answers):
                self._send(part, "end" if part == "" else "bound")

    def _rebound(self):
        """Names whose object is another one than after the cell before."""
        space = self._shell.user_ns
        watched = {name for answers in self._answers.values() for name in answers}
        now = {name: space[name] for name in watched if name in space}
        changed = {name for name, value in now.items() if name not in self._bound or self._bound[name] is not value}
        self._bound = now
        return changed

    def _source(self, result):
        try:
            return self._shell.transform_cell(result.info.raw_cell)
        except SyntaxError:
            return ""

    def _send(self, part, trigger):
        names = self._parts.get(part, ())
        data = frame.encode(part, trigger, self._run, names, self._shell.user_ns, self._seed)
        with self._lock:
            view = memoryview(len(data).to_bytes(4, "little") + data)
            while view:
                view = view[_write(self._fd, view) :]


def modified_names(source):
    """Names that ``source`` binds, or whose object it may change in place: ``x[…] = ``, ``x.y = ``, ``x.method()``."""
    try:
        tree = _parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    names = set()
    for node in _walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            names.add(base_name(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(base_name(node.func))
    names.discard(None)
    return names


def base_name(node):
    """``x`` of ``x.a[1].b``; None where it begins with no name."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
