"""What tells values apart before they are compared: equal values have equal keys and near numbers.

A key may be the same for values that are not equal (comparison decides in the end), never the other way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from checks.compare import content
from checks.compare.closeness import Tolerance
from checks.compare.content import Numbers
from checks.compare.matching import Band, Sides, band, codes
from checks.evidence import values as v

MAX_NUMBERS = 8  # of one value: more would tell little more apart
_GAP = ("gap",)
_IN_ORDER = frozenset({"list", "tuple", "range", "deque", "view", "array", "other array", "index", "series"})


class Keyed(NamedTuple):
    """A value's ``key``, and the finite numbers in it that may differ by the tolerance."""

    key: object
    numbers: tuple[complex, ...] = ()


def keyed(node: v.AnyNode, *, loose: bool = False) -> Keyed:  # noqa: PLR0911 - one line a kind of value
    """The key of a value; ``loose`` as :func:`checks.compare.structure.same` has it."""
    if loose and content.gap(node):
        return Keyed(_GAP)
    word = content.container(node)
    if loose and word in _IN_ORDER:
        word = "in order"
    match node:
        case v.Text():
            return Keyed((word, content.composed(node.v), node.cut))
        case v.Bytes():
            return Keyed((word, node.v, node.cut))
        case v.Array() if content.is_moment(node):
            return Keyed((word, content.scalar(node)))
        case v.SetOf():
            return _set(node, loose=loose)
        case v.Mapping():
            return _mapping(node, loose=loose)
        case v.Opaque():
            return Keyed((word, node.cls, *sorted(node.attributes)))
    found = content.numbers(node)
    if found is not None and not (loose and found.ndim == 1):
        return _numbers(word, found)
    parts = content.items(node)
    if parts is None:
        return Keyed((word, content.shape_of(node)))
    inner = [keyed(each, loose=loose) for each in parts]
    return Keyed((word, *(each.key for each in inner)), _numbers_of(inner))


def _numbers(word: str, found: Numbers) -> Keyed:
    flat = found.ravel()[:MAX_NUMBERS]
    flat = flat if flat.dtype.kind == "c" and flat.imag.any() else flat.real.astype(np.float64)
    marks = tuple((at, str(flat[at])) for at in np.flatnonzero(~np.isfinite(flat)).tolist())
    return Keyed((word, found.shape, marks), tuple(np.where(np.isfinite(flat), flat, 0.0).tolist()))


def _numbers_of(inner: Sequence[Keyed]) -> tuple[complex, ...]:
    return tuple(number for each in inner for number in each.numbers)[:MAX_NUMBERS]


def _set(node: v.SetOf, *, loose: bool) -> Keyed:
    """Elements without their order; of single numbers the smallest."""
    inner = [keyed(each, loose=loose) for each in node.items]
    key = ("set", frozenset(Counter(each.key for each in inner).items()))
    found = [each.numbers[0] for each in inner if each.numbers]
    real = [number.real for number in found if not isinstance(number, complex)]
    single = len(real) == len(found) and all(len(each.numbers) <= 1 for each in inner)
    return Keyed(key, tuple(sorted(real)[:MAX_NUMBERS]) if single else ())


def _mapping(node: v.Mapping, *, loose: bool) -> Keyed:
    """Entries without their order; where every key is a text, the numbers go by the order of these."""
    found = [(content.label(key), keyed(value, loose=loose)) for key, value in node.items]
    key = ("dict", frozenset(Counter((name, value.key) for name, value in found).items()))
    named = [(name, value) for name, value in found if isinstance(name, str)]
    named.sort(key=lambda each: each[0])
    return Keyed(key, _numbers_of([value for _, value in named]) if len(named) == len(found) else ())


def told_apart(
    seen: Sequence[Keyed], expected: Sequence[Keyed], tolerance: Tolerance
) -> tuple[Sides, list[Band]]:
    """Values of two sides by their groups and their numbers."""
    sides = codes([each.key for each in seen], [each.key for each in expected])
    most = max((len(each.numbers) for each in (*seen, *expected)), default=0)
    return sides, [band(_column(seen, at), _column(expected, at), tolerance) for at in range(most)]


def _column(values: Sequence[Keyed], at: int) -> Numbers:
    return np.array([each.numbers[at] if at < len(each.numbers) else 0.0 for each in values])
