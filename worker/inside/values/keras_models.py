"""Keras: layers, models as graphs, histories, tensors and variables. Reads Keras 3's own bookkeeping, calls no layer."""

from . import class_name
from .numpy_arrays import array_node, asarray

_BASES = ("keras.src.layers.layer.Layer", "keras.src.ops.operation.Operation")
_PLAIN = (bool, int, float, str, type(None))
_MAX_CONFIG_ITEMS = 64


def _shape(shape):
    return [None if length is None else int(length) for length in shape]


def _bases(value):
    names = []
    for kind in type(value).__mro__[1:]:
        name = class_name(kind)
        if name in _BASES:
            break
        names.append(name)
    return names


def _config_value(value, taker, depth):
    if isinstance(value, _PLAIN):
        return taker.node(value)
    if isinstance(value, (list, tuple)) and len(value) <= _MAX_CONFIG_ITEMS and depth < 3:
        found = [_config_value(item, taker, depth + 1) for item in value]
        return {"t": "seq", "items": [item for item in found if item is not None]}
    if isinstance(value, dict) and len(value) <= _MAX_CONFIG_ITEMS and depth < 3:
        found = [[taker.node(str(key)), _config_value(item, taker, depth + 1)] for key, item in value.items()]
        return {"t": "map", "items": [pair for pair in found if pair[1] is not None]}
    return None


def _config(layer, taker):
    try:
        config = layer.get_config()
    except Exception:  # a student's own layer may have none
        return {}
    found = {str(key): _config_value(value, taker, 0) for key, value in config.items()}
    return {key: node for key, node in found.items() if node is not None}


def layer_node(layer, taker):
    """A layer, or an operation that has no weights."""
    weights = [
        {"name": str(weight.name), "dtype": str(weight.dtype), "shape": _shape(weight.shape)}
        for weight in getattr(layer, "weights", ())
    ]
    return {
        "t": "layer", "id": taker.identity(layer), "cls": class_name(type(layer)), "name": str(layer.name),
        "bases": _bases(layer), "config": _config(layer, taker), "weights": weights,
        "operation": class_name(type(layer)).startswith("keras.src.ops."),
    }  # fmt: skip


def _graph_tensor(tensor, taker):
    history = tensor._keras_history
    return {"layer": taker.identity(history.operation), "node": history.node_index, "tensor": history.tensor_index}


def _graph(outputs, taker):
    """Every call that the outputs follow from: (operations in order of discovery, nodes)."""
    operations, nodes, todo, seen = [], [], list(outputs), set()
    while todo:
        tensor = todo.pop()
        operation, index, _ = tensor._keras_history
        if (id(operation), index) in seen:
            continue
        seen.add((id(operation), index))
        if operation not in operations:
            operations.append(operation)
        node = operation._inbound_nodes[index]
        nodes.append({
            "layer": taker.identity(operation), "node": index,
            "inputs": [_graph_tensor(source, taker) for source in node.input_tensors],
            "shapes": [_shape(made.shape) for made in node.output_tensors],
        })  # fmt: skip
        todo.extend(node.input_tensors)
    return operations, nodes


def _compiled(model, taker):
    if not getattr(model, "compiled", False):
        return None
    config = model.get_compile_config() or {}
    found = {str(key): _config_value(value, taker, 0) for key, value in config.items()}
    optimizer = {"optimizer": taker.node(type(model.optimizer).__name__)}
    return {**{key: node for key, node in found.items() if node is not None}, **optimizer}


def take_model(model, taker):
    """A functional or sequential model as a graph; any other model by its layers alone."""
    inputs = outputs = ()
    functional = getattr(model, "_functional", None) or model
    if hasattr(functional, "_nodes") and hasattr(functional, "outputs"):
        inputs, outputs = functional.inputs, functional.outputs
    operations, nodes = _graph(outputs, taker)
    known = {id(operation) for operation in operations}
    operations += [layer for layer in model.layers if id(layer) not in known]
    return {
        "t": "model", "id": taker.identity(model), "cls": class_name(type(model)), "name": str(model.name),
        "layers": [layer_node(layer, taker) for layer in operations], "nodes": nodes,
        "inputs": [_graph_tensor(tensor, taker) for tensor in inputs],
        "outputs": [_graph_tensor(tensor, taker) for tensor in outputs],
        "compiled": _compiled(model, taker),
    }  # fmt: skip


def take_history(history, taker):
    """A training's record."""
    metrics = {str(name): [taker.node(float(number)) for number in numbers] for name, numbers in history.history.items()}
    epochs = [int(epoch) for epoch in getattr(history, "epoch", ())]
    return {"t": "history", "epochs": epochs, "metrics": metrics, "cls": class_name(type(history))}


def take_symbolic(tensor, taker):
    """A symbolic tensor: where in a graph it comes from."""
    source = _graph_tensor(tensor, taker) if hasattr(tensor, "_keras_history") else None
    return {
        "t": "tensor", "id": taker.identity(tensor), "cls": class_name(type(tensor)), "dtype": str(tensor.dtype),
        "shape": _shape(tensor.shape), "name": str(tensor.name), "source": source,
    }  # fmt: skip


def take_concrete(tensor, taker):
    """A tensor or variable with numbers in it."""
    dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
    numbers = asarray(tensor.numpy())
    if dtype == "bfloat16":
        numbers = numbers.astype("float32")
    name = getattr(tensor, "name", None) if "Variable" in type(tensor).__name__ else None
    return {
        "t": "tensor", "id": taker.identity(tensor), "cls": class_name(type(tensor)), "dtype": str(dtype),
        "shape": _shape(tensor.shape), "name": None if name is None else str(name), "values": array_node(numbers, taker),
    }  # fmt: skip


TAKES = {
    "keras.src.models.model.Model": take_model,
    "keras.src.layers.layer.Layer": layer_node,
    "keras.src.callbacks.history.History": take_history,
    "keras.src.backend.common.keras_tensor.KerasTensor": take_symbolic,
    "keras.src.backend.common.variables.Variable": take_concrete,
    "tensorflow.python.framework.ops.EagerTensor": take_concrete,
    "tensorflow.python.framework.tensor.Tensor": lambda _tensor, _taker: None,
    "tensorflow.python.ops.resource_variable_ops.BaseResourceVariable": take_concrete,
}
