"""Equality of values that are no plain numbers: texts, and containers of anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.normal import sort_key
from checks.evidence import array_node
from checks.evidence import values as v

MAX_TRIED = 1_000


def same(seen: v.AnyNode, expected: v.AnyNode, tolerance: Tolerance) -> bool:  # noqa: PLR0911 - one line a kind of value
    """Whether two values are equal, numbers within ``tolerance``; a list never equals a tuple."""
    wanted = None if isinstance(expected, v.Table) else content.numbers(expected)
    if wanted is not None:
        found = content.numbers(seen) if content.container(seen) == content.container(expected) else None
        return found is not None and tolerance.all_close(found, wanted)
    if isinstance(expected, (v.Array, v.Series)) and holds_moments(expected):
        return content.container(seen) == content.container(expected) and _same_moments(seen, expected)
    match expected, seen:
        case v.Text(), v.Text():
            return expected.v == seen.v and expected.cut == seen.cut
        case v.Bytes(), v.Bytes():
            return expected.v == seen.v and expected.cut == seen.cut
        case v.Nothing(), v.Nothing():
            return True
        case v.Mapping(), v.Mapping():
            return _same_entries(seen, expected, tolerance)
        case v.Table(), v.Table():
            return _same_tables(seen, expected, tolerance)
        case _:
            return _same_containers(seen, expected, tolerance)


def same_items(
    seen: Sequence[v.AnyNode], expected: Sequence[v.AnyNode], tolerance: Tolerance, *, ordered: bool
) -> bool:
    """Whether two lists of values are equal, in order or in any order (plain values only, each once)."""
    if ordered:
        return len(seen) == len(expected) and all(
            same(one, other, tolerance) for one, other in zip(seen, expected, strict=True)
        )
    return _plain(seen) == _plain(expected) and None not in _plain(expected)


def same_bag(seen: Sequence[v.AnyNode], expected: Sequence[v.AnyNode], tolerance: Tolerance) -> bool:
    """Whether two lists hold equal values equally often, in any order.

    Sorted side by side they usually agree; where tolerance makes their orders differ, each expected value
    takes the first that is left and like it.
    """
    theirs, ours = sorted(seen, key=sort_key), sorted(expected, key=sort_key)
    if all(same(one, other, tolerance) for one, other in zip(theirs, ours, strict=True)):
        return True
    if len(theirs) > MAX_TRIED:
        return False
    for other in ours:
        found = next((at for at, one in enumerate(theirs) if same(one, other, tolerance)), None)
        if found is None:
            return False
        theirs.pop(found)
    return True


def _plain(nodes: Sequence[v.AnyNode]) -> set[object]:
    return {content.scalar(node) for node in nodes}


def _same_containers(seen: v.AnyNode, expected: v.AnyNode, tolerance: Tolerance) -> bool:
    if content.container(seen) != content.container(expected):
        return False
    theirs, ours = content.items(seen), content.items(expected)
    if theirs is None or ours is None:
        return False
    return same_items(theirs, ours, tolerance, ordered=not isinstance(expected, v.SetOf))


def holds_moments(node: v.AnyNode) -> bool:
    """Whether a value is an array of dates or spans."""
    array = node.values if isinstance(node, v.Series) else node
    return isinstance(array, v.Array) and array.values is not None and array.values.dtype.kind in "Mm"


def stacked_moments(node: v.AnyNode) -> v.Array | None:
    """A list of single moments (or of single days) as one array; None where a value is none."""
    items = node.items if isinstance(node, v.Sequence) else ()
    found = [item for item in items if isinstance(item, v.Array) and not item.shape and holds_moments(item)]
    if not found or len(found) != len(items):
        return None
    stacked = array_node(np.array([content.moments(item)[()] for item in found]))
    return replace(stacked, zone=found[0].zone)


def _same_moments(seen: v.AnyNode, expected: v.AnyNode) -> bool:
    """Dates at any unit; no date equals no date."""
    one, other = (node.values if isinstance(node, v.Series) else node for node in (seen, expected))
    if not holds_moments(seen) or not isinstance(one, v.Array) or not isinstance(other, v.Array):
        return False
    theirs, ours = content.moments(one), content.moments(other)
    if theirs.shape != ours.shape or theirs.dtype.kind != ours.dtype.kind:
        return False
    return bool(((theirs == ours) | (np.isnat(theirs) & np.isnat(ours))).all())


def _same_entries(seen: v.Mapping, expected: v.Mapping, tolerance: Tolerance) -> bool:
    theirs = {content.scalar(key): value for key, value in seen.items}
    ours = {content.scalar(key): value for key, value in expected.items}
    if theirs.keys() != ours.keys() or None in ours or len(ours) != len(expected.items):
        return False
    return all(same(theirs[key], ours[key], tolerance) for key in ours)


def differing_entries(seen: v.Mapping, expected: v.Mapping, tolerance: Tolerance) -> dict[str, object]:
    """Of how many keys (of either dict) the value is missing, not asked for or another one."""
    theirs = {content.scalar(key): value for key, value in seen.items}
    ours = {content.scalar(key): value for key, value in expected.items}
    keys = theirs.keys() | ours.keys()
    alike = sum(key in theirs and same(theirs[key], ours[key], tolerance) for key in ours)
    return {"differing": (len(keys) - alike) or "some", "total": len(keys)}


def _same_tables(seen: v.Table, expected: v.Table, tolerance: Tolerance) -> bool:
    """Columns by label in their order, rows in theirs; the index is not compared."""
    if content.column_names(seen) != content.column_names(expected):
        return False
    columns = zip(seen.columns, expected.columns, strict=True)
    return all(same(one.values, other.values, tolerance) for one, other in columns)
