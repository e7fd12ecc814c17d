"""Keras: layers, models as graphs, tensors and variables.

Reads Keras 3's own bookkeeping and calls no layer. Nothing here imports Keras: its objects come to us.
"""

from __future__ import annotations

from dis import get_instructions
from types import CodeType
from typing import TYPE_CHECKING, Any

from . import ancestry, class_name
from .instances import attribute
from .numpy_arrays import array_node, asarray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from . import Node, Take, Taker

_BASES = ("keras.src.layers.layer.Layer", "keras.src.ops.operation.Operation")
_PLAIN = (bool, int, float, str, type(None))
_MAX_CONFIG_ITEMS = 64
_MAX_NAME = 200
_COMPUTING = frozenset(
    {"BINARY_OP", "COMPARE_OP", "UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_NOT", "IS_OP", "CONTAINS_OP"}
)


def _shape(shape: Iterable[int | None]) -> list[int | None]:
    return [None if length is None else int(length) for length in shape]


def _bases(value: object) -> list[str]:
    names = []
    for kind in ancestry(value)[1:]:
        name = class_name(kind)
        if name in _BASES:
            break
        names.append(name)
    return names


def _config_value(value: object, taker: Taker, depth: int) -> Node | None:
    if isinstance(value, _PLAIN):
        return taker.node(value)
    if isinstance(value, (list, tuple)) and len(value) <= _MAX_CONFIG_ITEMS and depth < 3:
        items = [_config_value(item, taker, depth + 1) for item in value]
        return {"t": "seq", "items": [item for item in items if item is not None]}
    if isinstance(value, dict) and len(value) <= _MAX_CONFIG_ITEMS and depth < 3:
        pairs = [[taker.node(str(key)), _config_value(item, taker, depth + 1)] for key, item in value.items()]
        return {"t": "map", "items": [pair for pair in pairs if pair[1] is not None]}
    return None


def _config(layer: Any, taker: Taker) -> dict[str, Node]:
    try:
        config = layer.get_config()
    except Exception:  # noqa: BLE001 - a student's own layer may have none, or a broken one
        return {}
    settings = _plain_settings(config, taker)
    if class_name(type(layer)).endswith(".Lambda"):
        settings["function"] = _function(getattr(layer, "function", None), taker)
    return settings


def _function(function: object, taker: Taker) -> Node:
    """What a Lambda layer's function uses, without calling it: its name, its code's names and operators."""
    code = getattr(function, "__code__", None)
    operators, names = [], []
    if isinstance(code, CodeType) and not str(getattr(function, "__module__", "")).startswith("keras."):
        names = [_name(name) for name in (*code.co_names, *code.co_freevars)]
        operators = [
            _name(each.argrepr or each.opname) for each in get_instructions(code) if each.opname in _COMPUTING
        ]
        operators += ["nested code" for constant in code.co_consts if isinstance(constant, CodeType)]
    used = {"name": _name(getattr(function, "__name__", "?")), "names": names, "operators": operators}
    return taker.node(used)


def _read(value: object, name: str, missing: object) -> Any:
    """An attribute as Keras has it."""
    return attribute(value, name, "keras", missing)


def _name(name: object) -> str:
    """The name of something in a model; a student gives it, and it stands in many places."""
    return str(name)[:_MAX_NAME]


def _plain_settings(config: dict[Any, Any], taker: Taker) -> dict[str, Node]:
    """The settings that are plain values."""
    found = {_name(key): _config_value(value, taker, 0) for key, value in config.items()}
    taker.spell(sum(map(len, found)))
    return {key: node for key, node in found.items() if node is not None}


def layer_node(layer: Any, taker: Taker) -> Node:
    """A layer, or an operation that has no weights."""
    name, bases = _name(_read(layer, "name", "?")), _bases(layer)
    weights = [_weight(weight, taker) for weight in _read(layer, "weights", ())]
    taker.spell(sum(map(len, (name, *bases))))
    return {
        "t": "layer",
        "id": taker.identity(layer),
        "cls": class_name(type(layer)),
        "name": name,
        "bases": bases,
        "config": _config(layer, taker),
        "weights": weights,
        "operation": class_name(type(layer)).startswith("keras.src.ops."),
    }


def _weight(weight: Any, taker: Taker) -> Node:
    name, shape = _name(weight.name), _shape(weight.shape)
    taker.count(1 + len(shape))
    taker.spell(len(name))
    return {"name": name, "dtype": _name(weight.dtype), "shape": shape}


