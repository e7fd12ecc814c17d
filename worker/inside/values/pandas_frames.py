"""pandas' data frames, series and indexes, with their own dtypes' names and masks for what is missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import class_name
from .dates import zone_name
from .numpy_arrays import array_node

if TYPE_CHECKING:
    import pandas as pd

    from . import Node, Taker


def _column(values: Any, taker: Taker) -> Node | None:
    """The node of one column's values: an extension array, or an array of NumPy's."""
    import numpy as np  # noqa: PLC0415 - this module must load without pandas and numpy

    pandas = sys.modules["pandas"]
    dtype = values.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        values, dtype = np.asarray(values), np.asarray(values).dtype
    if isinstance(dtype, pandas.DatetimeTZDtype):
        node = array_node(np.asarray(values.tz_convert("UTC").tz_localize(None)), taker)
        return node and {**node, "zone": zone_name(dtype.tz)}
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return array_node(np.asarray(values), taker)
    missing = np.asarray(pandas.isna(values), dtype=bool)
    if getattr(dtype, "kind", "O") in "biufc" and hasattr(dtype, "numpy_dtype"):
        plain = values.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        node = array_node(plain, taker)
        return node and {**node, "mask": taker.blob(missing.tobytes())}
    return array_node(np.asarray(values, dtype=object), taker, "numpy.ndarray")


def _index(index: pd.Index[Any], taker: Taker) -> Node:
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
    if not isinstance(dtype, sys.modules["pandas"].CategoricalDtype):
        return {}
    return {"groups": {"names": _column(dtype.categories.array, taker), "ordered": bool(dtype.ordered)}}


def take_index(value: pd.Index[Any], taker: Taker) -> Node:
    """An index of any kind, level by level."""
    return _index(value, taker)


def take_series(value: pd.Series[Any], taker: Taker) -> Node:
    """A series with its name, its dtype's name and its labels."""
    return {
        "t": "series",
        "name": taker.node(value.name),
        "dtype": str(value.dtype),
        "values": _column(value.array, taker),
        "index": _index(value.index, taker),
        "cls": class_name(type(value)),
        **_groups(value, taker),
    }


def take_frame(value: pd.DataFrame, taker: Taker) -> Node:
    """A data frame, column by column in its order; labels may repeat."""
    columns = []
    for number in range(value.shape[1]):
        column = value.iloc[:, number]
        label = taker.node(value.columns[number])
        node = {"name": label, "dtype": str(column.dtype), "values": _column(column.array, taker)}
        node.update(_groups(column, taker))
        columns.append(node)
    index = _index(value.index, taker)
    return {"t": "table", "columns": columns, "index": index, "cls": class_name(type(value))}


TAKES = {
    "pandas.DataFrame": take_frame,
    "pandas.core.frame.DataFrame": take_frame,
    "pandas.Series": take_series,
    "pandas.core.series.Series": take_series,
    "pandas.Index": take_index,
    "pandas.core.indexes.base.Index": take_index,
}
