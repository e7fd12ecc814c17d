"""``identity``: a layer is that very layer of a model, not one that looks like it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.route import Route
from checks.spec.target import suggestion


class Identity(TargetKind):
    """The value is the object at stop number ``stop`` (from 0) of a path of ``model``; without a path, any of
    its layers.

    Objects are compared within one snapshot, where equal numbers mean one object: what merely looks like the
    layer is another one.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_layer": "{variable} is {seen}, not a layer.",
        "no_model": "{model} is no model, so {variable} cannot be one of its layers.",
        "no_path": "{model} has no layer such as the one asked for.",
        "other": "{variable} is {seen}, which is another layer than the one asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {**TargetKind.facts, "model": "the model's variable"}

    model: str = Field(description="the variable that holds the model")
    path: Route | None = Field(default=None, description="the path that the layer is a stop of")
    stop: int = Field(default=0, ge=0, description="which stop of the path, from 0")

    def problems(self, scope: Scope) -> Iterator[Found]:
        """A model that the part does not watch, a stop beyond the path."""
        if self.model not in scope.variables:
            what = f"{self.model!r} is none of the part's variables"
            yield ("model",), what, suggestion(self.model, scope.variables)
        if self.path is not None and self.stop >= len(self.path.through):
            yield ("stop",), f"the path has no stop {self.stop}: they count from 0", ""

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """Whether the value is one of the candidates."""
        facts, model = {"model": self.model}, scene.values.get(self.model)
        if not isinstance(node, (v.Layer, v.Model)):
            return Outcome(0.0, "not_layer", facts)
        if not isinstance(model, v.Model):
            return Outcome(0.0, "no_model", facts)
        candidates = self._candidates(model)
        if not candidates:
            return Outcome(0.0, "no_path", facts)
        return PASSED if any(node.id == each.id for each in candidates) else Outcome(0.0, "other", facts)

    def _candidates(self, model: v.Model) -> list[v.Layer]:
        if self.path is None:
            return list(model.layers)
        return [layers[self.stop] for layers in self.path.trails(model)]


KIND = Identity
