"""Equality of values that are no plain numbers: texts, and containers of anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.content import Numbers
from checks.compare.keyed import keyed, told_apart
from checks.compare.matching import Budget, Flags, Places, band, budget_here, finite_codes, matched
from checks.compare.spelling import spelled
from checks.evidence import values as v

MANY_NUMBERS = 50  # take as long as one value of any kind
COST = 60  # of comparing two values of any kind, next to two numbers


# Containers whose elements stand in an order; what else they are does not count where `loose` says so.
_ORDERED = frozenset({"list", "tuple", "range", "deque", "view", "array", "other array", "index", "series"})


def same(  # noqa: PLR0911 - one line a kind of value
    seen: v.AnyNode, expected: v.AnyNode, tolerance: Tolerance, *, loose: bool = False
) -> bool:
    """Whether two values are equal, numbers within ``tolerance``; a list never equals a tuple.

    ``loose``: it does, however deep inside; an array and a column equal a list, too.
    """
    if loose and content.gap(expected) and content.gap(seen):
        return tolerance.nan_equal or isinstance(expected, v.Nothing)
    wanted = None if isinstance(expected, v.Table) else content.numbers(expected)
    if wanted is not None and (wanted.size or not loose):
        found = content.numbers(seen) if _alike(seen, expected, loose) else None
        if found is None and loose and wanted.ndim == 1:  # None among numbers, for NaN
            return _same_containers(seen, expected, tolerance, loose=True)
        alike = found is not None and tolerance.all_close(found, wanted)
        return alike and not differ_beyond(seen, expected, tolerance)
    if content.holds_moments(expected) and content.holds_moments(seen):
        return _alike(seen, expected, loose) and _same_moments(seen, expected)
    match expected, seen:
        case v.Text(), v.Text():
            return content.composed(expected.v) == content.composed(seen.v) and expected.cut == seen.cut
        case v.Bytes(), v.Bytes():
            return expected.v == seen.v and expected.cut == seen.cut
        case v.Nothing(), v.Nothing():
            return True
        case v.Mapping(), v.Mapping():
            return _same_entries(seen, expected, tolerance, loose=loose)
        case v.Table(), v.Table():
            return _same_tables(seen, expected, tolerance)
        case v.Opaque(), v.Opaque():
            return _same_objects(seen, expected, tolerance)
        case _:
            return _same_containers(seen, expected, tolerance, loose=loose)


def _alike(seen: v.AnyNode, expected: v.AnyNode, loose: bool) -> bool:
    theirs, ours = content.container(seen), content.container(expected)
    return theirs == ours or (loose and theirs in _ORDERED and ours in _ORDERED)


def other_truths(seen: v.AnyNode, expected: v.AnyNode) -> bool:
    """Of two equal values: whether somewhere inside a number stands for a truth value, or the other way."""
    match expected, seen:
        case v.Mapping(), v.Mapping():
            theirs = _by_key(seen) or {}
            return any(
                key in theirs and other_truths(theirs[key], value)
                for key, value in (_by_key(expected) or {}).items()
            )
        case v.Sequence(), v.Sequence():
            return any(map(other_truths, seen.items, expected.items))
        case _:
            return (content.family(seen) == "bool") != (content.family(expected) == "bool")


def differ_beyond(seen: v.AnyNode, expected: v.AnyNode, tolerance: Tolerance) -> bool:
    """Whether whole numbers beyond any machine word differ, where these must be equal exactly."""
    theirs, ours = (content.beyond(seen), content.beyond(expected)) if tolerance.whole_exactly else ((), ())
    return len(theirs) == len(ours) and theirs != ours


def same_items(
    seen: Sequence[v.AnyNode],
    expected: Sequence[v.AnyNode],
    tolerance: Tolerance,
    *,
    ordered: bool,
    loose: bool = False,
) -> bool:
    """Whether two lists of values are equal, in order or as sets."""
    if not ordered and _labels(seen) == _labels(expected) and not _unknown(expected):
        return True
    if len(seen) != len(expected):
        return False
    if not ordered:
        return same_bag(seen, expected, tolerance)
    return all(same(one, other, tolerance, loose=loose) for one, other in zip(seen, expected, strict=True))


def same_cells(seen: Sequence[v.AnyNode], expected: Sequence[v.AnyNode], tolerance: Tolerance) -> bool:
    """As :func:`same_items` in order; a missing element is like any other, as in a table's column."""
    return len(seen) == len(expected) and all(
        (content.gap(one) and content.gap(other)) or same(one, other, tolerance)
        for one, other in zip(seen, expected, strict=True)
    )


