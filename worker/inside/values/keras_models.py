"""Keras: layers, models as graphs, histories, tensors and variables.

Reads Keras 3's own bookkeeping and calls no layer. Nothing here imports Keras: its objects come to us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import class_name
from .numpy_arrays import array_node, asarray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from . import Node, Take, Taker

_BASES = ("keras.src.layers.layer.Layer", "keras.src.ops.operation.Operation")
_PLAIN = (bool, int, float, str, type(None))
_MAX_CONFIG_ITEMS = 64


def _shape(shape: Iterable[int | None]) -> list[int | None]:
    return [None if length is None else int(length) for length in shape]


def _bases(value: object) -> list[str]:
    names = []
    for kind in type(value).__mro__[1:]:
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
    return _plain_settings(config, taker)


def _plain_settings(config: dict[Any, Any], taker: Taker) -> dict[str, Node]:
    """The settings that are plain values."""
    found = {str(key): _config_value(value, taker, 0) for key, value in config.items()}
    return {key: node for key, node in found.items() if node is not None}


def layer_node(layer: Any, taker: Taker) -> Node:
    """A layer, or an operation that has no weights."""
    weights = [
        {"name": str(weight.name), "dtype": str(weight.dtype), "shape": _shape(weight.shape)}
        for weight in getattr(layer, "weights", ())
    ]
    return {
        "t": "layer",
        "id": taker.identity(layer),
        "cls": class_name(type(layer)),
        "name": str(layer.name),
        "bases": _bases(layer),
        "config": _config(layer, taker),
        "weights": weights,
        "operation": class_name(type(layer)).startswith("keras.src.ops."),
    }


def _graph_tensor(tensor: Any, taker: Taker) -> Node:
    operation, node, number = tensor._keras_history
    return {"layer": taker.identity(operation), "node": node, "tensor": number}


def _graph(outputs: Iterable[Any], taker: Taker) -> tuple[list[Any], list[Node]]:
    """Every call that the outputs follow from: (operations in order of discovery, nodes)."""
    operations: list[Any] = []
    nodes: list[Node] = []
    seen: set[tuple[int, int]] = set()
    todo = list(outputs)
    while todo:
        tensor = todo.pop()
        operation, index, _ = tensor._keras_history
        if (id(operation), index) in seen:
            continue
        seen.add((id(operation), index))
        if operation not in operations:
            operations.append(operation)
        node = operation._inbound_nodes[index]
        inputs = [_graph_tensor(source, taker) for source in node.input_tensors]
        shapes = [_shape(made.shape) for made in node.output_tensors]
        nodes.append({"layer": taker.identity(operation), "node": index, "inputs": inputs, "shapes": shapes})
        todo.extend(node.input_tensors)
    return operations, nodes


def _compiled(model: Any, taker: Taker) -> dict[str, Node] | None:
    if not getattr(model, "compiled", False):
        return None
    settings = _plain_settings(model.get_compile_config() or {}, taker)
    return {**settings, "optimizer": taker.node(type(model.optimizer).__name__)}


def take_model(model: Any, taker: Taker) -> Node:
    """A functional or sequential model as a graph; any other model by its layers alone."""
    inputs: Iterable[Any] = ()
    outputs: Iterable[Any] = ()
    functional = getattr(model, "_functional", None) or model
    if hasattr(functional, "_nodes") and hasattr(functional, "outputs"):
        inputs, outputs = functional.inputs, functional.outputs
    operations, nodes = _graph(outputs, taker)
    known = {id(operation) for operation in operations}
    operations += [layer for layer in model.layers if id(layer) not in known]
    return {
        "t": "model",
        "id": taker.identity(model),
        "cls": class_name(type(model)),
        "name": str(model.name),
        "layers": [layer_node(layer, taker) for layer in operations],
        "nodes": nodes,
        "inputs": [_graph_tensor(tensor, taker) for tensor in inputs],
        "outputs": [_graph_tensor(tensor, taker) for tensor in outputs],
        "compiled": _compiled(model, taker),
    }


def take_history(history: Any, taker: Taker) -> Node:
    """A training's record."""
    metrics = {
        str(name): [taker.node(float(number)) for number in numbers]
        for name, numbers in history.history.items()
    }
    epochs = [int(epoch) for epoch in getattr(history, "epoch", ())]
    return {"t": "history", "epochs": epochs, "metrics": metrics, "cls": class_name(type(history))}


def take_symbolic(tensor: Any, taker: Taker) -> Node:
    """A symbolic tensor: where in a graph it comes from."""
    source = _graph_tensor(tensor, taker) if hasattr(tensor, "_keras_history") else None
    return {
        "t": "tensor",
        "id": taker.identity(tensor),
        "cls": class_name(type(tensor)),
        "dtype": str(tensor.dtype),
        "shape": _shape(tensor.shape),
        "name": str(tensor.name),
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
        "name": None if name is None else str(name),
        "values": array_node(numbers, taker),
    }


TAKES: dict[str, Take] = {
    "keras.src.models.model.Model": take_model,
    "keras.src.layers.layer.Layer": layer_node,
    "keras.src.callbacks.history.History": take_history,
    "keras.src.backend.common.keras_tensor.KerasTensor": take_symbolic,
    "keras.src.backend.common.variables.Variable": take_concrete,
    "tensorflow.python.framework.ops.EagerTensor": take_concrete,
    "tensorflow.python.framework.tensor.Tensor": lambda _tensor, _taker: None,
    "tensorflow.python.ops.resource_variable_ops.BaseResourceVariable": take_concrete,
}
