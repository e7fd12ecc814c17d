"""Paths through a model's graph, from an input to its outputs.

A *step* is a layer that a path must pass; between two steps only layers of a given sort may lie. Additions in
a row (``(rating + bias) + offset``) count as one step: a sum. The calls are visited once each, inputs first,
so that a graph with many branches costs no more than its size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import count, pairwise, permutations
from typing import Literal

from msgspec.structs import replace

from checks.compare.once import once_each
from checks.compare.words import class_name, class_names
from checks.evidence import values as v

Between = Literal["nothing", "shape_only", "any"]
Call = tuple[int, int]
Trail = tuple[v.Layer, ...]

# Layers and operations that may move or rename axes and compute nothing. Pooling and reductions compute
# nothing where the number of elements stays what it was: the mean of one number is that number.
RESHAPING = frozenset(
    [
        "Flatten",
        "Reshape",
        "Permute",
        "Squeeze",
        "ExpandDims",
        "Ravel",
        "Transpose",
        "GetItem",
        "Identity",
        "Dropout",
        "Cast",
        "GlobalAveragePooling1D",
        "GlobalMaxPooling1D",
        "GlobalAvgPool1D",
        "GlobalMaxPool1D",
        "AveragePooling1D",
        "MaxPooling1D",
        "Sum",
        "Mean",
        "Max",
        "Min",
        "Moveaxis",
        "Swapaxes",
        "Copy",
    ]
)
# What a Lambda's code may name and still only move axes: modules, and functions such as the layers above.
ALLOWED_NAMES = frozenset({
    "keras", "tf", "tensorflow", "np", "numpy", "K", "backend", "ops", "layers", "math", "nn",
    "squeeze", "reshape", "expand_dims", "flatten", "batch_flatten", "ravel", "transpose",
    "permute_dimensions", "moveaxis", "swapaxes",
    "shape", "int_shape", "get_shape", "newaxis", "identity", "copy", "cast", "stop_gradient",
    "sum", "mean", "max", "min", "reduce_sum", "reduce_mean", "reduce_max", "reduce_min",
    "<lambda>",  # the name of a function that needs no names
})  # fmt: skip
ADDING = frozenset({"Add", "AddV2"})
_TENSORFLOW_ADDITION = ("tf.__operators__.add", "tf.math.add")
MAX_CALLS = 3_000
MAX_TRAILS = 100


@dataclass(frozen=True)
class Step:
    """``test`` tells the layers that fit; of a sum,
    one other summand must follow from all inputs of ``beside``.
    """

    test: Callable[[v.Layer], bool]
    is_sum: bool = False
    beside: frozenset[str] = frozenset()


class Graph:
    """A model's calls by (layer, node), with what can be asked of them;
    nothing in it is trusted to be complete.
    """

    def __init__(self, model: v.Model) -> None:
        self.layers = {layer.id: layer for layer in model.layers}
        self.calls = {(node.layer, node.node): node for node in model.nodes[:MAX_CALLS]}
        self.outputs = model.outputs
        self.inputs = {_call(tensor): self._name(tensor.layer) for tensor in model.inputs}
        self._moving: dict[Call, bool] = {}
        self.order = self._inputs_first()
        self._origins = self._trace_origins()

    def layers_in_order(self) -> list[v.Layer]:
        """The model's layers from its inputs on, each once; the inputs themselves are none."""
        called = dict.fromkeys(node.layer for node in self.order)
        inner = {layer.id: layer for layer in self.layers.values() if class_name(layer.cls) != "InputLayer"}
        return [inner[key] for key in (called or inner) if key in inner]

    def input_names(self) -> list[str]:
        """The names of the model's inputs, in their order."""
        return list(self.inputs.values())

    def output_shapes(self) -> list[tuple[int | None, ...] | None]:
        """The shape of each output (None for the batch axis), or None where it is not known."""
        return [self.shape(tensor) for tensor in self.outputs]

    def shape(self, tensor: v.GraphTensor) -> tuple[int | None, ...] | None:
        """The shape of a tensor of the graph."""
        call = self.calls.get(_call(tensor))
        return call.shapes[tensor.tensor] if call and 0 <= tensor.tensor < len(call.shapes) else None

    def origins(self, tensor: v.GraphTensor) -> frozenset[str]:
        """The names of the inputs that a tensor follows from."""
        return self._origins.get(_call(tensor), frozenset())

    def summands(self, node: v.GraphNode) -> list[v.GraphTensor]:
        """What a call adds up, additions in a row taken together."""
        found: list[v.GraphTensor] = []
        todo, seen = list(node.inputs), set()
        while todo:
            tensor = todo.pop(0)
            behind = self._behind_reshaping(tensor)
            layer, call = self.layers.get(behind.layer), self.calls.get(_call(behind))
            if layer is None or call is None or not is_addition(layer) or _call(behind) in seen:
                found.append(tensor)
            else:
                seen.add(_call(behind))
                todo.extend(call.inputs)
        return found

    def moves_axes_only(self, node: v.GraphNode) -> bool:
        """Whether a call has one input and computes nothing but another shape of it."""
        key = (node.layer, node.node)
        if key not in self._moving:
            self._moving[key] = self._moves_axes_only(node)
        return self._moving[key]

    def _moves_axes_only(self, node: v.GraphNode) -> bool:
        layer = self.layers.get(node.layer)
        if layer is None or len(node.inputs) != 1 or not is_reshaping(layer):
            return False
        return _elements(self.shape(node.inputs[0])) == _elements(node.shapes[0] if node.shapes else None)

    def _behind_reshaping(self, tensor: v.GraphTensor) -> v.GraphTensor:
        for _ in range(len(self.calls)):
            node = self.calls.get(_call(tensor))
            if node is None or not self.moves_axes_only(node):
                break
            tensor = node.inputs[0]
        return tensor

    def _inputs_first(self) -> list[v.GraphNode]:
        """The calls, each after those it needs; none where the graph has a loop (no framework makes one)."""
        needs = {key: [_call(source) for source in node.inputs] for key, node in self.calls.items()}
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError:
            return []
        return [self.calls[key] for key in order if key in self.calls]

    def _trace_origins(self) -> dict[Call, frozenset[str]]:
        found: dict[Call, frozenset[str]] = {}
        for node in self.order:
            key = (node.layer, node.node)
            own = {self.inputs[key]} if key in self.inputs else set()
            found[key] = frozenset(own).union(*(found.get(_call(source), ()) for source in node.inputs))
        return found

    def _name(self, layer: int) -> str:
        return self.layers[layer].name if layer in self.layers else ""


