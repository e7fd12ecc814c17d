"""The same content in another container: a column and a table of one column, a labelled column and a dict."""

from __future__ import annotations

from msgspec.structs import replace

from checks.compare import content
from checks.evidence import values as v

Pair = tuple[v.AnyNode, v.AnyNode]


def recast(seen: v.AnyNode, expected: v.AnyNode) -> Pair | None:
    """Both values in one container where they may well be the same in two; None where that makes no sense."""
    match seen, expected:
        case v.Series(), v.Table() if len(expected.columns) == 1:
            return seen, _only_column(expected, seen.name)
        case v.Table(), v.Series() if len(seen.columns) == 1:
            return _only_column(seen, expected.name), expected
        case v.Series(), v.Mapping() if (found := _entries(seen)) is not None:
            return found, expected
        case v.Mapping(), v.Series() if (found := _entries(expected)) is not None:
            return seen, found
        case _:
            return None


def _only_column(table: v.Table, name: v.AnyNode) -> v.Series:
    """Its name does not count: the other value may have none."""
    (column,) = table.columns
    values = replace(column.values, cls="numpy.ndarray")
    return v.Series(name=name, dtype=column.dtype, values=values, index=table.index, groups=column.groups)


def _entries(column: v.Series) -> v.Mapping | None:
    """A column as a dict from labels to values; None where labels have several levels."""
    if len(column.index.levels) != 1:
        return None
    keys, values = content.items(column.index.levels[0]), content.items(column.values)
    if keys is None or values is None:
        return None
    return v.Mapping(items=tuple(zip(keys, values, strict=True)))
