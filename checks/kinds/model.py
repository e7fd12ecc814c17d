"""``model``: a neural network's inputs, output shape, and a path through its graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from checks.compare.graph import Graph, ending_shape, graph_of
from checks.compare.words import listed
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.route import Route


class Model(TargetKind):
    """Each of the conditions that are given must hold; layers' names are free unless a path names them."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_model": "{variable} is {seen}, not a model.",
        "inputs": "The model {variable} has the inputs {inputs}; these are not the ones asked for.",
        "inputs_order": "The model {variable} takes its inputs in another order than asked for: {inputs}.",
        "path": "The model {variable} has no path such as the one asked for.",
        "output_shape": "The model {variable} puts out the shape {output_shape}, not the one asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "inputs": "the names of the model's inputs",
        "output_shape": "the shape of the model's (first) output",
    }

    inputs: list[str] | None = Field(default=None, description="the inputs' names")
    ordered: bool = Field(default=False, description="whether the inputs must come in the order of `inputs`")
    output_shape: list[int | None] | None = Field(
        default=None, description="the shape of the one output; null: any length"
    )
    path: Route | None = Field(default=None, description="a path that must be there")

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        if not isinstance(node, v.Model):
            return Outcome(0.0, "not_model")
        graph = graph_of(node)
        facts = {"inputs": listed(graph.input_names()), "output_shape": _spelled(graph, node)}
        if self.inputs is not None and sorted(graph.input_names()) != sorted(self.inputs):
            return Outcome(0.0, "inputs", facts)
        if self.inputs is not None and self.ordered and graph.input_names() != self.inputs:
            return Outcome(0.0, "inputs_order", facts)
        if self.path is not None and not self.path.trails(node):
            return Outcome(0.0, "path", facts)
        shapes = graph.output_shapes() if node.nodes else [ending_shape(node)]
        if self.output_shape is not None and shapes != [tuple(self.output_shape)]:
            return Outcome(0.0, "output_shape", facts)
        return PASSED


def _spelled(graph: Graph, node: v.Model) -> str:
    shapes = graph.output_shapes() if node.nodes else [ending_shape(node)]
    return str(shapes[0]) if shapes and shapes[0] is not None else "unknown"


KIND = Model
