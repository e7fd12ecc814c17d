"""pandas' data frames, series, indexes and arrays, with their own dtypes' names and what is missing.

A frame or a series of a student's subclass is read through a plain one around its data, so that no method of
the subclass is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.core.internals.managers import BlockManager, SingleBlockManager

from . import TooMuchError, class_name
from .dates import zone_name
from .numpy_arrays import array_node, asarray

if TYPE_CHECKING:
    from . import Node, Take, Taker

_MAX_OBJECTS = 200_000
_MAX_DTYPE = 200
_MAX_COLUMNS = 20_000
_OWN_ARRAYS = ("pandas.arrays.", "pandas.core.arrays.", "pandas.Categorical")
_DataFrame, _Series = pd.DataFrame, pd.Series
_CategoricalDtype, _DatetimeTZDtype = pd.CategoricalDtype, pd.DatetimeTZDtype
_SparseDtype = pd.SparseDtype
_NumpyDtype: Any = type(pd.Series([0]).array.dtype)
_isna = pd.isna
_get = object.__getattribute__


def _column(values: Any, taker: Taker) -> Node | None:
    """The node of one column's values: one of pandas' own arrays, or an array of NumPy's."""
    if not isinstance(values, np.ndarray) and not class_name(type(values)).startswith(_OWN_ARRAYS):
        raise TypeError(f"an array of class {class_name(type(values))}")
    taker.reserve(len(values))
    dtype = values.dtype
    if type(dtype) in (_CategoricalDtype, _SparseDtype):
        values = asarray(values)
        dtype = values.dtype
    if type(dtype) is _DatetimeTZDtype:
        node = array_node(asarray(values.tz_convert("UTC").tz_localize(None)), taker)
        return node and {**node, "zone": zone_name(dtype.tz)}
    if type(dtype) is _NumpyDtype:
        dtype = dtype.numpy_dtype
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return array_node(asarray(values), taker)
    if getattr(dtype, "kind", "O") in "biufc" and hasattr(dtype, "numpy_dtype"):
        missing = asarray(_isna(values), dtype=bool)
        plain = values.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        node = array_node(plain, taker)
        return node and ({**node, "mask": taker.blob(missing.tobytes())} if missing.any() else node)
    if len(values) > _MAX_OBJECTS:
        raise TooMuchError(f"a column of {len(values)} objects")
    return array_node(asarray(values, dtype=object), taker, "numpy.ndarray")


def _index(index: pd.Index[Any], taker: Taker) -> Node:
    taker.reserve(len(index) * index.nlevels)  # a range is small, and its labels one by one are not
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    return {
        "t": "index",
        "levels": [_column(level.array, taker) for level in levels],
        "names": [taker.node(name) for name in index.names],
        "cls": class_name(type(index)),
    }


def _groups(column: Any, taker: Taker) -> Node:
    """What a categorical column adds to a node: its categories in their order."""
    dtype = column.dtype
    if type(dtype) is not _CategoricalDtype:
        return {}
    return {"groups": {"names": _column(dtype.categories.array, taker), "ordered": bool(dtype.ordered)}}


def take_index(value: pd.Index[Any], taker: Taker) -> Node:
    """An index of any kind, level by level."""
    return _index(value, taker)


def take_series(value: pd.Series[Any], taker: Taker) -> Node:
    """A series with its name, its dtype's name and its labels."""
    plain = _own(value, _Series, SingleBlockManager)
    return {
        "t": "series",
        "name": taker.node(_get(value, "_name")),
        "dtype": str(plain.dtype)[:_MAX_DTYPE],
        "values": _column(plain.array, taker),
        "index": _index(plain.index, taker),
        "cls": class_name(type(value)),
        **_groups(plain, taker),
    }


def take_frame(value: pd.DataFrame, taker: Taker) -> Node:
    """A data frame, column by column in its order; labels may repeat."""
    plain = _own(value, _DataFrame, BlockManager)
    if plain.shape[1] > _MAX_COLUMNS:
        raise TooMuchError(f"a table of {plain.shape[1]} columns")
    columns = []
    for number in range(plain.shape[1]):
        column = plain.iloc[:, number]
        label = taker.node(plain.columns[number])
        dtype = str(column.dtype)[:_MAX_DTYPE]
        taker.spell(len(dtype))
        node = {"name": label, "dtype": dtype, "values": _column(column.array, taker)}
        columns.append({**node, **_groups(column, taker)})
    index = _index(plain.index, taker)
    return {"t": "table", "columns": columns, "index": index, "cls": class_name(type(value))}


def take_extension_array(value: Any, taker: Taker) -> Node | None:
    """One of pandas' arrays, as ``pd.array`` and ``.array`` give it; None for a student's own."""
    if not class_name(type(value)).startswith(_OWN_ARRAYS):
        return None
    node = _column(value, taker)
    return node and {**node, "cls": class_name(type(value))}


def _own(value: Any, kind: Any, manager: Any) -> Any:
    """The object itself; where a student's class stands between, a plain one around the same data."""
    data: Any = _get(value, "_mgr")
    if type(data) is not manager:  # something else has been put in its place
        raise TypeError(f"its data are of class {class_name(type(data))}")
    return value if type(value) is kind else kind._from_mgr(data, axes=data.axes)


TAKES: dict[str, Take] = {
    "pandas.DataFrame": take_frame,
    "pandas.core.frame.DataFrame": take_frame,
    "pandas.Series": take_series,
    "pandas.core.series.Series": take_series,
    "pandas.Index": take_index,
    "pandas.core.indexes.base.Index": take_index,
    "pandas.api.extensions.ExtensionArray": take_extension_array,
    "pandas.core.arrays.base.ExtensionArray": take_extension_array,
}