class Graph:
    """Every call that some tensors follow from; nested models are opened, their layers stand in the graph.

    Where a nested model is called twice, the inner layers are shown as fed by its first call.
    """

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._fed: dict[int, Any] = {}  # a nested model's input layer -> the tensor that it is called on
        self._seen: set[tuple[int, int]] = set()
        self.operations: list[Any] = []
        self.nodes: list[Node] = []

    def tensor(self, tensor: Any) -> Node:
        """Which output of which call the tensor is."""
        operation, index, number = self._origin(tensor)._keras_history
        return {"layer": self._taker.identity(operation), "node": index, "tensor": number}

    def walk(self, outputs: Iterable[Any]) -> None:
        """Note every call behind ``outputs``."""
        todo = [self._origin(tensor) for tensor in outputs]
        while todo:
            operation, index, _ = todo.pop()._keras_history
            if (id(operation), index) in self._seen:
                continue
            self._seen.add((id(operation), index))
            if not any(operation is known for known in self.operations):
                self.operations.append(operation)
            node = operation._inbound_nodes[index]
            sources = [self._origin(source) for source in node.input_tensors]
            inputs = [self.tensor(source) for source in sources]
            shapes = [_shape(made.shape) for made in node.output_tensors]
            self._taker.count(1 + len(inputs) + len(shapes))
            layer = self._taker.identity(operation)
            self.nodes.append({"layer": layer, "node": index, "inputs": inputs, "shapes": shapes})
            todo.extend(sources)

    def _origin(self, tensor: Any) -> Any:
        """The tensor itself, or the one behind it: inside a nested model, or outside where it is fed in."""
        operation, index, number = tensor._keras_history
        if id(operation) in self._fed:
            return self._origin(self._fed[id(operation)])
        inner = _functional(operation)
        if inner is None:
            return tensor
        called_on = operation._inbound_nodes[index].input_tensors
        for entry, outer in zip(inner.inputs, called_on, strict=False):
            if entry is not outer:  # a nested model may be built on the very tensor that it is called on
                self._fed.setdefault(id(entry._keras_history[0]), outer)
        return self._origin(inner.outputs[number])


def _functional(operation: Any) -> Any | None:
    """The graph of a functional or sequential model; None for anything else and for one not yet built."""
    found = _read(operation, "_functional", None) or operation
    known = _read(found, "_nodes", None) is not None
    return found if known and _read(found, "outputs", None) else None


def _compiled(model: Any, taker: Taker) -> dict[str, Node] | None:
    if not _read(model, "compiled", False):
        return None
    settings = _plain_settings(model.get_compile_config() or {}, taker)
    return {**settings, "optimizer": taker.node(type(model.optimizer).__name__)}


def take_model(model: Any, taker: Taker) -> Node:
    """A functional or sequential model as a graph; any other model by its layers alone."""
    functional = _functional(model)
    inputs = [] if functional is None else _read(functional, "inputs", [])
    outputs = [] if functional is None else _read(functional, "outputs", [])
    graph = Graph(taker)
    graph.walk(outputs)
    known = {id(operation) for operation in graph.operations}
    layers = [*graph.operations, *(layer for layer in _read(model, "layers", ()) if id(layer) not in known)]
    return {
        "t": "model",
        "id": taker.identity(model),
        "cls": class_name(type(model)),
        "name": _name(_read(model, "name", "?")),
        "layers": [layer_node(layer, taker) for layer in layers],
        "nodes": graph.nodes,
        "inputs": [graph.tensor(tensor) for tensor in inputs],
        "outputs": [graph.tensor(tensor) for tensor in outputs],
        "compiled": _compiled(model, taker),
    }


def take_symbolic(tensor: Any, taker: Taker) -> Node:
    """A symbolic tensor: where in a graph it comes from."""
    source = Graph(taker).tensor(tensor) if hasattr(tensor, "_keras_history") else None
    return {
        "t": "tensor",
        "id": taker.identity(tensor),
        "cls": class_name(type(tensor)),
        "dtype": str(tensor.dtype),
        "shape": _shape(tensor.shape),
        "name": _name(tensor.name),
        "source": source,
    }


def take_concrete(tensor: Any, taker: Taker) -> Node:
    """A tensor or variable with numbers in it."""
    dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
    numbers = asarray(tensor.numpy())
    if dtype == "bfloat16":
        numbers = numbers.astype("float32")
    name = getattr(tensor, "name", None) if "Variable" in type(tensor).__name__ else None
    return {
        "t": "tensor",
        "id": taker.identity(tensor),
        "cls": class_name(type(tensor)),
        "dtype": str(dtype),
        "shape": _shape(tensor.shape),
        "name": None if name is None else _name(name),
        "values": array_node(numbers, taker),
    }


TAKES: dict[str, Take] = {
    "keras.src.models.model.Model": take_model,
    "keras.src.layers.layer.Layer": layer_node,
    "keras.src.backend.common.keras_tensor.KerasTensor": take_symbolic,
    "keras.src.backend.common.variables.Variable": take_concrete,
    "tensorflow.python.framework.ops.EagerTensor": take_concrete,
    "tensorflow.python.framework.tensor.Tensor": lambda _tensor, _taker: None,
    "tensorflow.python.ops.resource_variable_ops.BaseResourceVariable": take_concrete,
}