def same_bag(
    seen: Sequence[v.AnyNode], expected: Sequence[v.AnyNode], tolerance: Tolerance, *, loose: bool = False
) -> bool:
    """Whether two lists hold equal values equally often, in any order. Raises UndecidedError where very many
    are so nearly alike that this cannot be told within the limits.
    """
    if len(seen) != len(expected):
        return False
    if _all_whole(seen, expected) and tolerance.whole_exactly and not tolerance.absolute:
        return sorted(map(_value, seen)) == sorted(map(_value, expected))
    budget = budget_here(COST)
    budget.pay_inside(1 + len(seen) // MANY_NUMBERS)
    numbers = _floats(seen, expected, tolerance)
    if numbers is not None:
        return _same_numbers(*numbers, tolerance)
    budget.pay_inside(len(seen))
    sides, bands = told_apart(
        [keyed(node, loose=loose) for node in seen],
        [keyed(node, loose=loose) for node in expected],
        tolerance,
    )

    def alike(at: Places, beside: Places) -> Flags:
        pairs = zip(at, beside, strict=True)
        found = [same(seen[one], expected[other], tolerance, loose=loose) for one, other in pairs]
        return np.array(found, dtype=bool)

    return matched(sides, bands, alike, budget) is not None


def _all_whole(seen: Sequence[v.AnyNode], expected: Sequence[v.AnyNode]) -> bool:
    return all(isinstance(node, v.Int) for nodes in (seen, expected) for node in nodes)


def _value(node: v.AnyNode) -> int:
    return node.value if isinstance(node, v.Int) else 0


def _floats(
    seen: Sequence[v.AnyNode], expected: Sequence[v.AnyNode], tolerance: Tolerance
) -> tuple[Numbers, Numbers] | None:
    """Both sides as arrays, where nothing but the tolerance decides about any two of their numbers."""
    plain = all(isinstance(node, (v.Int, v.Float)) for nodes in (seen, expected) for node in nodes)
    whole = [any(isinstance(node, v.Int) for node in nodes) for nodes in (seen, expected)]
    if not plain or (tolerance.whole_exactly and all(whole)):
        return None
    theirs, ours = (content.numbers(v.Sequence(items=tuple(nodes))) for nodes in (seen, expected))
    return None if theirs is None or ours is None else (theirs.astype(float), ours.astype(float))


def _same_numbers(seen: Numbers, expected: Numbers, tolerance: Tolerance) -> bool:
    """Where no number's reach lies inside another's, sorting alone decides."""
    if np.isnan(expected).any() and not tolerance.nan_equal:
        return False
    found = matched(
        finite_codes(seen, expected),
        [band(seen, expected, tolerance)],
        lambda at, beside: tolerance.close(seen[at], expected[beside]),
        Budget(),
        sorting=tolerance.relative <= 1,
    )
    return found is not None


def _labels(nodes: Sequence[v.AnyNode]) -> set[object]:
    return {content.label(node) for node in nodes}


def _unknown(nodes: Sequence[v.AnyNode]) -> bool:
    """Whether one of them cannot be told from others by its label."""
    return any(content.label(node) is None and not isinstance(node, v.Nothing) for node in nodes)


def _same_containers(seen: v.AnyNode, expected: v.AnyNode, tolerance: Tolerance, *, loose: bool) -> bool:
    if not _alike(seen, expected, loose) or content.cut(seen) != content.cut(expected):
        return False
    theirs, ours = content.items(seen), content.items(expected)
    if theirs is None or ours is None:
        return False
    return same_items(theirs, ours, tolerance, ordered=not isinstance(expected, v.SetOf), loose=loose)


def _same_moments(seen: v.AnyNode, expected: v.AnyNode) -> bool:
    """Dates at any unit; no date equals no date."""
    one, other = (node.values if isinstance(node, v.Series) else node for node in (seen, expected))
    if not content.holds_moments(seen) or not isinstance(one, v.Array) or not isinstance(other, v.Array):
        return False
    theirs, ours = content.moments(one), content.moments(other)
    if theirs.shape != ours.shape or theirs.dtype.kind != ours.dtype.kind:
        return False
    return bool(((theirs == ours) | (np.isnat(theirs) & np.isnat(ours))).all())


def _same_objects(seen: v.Opaque, expected: v.Opaque, tolerance: Tolerance) -> bool:
    """By all that is known of them; two objects of which nothing is known cannot be told to be equal."""
    if (
        not expected.attributes
        or seen.cls != expected.cls
        or seen.attributes.keys() != expected.attributes.keys()
    ):
        return False
    return all(same(seen.attributes[name], each, tolerance) for name, each in expected.attributes.items())


def _same_entries(seen: v.Mapping, expected: v.Mapping, tolerance: Tolerance, *, loose: bool = False) -> bool:
    theirs, ours = _by_key(seen), _by_key(expected)
    if theirs is None or ours is None or theirs.keys() != ours.keys() or seen.cut != expected.cut:
        return False
    return all(same(theirs[key], ours[key], tolerance, loose=loose) for key in ours)


def differing_entries(seen: v.Mapping, expected: v.Mapping, tolerance: Tolerance) -> dict[str, object]:
    """Of how many keys (of either dict) the value is missing, not asked for or another one."""
    theirs, ours = _by_key(seen), _by_key(expected)
    if theirs is None or ours is None:
        return {"differing": "some", "total": max(len(seen.items), len(expected.items))}
    keys = theirs.keys() | ours.keys()
    alike = sum(key in theirs and same(theirs[key], ours[key], tolerance) for key in ours)
    return {"differing": (len(keys) - alike) or "some", "total": len(keys)}


def other_keys(seen: v.Mapping, expected: v.Mapping) -> tuple[list[str], int]:
    """The keys that were not asked for, as Python writes them, and how many are missing."""
    theirs, ours = _by_key(seen) or {}, _by_key(expected) or {}
    labels = {content.label(key): key for key, _ in seen.items}
    return [spelled(labels[label]) for label in theirs if label not in ours], len(ours.keys() - theirs.keys())


def _by_key(node: v.Mapping) -> dict[object, v.AnyNode] | None:
    """The entries by their keys' labels; None where keys cannot be told apart."""
    found = {content.label(key): value for key, value in node.items}
    return None if len(found) != len(node.items) or _unknown([key for key, _ in node.items]) else found


def _same_tables(seen: v.Table, expected: v.Table, tolerance: Tolerance) -> bool:
    """Columns by label in their order, rows in theirs; the index is not compared."""
    if content.column_names(seen) != content.column_names(expected):
        return False
    columns = zip(seen.columns, expected.columns, strict=True)
    return all(same(one.values, other.values, tolerance) for one, other in columns)