# One model is looked at by many checks, one after the other, as it is and in other forms.
graph_of = once_each(Graph, keep=4)


def _as_chain(model: v.Model) -> v.Model:
    """A model that has no graph (of a class of its own, or not yet built): its layers one after the other, as
    they were made.
    """
    entry = v.Layer(id=-1, cls="InputLayer", name="input")
    chain = [entry, *_in_use([layer for layer in model.layers if class_name(layer.cls) != "InputLayer"])]
    nodes = [v.GraphNode(layer=entry.id, node=0, inputs=(), shapes=())]
    for before, layer in pairwise(chain):
        source = v.GraphTensor(layer=before.id, node=0, tensor=0)
        nodes.append(v.GraphNode(layer=layer.id, node=0, inputs=(source,), shapes=()))
    first, last = (v.GraphTensor(layer=end.id, node=0, tensor=0) for end in (chain[0], chain[-1]))
    return replace(model, layers=tuple(chain), nodes=tuple(nodes), inputs=(first,), outputs=(last,))


as_chain = once_each(_as_chain, keep=8)


def _in_use(layers: list[v.Layer]) -> list[v.Layer]:
    """Once a model was called, its weights tell which layers were used, and in which order their shapes fit;
    none where no order does. Other layers with tables of weights, or too many, stay in the order made.
    """
    if not any(layer.weights for layer in layers):
        return layers
    used = [layer for layer in layers if layer.weights or "units" not in layer.config]
    dense = [layer for layer in used if _kernel(layer)]
    if len(dense) > MAX_PERMUTED or not all(map(_is_dense, dense)):
        return used
    fitting = next((order for order in permutations(dense) if all(map(_fits_behind, order[1:], order))), None)
    if fitting is None:
        return []
    left = iter(fitting)
    return [next(left) if _kernel(layer) else layer for layer in used]


