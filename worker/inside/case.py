"""Makes one case: its steps one after the other, each recorded as soon as it has come out."""

from __future__ import annotations

import random
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from .arguments import UnfitArgumentError, build, imported
from .bounded import Ending, Printed, attempt, caught, raised, reached_own_code
from .values import Taker
from .writing import taken, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .values import Node

_iter, _islice, _callable = iter, islice, callable


class MissingNameError(Exception):
    """Nothing has the name that a step begins with."""


class CaseUnit:
    """One case, once. ``plan`` is ``checks.plan.CasePlan`` as data; see :class:`.calls.Unit`."""

    def __init__(self, plan: Mapping[str, Any], repeat: int, *, arguments: bool) -> None:
        self._plan = plan
        self._repeat = repeat
        self._arguments = arguments
        self.seconds = float(plan["seconds"])

    def run(self, space: dict[str, Any], taker: Taker) -> Node:
        """Make the case with the notebook's variables; raises nothing that a student's code does."""
        if self._plan["seed"] is not None:
            _seed(self._plan["seed"])
        names: dict[str, Any] = {}
        steps: list[Node] = []
        left = self.seconds
        for plan in self._plan["steps"]:
            step = _Step(plan, names, space, taker).make(left, keep=self._arguments)
            steps.append(step)
            left -= step["seconds"]
            # A scenario goes on after an exception: it may be what is asked for, and the object lives on.
            if step["ended"] not in ("returned", "raised"):
                break
        return self._node(steps)

    def lost(self, ended: str, detail: str = "") -> Node:
        """The record where the case has none of its own."""
        return self._node([{"ended": ended, "detail": detail}])

    def _node(self, steps: list[Node]) -> Node:
        return {"t": "called", "case": self._plan["id"], "repeat": self._repeat, "steps": steps}


class _Step:
    def __init__(
        self, plan: Mapping[str, Any], names: dict[str, Any], space: dict[str, Any], taker: Taker
    ) -> None:
        self._plan, self._names, self._space, self._taker = plan, names, space, taker
        self._printed = Printed()

    def make(self, seconds: float, *, keep: bool) -> Node:
        """The step's record (``checks.evidence.values.Step``)."""
        with caught(self._printed):
            found = attempt(self._resolve, seconds)
            if found.ended != "returned":
                return self._record(found, self._unresolved(found))
            if self._plan["do"] == "look":
                return self._record(
                    found, {"result": taken(self._taker, found.value, seconds)}, keep=found.value
                )
            if not _callable(found.value):
                return self._record(found, {"ended": "not_callable"})
            given = attempt(self._build, seconds)
            if given.ended != "returned":
                return self._record(given, {"ended": "unfit", "detail": _why_unfit(given)})
            arguments, keywords = given.value
            return self._call(found.value, arguments, keywords, seconds, keep=keep)

    def _call(
        self, function: Any, arguments: list[Any], keywords: dict[str, Any], seconds: float, *, keep: bool
    ) -> Node:
        before = _prints(arguments, keywords, seconds) if keep else {}

        def call() -> Any:
            return self._consumed(function(*arguments, **keywords))

        ending = attempt(call, seconds)
        fields: Node = {}
        if ending.ended == "returned":
            fields["result"] = taken(self._taker, ending.value, seconds)
        elif isinstance(ending.error, TypeError) and not reached_own_code(ending.error, call.__code__):
            fields["ended"] = "refused"
        if keep:
            after = _prints(arguments, keywords, seconds)
            fields["changed"] = [name for name in before if before[name] != after[name]]
            fields["arguments"] = [taken(self._taker, each, seconds) for each in arguments]
            fields["keywords"] = {name: taken(self._taker, each, seconds) for name, each in keywords.items()}
        return self._record(ending, fields, keep=ending.value)

    def _resolve(self) -> Any:
        """What the dotted name stands for: a result of an earlier step, or a variable, and its attributes."""
        if self._plan.get("imported"):
            return imported(self._plan["of"])
        first, *rest = self._plan["of"].split(".")
        if first in self._names:
            found = self._names[first]
        elif dict.__contains__(self._space, first):
            found = dict.__getitem__(self._space, first)
        else:
            raise MissingNameError(first)
        for name in rest:
            found = getattr(found, name)
        return found

    def _unresolved(self, ending: Ending) -> Node:
        """A name or attribute that is not there is missing; anything else came out of the student's code."""
        if isinstance(ending.error, MissingNameError):
            return {"ended": "missing", "detail": str(ending.error)}
        if isinstance(ending.error, AttributeError):
            return {"ended": "missing", "detail": self._plan["of"]}
        return {}

    def _build(self) -> tuple[list[Any], dict[str, Any]]:
        plan, space, made = self._plan, self._space, self._names
        keywords = {name: build(data, space, made) for name, data in plan["keywords"].items()}
        return [build(data, space, made) for data in plan["arguments"]], keywords

    def _consumed(self, value: Any) -> Any:
        count = self._plan["consume"]
        return value if count is None else list(_islice(_iter(value), count))

    def _record(self, ending: Ending, fields: Node, *, keep: Any = None) -> Node:
        node: Node = {
            "ended": ending.ended,
            "name": self._plan["name"],
            "seconds": round(ending.seconds, 4),
            "printed": self._printed.take(),
            **fields,
        }
        if ending.error is not None and node["ended"] in ("raised", "refused"):
            node["raised"] = raised(ending.error, self._space)
        self._names[self._plan["name"]] = keep
        return node


def _prints(arguments: list[Any], keywords: dict[str, Any], seconds: float) -> dict[str, object]:
    """What each argument is right now, to be compared with what it is afterwards."""
    named = {**{str(number): each for number, each in enumerate(arguments)}, **keywords}
    found: dict[str, object] = {}
    for name, value in named.items():
        taker = Taker()
        found[name] = (written(taken(taker, value, seconds)), taker.blobs)
    return found


def _why_unfit(ending: Ending) -> str:
    """Why an argument could not be made; raises what is no fault of the notebook's."""
    if ending.error is not None and not isinstance(ending.error, UnfitArgumentError):
        raise ending.error
    return str(ending.error or "copying an argument took too long")


def _seed(number: int) -> None:
    random.seed(number)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(number % 2**32)
