"""Kinds of checks. One file of ``checks/kinds/`` holds one kind; the file's name is the word that specs use.

A kind is a pydantic model (what the author may write) with a ``judge`` method (what it means), named ``KIND``
at the end of its file. It declares its ``reasons`` (each way to fall short, with the message that is used
when the author writes none) and its ``facts`` (the fields that messages may use, with what they say).
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from msgspec.structs import replace
from pydantic import Field

import checks.kinds
from checks.compare.spelling import Spelled
from checks.compare.words import describe, quoted_if_odd
from checks.evidence import values as v
from checks.plan import CallsPlan, QueryPlan
from checks.scene import Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.target import Sight, Target

ABSENT = "{variable} lacks what this check looks at."


class Kind:
    """Base of all kinds, beside pydantic's own."""

    reasons: ClassVar[Mapping[str, str]]
    facts: ClassVar[Mapping[str, str]] = {}
    pieces: ClassVar[tuple[type[Piece], ...]] = ()
    """Models inside the kind that hold checks themselves: they are completed once ``Check`` is there."""

    @abstractmethod
    def judge(self, scene: Scene) -> Outcome:
        """How the values of ``scene`` come out; raises MissingReferenceError where the author's run
        lacks a value.
        """

    def problems(self, _scope: Scope) -> Iterable[Found]:
        """Mistakes that only the rest of the spec reveals."""
        return ()

    def work(self) -> CallsPlan | QueryPlan | None:
        """What the sandbox has to do for the check once the part's values are taken; mostly nothing."""
        return None

    def reference_work(self) -> CallsPlan | QueryPlan | None:
        """What the author's run has to do beside :meth:`work`: the same with another function or query."""
        return None

    def known_facts(self, _scope: Scope) -> Mapping[str, str]:
        """The fields that messages may use here."""
        return self.facts


class TargetKind(Kind, Piece):
    """A kind about one target. Of several values (every column of a table) the one that comes out best
    counts.
    """

    facts: ClassVar[Mapping[str, str]] = {
        "variable": "the variable's name",
        "column": "the column's label",
        "seen": "the value in a few words",
        "value": "the value itself, cut after a line",
    }

    of: Target = Field(description="what the check is about: a variable, or {variable: …, column: …}")

    def judge(self, scene: Scene) -> Outcome:
        """The best outcome over the target's values."""
        outcomes = [self._judge_sight(sight, scene) for sight in self.of.sights(scene)]
        return max(outcomes, key=lambda outcome: outcome.credit)

    def _judge_sight(self, sight: Sight, scene: Scene) -> Outcome:
        label = quoted_if_odd(sight.column) if sight.column else ""
        name = scene.names.get(sight.variable, sight.variable)
        facts: dict[str, object] = {"variable": name, "column": label, "seen": describe(sight.node)}
        facts["value"] = Spelled(sight.node) if sight.node else "nothing"
        if sight.node is None:
            return Outcome(0.0, "absent", facts, message=sight.missing)
        found = self.judge_node(sight.node, scene)
        return replace(found, facts={**facts, **found.facts})

    @abstractmethod
    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """How one value comes out."""


@cache
def kinds() -> Mapping[str, Any]:
    """Every kind (a class that is a Kind and a pydantic model) by its word;
    ``not_.py`` holds the kind ``not``.
    """
    found = {}
    for module in sorted(pkgutil.iter_modules(checks.kinds.__path__), key=lambda each: each.name):
        loaded = importlib.import_module(f"checks.kinds.{module.name}")
        found[module.name.rstrip("_")] = loaded.KIND
    return found
