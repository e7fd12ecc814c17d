"""TensorFlow's tensors that are no plain arrays: ragged ones as nested lists, sparse ones as dense arrays."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from . import TooMuchError, ancestry, class_name
from .numpy_arrays import array_node, asarray

if TYPE_CHECKING:
    from . import Node, Take, Taker

_RAGGED = "tensorflow.python.ops.ragged.ragged_tensor.RaggedTensor"
_SPARSE = "tensorflow.python.framework.sparse_tensor.SparseTensor"
_MAX_ITEMS = 200_000


def _own(value: object, name: str) -> Any:
    """The library's class among the real ancestors of ``value``: its methods are not a student's."""
    return next(kind for kind in ancestry(value) if class_name(kind) == name)


def take_ragged(value: Any, taker: Taker) -> Node:
    """A ragged tensor: lists in lists, down to the numbers."""
    own = _own(value, _RAGGED)
    flat = own.flat_values.fget(value)
    rows = sum(int(splits.shape[0]) for splits in own.nested_row_splits.fget(value))
    if prod(flat.shape) + rows > _MAX_ITEMS:
        raise TooMuchError(f"a ragged tensor of {prod(flat.shape)} values in {rows} rows")
    return {**taker.node(own.to_list(value)), "cls": class_name(type(value))}


def take_sparse_tensor(value: Any, taker: Taker) -> Node | None:
    """A sparse tensor, as the array that it stands for."""
    own = _own(value, _SPARSE)
    shape = [int(length) for length in own.shape.fget(value)]
    places, numbers = (asarray(own.__dict__[name].fget(value).numpy()) for name in ("indices", "values"))
    taker.reserve(prod(shape) * max(1, numbers.dtype.itemsize))
    full = asarray([0], dtype=numbers.dtype).repeat(prod(shape)).reshape(shape)
    full[tuple(places.T)] = numbers
    return array_node(full, taker, class_name(type(value)))


TAKES: dict[str, Take] = {_RAGGED: take_ragged, _SPARSE: take_sparse_tensor}
