"""SciPy's sparse matrices and arrays of every format.

One that fits is taken as the array that it stands for; a large one by its entries, sorted, without zeros.
"""

from __future__ import annotations

import sys
from math import prod
from typing import TYPE_CHECKING, Any

from . import ancestry, class_name
from .instances import described, is_from, state
from .numpy_arrays import array_node

if TYPE_CHECKING:
    from . import Node, Take, Taker

_MAX_DENSE_BYTES = 8 << 20


def take_sparse(value: Any, taker: Taker) -> Node | None:
    """A sparse matrix, through the format's own class: a student's subclass has no say."""
    own = next(kind for kind in ancestry(value) if is_from(kind, "scipy"))
    plain = own(value) if type(value) is own else _rebuilt(own, value)
    _check_places(plain)
    if prod(plain.shape) * plain.dtype.itemsize <= _MAX_DENSE_BYTES:
        return array_node(plain.toarray(), taker, class_name(type(value)))
    taker.reserve(int(plain.nnz) * (plain.dtype.itemsize + 8 * len(plain.shape)))
    entries = sys.modules["scipy.sparse"].coo_array(plain)
    entries.sum_duplicates()
    entries.eliminate_zeros()
    axes = {f"axis_{number}": places for number, places in enumerate(entries.coords)}
    attributes = {"shape": tuple(plain.shape), "entries": entries.data, "count": int(entries.nnz), **axes}
    return described(value, "sparse", attributes, taker)


def _rebuilt(own: Any, value: Any) -> Any:
    """A matrix of the library's own class with the same content."""
    plain = own.__new__(own)
    state(plain).update(state(value))
    return plain.copy()


def _check_places(plain: Any) -> None:
    """Raise ValueError where an entry's place lies outside: the library's fast loops would believe it."""
    if hasattr(plain, "check_format"):
        plain.check_format(full_check=True)
    elif hasattr(plain, "coords") and len(plain.data):
        lengths = zip(plain.coords, plain.shape, strict=True)
        if any(
            axis.min() < 0 or axis.max() >= length or len(axis) != len(plain.data) for axis, length in lengths
        ):
            raise ValueError("an entry lies outside the matrix")


TAKES: dict[str, Take] = {"scipy.sparse._base._spbase": take_sparse}