def _kernel(layer: v.Layer) -> tuple[int | None, ...] | None:
    return next((each.shape for each in layer.weights if len(each.shape) == 2), None)


def _is_dense(layer: v.Layer) -> bool:
    """Whether its only table of weights leads to its units; that of an embedding layer does not, say."""
    kernels = [each.shape for each in layer.weights if len(each.shape) == 2]
    units = layer.config.get("units")
    return len(kernels) == 1 and isinstance(units, v.Int) and units.value == kernels[0][1]


def _fits_behind(layer: v.Layer, before: v.Layer) -> bool:
    """Whether a layer takes as many numbers as the one before it gives."""
    kernel, other = _kernel(layer), _kernel(before)
    return kernel is None or other is None or kernel[0] == other[1]


def _fused(model: v.Model) -> v.Model:
    """The model with every activation that follows a linear layer as that layer's own.

    Activations that are linear go first. A layer keeps its place where all its results go into one and the
    same activation; where they also go elsewhere, it is one layer with the activation and one without.
    """
    model = _without_linear(model)
    layers = {layer.id: layer for layer in model.layers}
    calls = {(node.layer, node.node): node for node in model.nodes}
    words: dict[Call, str] = {}  # of an activation's call that follows a linear layer
    for key, node in calls.items():
        before = layers.get(node.inputs[0].layer) if len(node.inputs) == 1 else None
        if before and _call(node.inputs[0]) in calls and _is_linear(before):
            words[key] = _activation(layers.get(node.layer))
    if not any(words.values()):
        return model
    whole = _of_one_activation(model, words)
    fresh = count(min(layers, default=0) - 1, -1)
    nodes, moved = dict(calls), dict[Call, Call]()
    for key, word in words.items():
        if not word:
            continue
        source = _call(calls[key].inputs[0])
        moved[key] = source if source[0] in whole else (next(fresh), 0)
        layer = layers[source[0]]
        config = {**layer.config, "activation": v.Text(v=word)}
        layers[moved[key][0]] = replace(layer, id=moved[key][0], config=config)
        del nodes[key]
        nodes[moved[key]] = replace(calls[source], layer=moved[key][0], node=moved[key][1])
    return _redirected(model, layers, nodes, moved)


def _of_one_activation(model: v.Model, words: dict[Call, str]) -> set[int]:
    """The layers of which every result goes into one and the same activation, and nowhere else."""
    found: dict[int, set[str]] = {}
    for node in model.nodes:
        for tensor in node.inputs:
            found.setdefault(tensor.layer, set()).add(words.get((node.layer, node.node), ""))
    for tensor in model.outputs:
        found.setdefault(tensor.layer, set()).add("")
    return {layer for layer, ends in found.items() if len(ends) == 1 and "" not in ends}


def _without_linear(model: v.Model) -> v.Model:
    """The model without the activations that compute nothing."""
    layers = {layer.id: layer for layer in model.layers}
    calls = {(node.layer, node.node): node for node in model.nodes}
    moved = {
        key: _call(node.inputs[0])
        for key, node in calls.items()
        if len(node.inputs) == 1 and _activation(layers.get(node.layer)) == LINEAR
    }
    if not moved:
        return model
    kept = {key: node for key, node in calls.items() if key not in moved}
    return _redirected(model, layers, kept, moved)


