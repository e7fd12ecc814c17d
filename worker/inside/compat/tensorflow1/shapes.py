"""``layer.input_shape``, ``layer.output_shape``, ``layer.get_output_shape_at(n)``, ``tensor.get_shape()``."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def patch(keras: Any) -> None:
    """Give layers and symbolic tensors what they had. Keras 3's models have their own shapes, which stay."""
    layer = keras.layers.Layer
    layer.input_shape = property(lambda self: _the_one_shape(self, "input"))
    layer.output_shape = property(lambda self: _the_one_shape(self, "output"))
    layer.get_input_shape_at = lambda self, node_index: _unpacked(
        _shapes(_node(self, node_index, "input"), "input")
    )
    layer.get_output_shape_at = lambda self, node_index: _unpacked(
        _shapes(_node(self, node_index, "output"), "output")
    )
    layer.get_input_at = lambda self, node_index: _unpacked(
        _tensors(_node(self, node_index, "input"), "input")
    )
    layer.get_output_at = lambda self, node_index: _unpacked(
        _tensors(_node(self, node_index, "output"), "output")
    )
    layer.inbound_nodes = property(lambda self: self._inbound_nodes)
    layer.outbound_nodes = property(lambda self: self._outbound_nodes)
    keras.KerasTensor.get_shape = _get_shape


def _the_one_shape(layer: Any, side: str) -> Any:
    """A tuple (None is the batch axis), or a list of them; AttributeError unless all calls agree."""
    nodes = layer._inbound_nodes
    if not nodes:
        raise AttributeError(
            f"The layer {layer.name!r} has never been called and thus has no defined {side} shape."
        )
    shapes = [_shapes(node, side) for node in nodes]
    if any(shape != shapes[0] for shape in shapes):
        raise AttributeError(
            f"The layer {layer.name!r} has multiple inbound nodes, with different {side} shapes. "
            f"Use `get_{side}_shape_at(node_index)` instead."
        )
    return _unpacked(shapes[0])


def _shapes(node: Any, side: str) -> list[tuple[int | None, ...]]:
    return [tuple(tensor.shape) for tensor in _tensors(node, side)]


def _tensors(node: Any, side: str) -> list[Any]:
    """The call's tensors; what an input layer takes in is what it gives out."""
    return list(node.input_tensors if side == "input" and not node.is_input else node.output_tensors)


def _node(layer: Any, node_index: int, side: str) -> Any:
    nodes = layer._inbound_nodes
    if not 0 <= node_index < len(nodes):
        raise ValueError(
            f"Asked to get {side} at node {node_index}, "
            f"but the layer {layer.name!r} has only {len(nodes)} inbound nodes."
        )
    return nodes[node_index]


def _unpacked(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _get_shape(tensor: Any) -> Any:
    """The shape as ``tf.TensorShape``, so that ``get_shape().as_list()`` works."""
    return import_module("tensorflow").TensorShape(tensor.shape)