def _redirected(
    model: v.Model, layers: dict[int, v.Layer], nodes: dict[Call, v.GraphNode], moved: dict[Call, Call]
) -> v.Model:
    """The model with other calls; what came out of a call that ``moved`` comes out of another."""
    changed = (
        replace(node, inputs=tuple(_moved(tensor, moved) for tensor in node.inputs))
        for node in nodes.values()
    )
    outputs = tuple(_moved(tensor, moved) for tensor in model.outputs)
    return replace(model, layers=tuple(layers.values()), nodes=tuple(changed), outputs=outputs)


fused = once_each(_fused, keep=8)


def _moved(tensor: v.GraphTensor, moved: dict[Call, Call]) -> v.GraphTensor:
    seen: set[Call] = set()
    key = _call(tensor)
    while key in moved and key not in seen:  # a forged graph may go round
        seen.add(key)
        key = moved[key]
    return tensor if not seen else v.GraphTensor(layer=key[0], node=key[1], tensor=0)


def _is_linear(layer: v.Layer) -> bool:
    own = layer.config.get("activation")
    return isinstance(own, v.Nothing) or (isinstance(own, v.Text) and own.v == LINEAR)


def _activation(layer: v.Layer | None) -> str:
    """The activation that a layer or operation is, and nothing else; empty where it is none."""
    own = layer.config.get("activation") if layer else None
    if layer is not None and class_name(layer.cls) == "Activation":
        return own.v if isinstance(own, v.Text) else ""
    word = class_name(layer.cls).lower() if layer else ""
    return word if layer and word in _ACTIVATIONS and not _is_bent(layer) else ""


def _is_bent(layer: v.Layer) -> bool:
    """Whether a layer that is an activation has settings of its own: a ReLU with a ceiling, say."""
    found = ((layer.config.get(name), usual) for name, usual in _USUAL_SETTINGS.items())
    return any(isinstance(each, (v.Int, v.Float)) and each.value not in usual for each, usual in found)


# By Keras' names. After a Dense layer, axis 1 of a softmax is nearly always the last one.
_USUAL_SETTINGS = {
    "max_value": (math.inf,), "negative_slope": (0,), "threshold": (0,), "alpha": (1,), "axis": (-1, 1),
}  # fmt: skip


_ACTIVATIONS = frozenset(
    {"relu", "sigmoid", "softmax", "tanh", "elu", "selu", "gelu", "silu", "softplus", "softsign"}
)
MAX_PERMUTED = 6
LINEAR = "linear"


def ending_shape(model: v.Model) -> tuple[int | None, ...] | None:
    """The output's shape of a model without a graph, as far as its last layer that computes tells it."""
    last = next((layer for layer in reversed(model.layers) if not is_reshaping(layer)), None)
    units = last.config.get("units") if last else None
    return (None, units.value) if isinstance(units, v.Int) else None


def find_trails(graph: Graph, starts: Iterable[str], steps: list[Step], between: Between) -> list[Trail]:
    """The steps' layers of every path from an input of ``starts`` over all ``steps`` to an output.

    Of each start, each trail once.
    """
    fitting: list[tuple[Step, set[int]]] = []
    for step in steps:
        found = {key for key, layer in graph.layers.items() if step.test(layer)}
        if not found:
            return []
        fitting.append((step, found))
    searches = [_Search(graph, start, fitting, between) for start in starts]
    return [trail for search in searches for trail in search.found()]


class _Search:
    """``reached``: by number of steps taken, by call, the trails that lead there.

    ``steps`` come with the ids of the layers that fit.
    """

    def __init__(
        self, graph: Graph, start: str, steps: list[tuple[Step, set[int]]], between: Between
    ) -> None:
        self._graph, self._steps, self._between = graph, steps, between
        self._reached: list[dict[Call, dict[tuple[object, ...], Trail]]] = [{} for _ in range(len(steps) + 1)]
        for node in graph.order:
            if graph.inputs.get((node.layer, node.node)) == start:
                self._add(node, 0, [()])
            layer = graph.layers.get(node.layer)
            if layer is not None:
                self._visit(node, layer)

    def found(self) -> list[Trail]:
        """The trails over all steps that lead to an output, each once."""
        ends = [self._reached[-1].get(_call(output), {}) for output in self._graph.outputs]
        return list({key: trail for trails in ends for key, trail in trails.items()}.values())

    def _visit(self, node: v.GraphNode, layer: v.Layer) -> None:
        for taken, reached in enumerate(self._reached):
            if not reached:
                return  # nor any later one: they follow from it
            arriving = self._arriving(node.inputs, taken)
            if arriving and self._may_lie_between(node):
                self._add(node, taken, arriving)
            if taken < len(self._steps) and layer.id in self._steps[taken][1]:
                sources = self._sources(node, self._steps[taken][0])
                self._add(node, taken + 1, [(*trail, layer) for trail in self._arriving(sources, taken)])

    def _arriving(self, sources: Iterable[v.GraphTensor], taken: int) -> list[Trail]:
        reached = self._reached[taken]
        there = [reached[key] for source in sources if (key := _call(source)) in reached]
        return [trail for trails in there for trail in trails.values()]

    def _add(self, node: v.GraphNode, taken: int, trails: list[Trail]) -> None:
        if not trails:
            return
        kept = self._reached[taken].setdefault((node.layer, node.node), {})
        for trail in trails:
            if len(kept) < MAX_TRAILS:
                kept.setdefault(tuple((layer.id, layer.name) for layer in trail), trail)

    def _may_lie_between(self, node: v.GraphNode) -> bool:
        return self._between == "any" or (self._between == "shape_only" and self._graph.moves_axes_only(node))

    def _sources(self, node: v.GraphNode, step: Step) -> list[v.GraphTensor]:
        """The inputs of a step's call that a path may come from."""
        if not step.is_sum:
            return list(node.inputs)
        summands = self._graph.summands(node)
        full = [at for at, summand in enumerate(summands) if step.beside <= self._graph.origins(summand)]
        if not step.beside:
            return summands
        return [
            each
            for at, each in enumerate(summands)
            if any(at != other and each != summands[other] for other in full)
        ]


def is_addition(layer: v.Layer) -> bool:
    """Whether a layer or operation adds up its inputs:
    Keras' Add layer, ``a + b``, TensorFlow's own operation.
    """
    return bool(class_names(layer.cls, layer.bases) & ADDING) or layer.name.startswith(_TENSORFLOW_ADDITION)


def is_reshaping(layer: v.Layer) -> bool:
    """Whether a layer is one of those that may compute nothing (a linear activation is the identity)."""
    if "Lambda" in class_names(layer.cls, layer.bases):
        return _moves_axes_by_code(layer.config.get("function"))
    if class_name(layer.cls) == "Activation":
        activation = layer.config.get("activation")
        return isinstance(activation, v.Text) and activation.v == "linear"
    return bool(class_names(layer.cls, layer.bases) & RESHAPING)


def _moves_axes_by_code(function: v.AnyNode | None) -> bool:
    """Whether a Lambda's function names nothing but what moves axes, and has no operators; where it names
    nothing (it has no code, or does no more than ``t[:, 0]``), its own name counts. What is not known may
    compute anything."""
    if not isinstance(function, v.Mapping):
        return False
    known = {key.v: value for key, value in function.items if isinstance(key, v.Text)}
    names, operators, own = (known.get(key) for key in ("names", "operators", "name"))
    if not isinstance(names, v.Sequence) or not isinstance(operators, v.Sequence) or operators.items:
        return False
    if names.cut is not None:
        return False
    used = names.items or ((own,) if own is not None else ())
    found = [item.v if isinstance(item, v.Text) else "" for item in used]
    return bool(found) and all(name in ALLOWED_NAMES for name in found)


def _call(tensor: v.GraphTensor) -> Call:
    return tensor.layer, tensor.node


def _elements(shape: tuple[int | None, ...] | None) -> int | None:
    """The number of elements of one row of the batch; None where an axis is not known."""
    if not shape or None in shape[1:]:
        return None
    return math.prod(length for length in shape[1:] if length is not None)
