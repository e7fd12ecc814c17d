"""``size``: length, shape, dimensions, number of distinct elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from checks.compare import content
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.bounds import Bounds
from checks.spec.kind import ABSENT, TargetKind


class Size(TargetKind):
    """Each of the conditions that are given must hold."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "length": "{variable} is {seen}; that is not the number of elements asked for.",
        "shape": "{variable} is {seen}; that is not the shape asked for.",
        "ndim": "{variable} is {seen}; that is not the number of dimensions asked for.",
        "distinct": "{variable} is {seen}, with {distinct} different values in it.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "length": "the number of elements (rows of a table)",
        "distinct": "the number of different elements",
    }

    length: Bounds | None = Field(default=None, description="elements, rows, characters of a text, or bytes")
    shape: list[int | None] | None = Field(default=None, description="the axes' lengths; null for any")
    ndim: Bounds | None = Field(default=None, description="the number of axes")
    distinct: Bounds | None = Field(default=None, description="the number of different elements")

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Nothing asked for."""
        if not {"length", "shape", "ndim", "distinct"} & self.model_fields_set:
            yield (), "this check asks for nothing", "length, shape, ndim or distinct"

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        shape = content.shape_of(node)
        length, different = shape[0] if shape else None, _distinct(node) if self.distinct else None
        facts = {
            "length": "no" if length is None else length,
            "distinct": "no" if different is None else different,
        }
        if self.length and not self.length.hold(length):
            return Outcome(0.0, "length", facts)
        if self.shape is not None and not _fits(shape, self.shape):
            return Outcome(0.0, "shape", facts)
        if self.ndim and not self.ndim.hold(None if shape is None else len(shape)):
            return Outcome(0.0, "ndim", facts)
        if self.distinct and not self.distinct.hold(different):
            return Outcome(0.0, "distinct", facts)
        return PASSED


def _fits(shape: tuple[int | None, ...] | None, wanted: list[int | None]) -> bool:
    if shape is None or len(shape) != len(wanted):
        return False
    return all(length is None or length == found for found, length in zip(shape, wanted, strict=True))


def _distinct(node: v.AnyNode) -> int | None:
    """None where an element is no plain value, so that nobody can tell how many differ."""
    plain = _numbers(node)
    if plain is not None:
        return int(np.unique(plain).size)  # where all gaps are one value
    texts = _texts(node)
    if texts is not None:
        return len(set(map(content.composed, texts)))
    found = content.items(node)
    if found is None:
        return None
    labels = [_GAP if content.gap(item) else content.label(item) for item in found]
    return None if None in labels else len(set(labels))


_GAP = ("gap",)  # no value's label


def _texts(node: v.AnyNode) -> list[str] | None:
    """The texts of one axis, with none missing, likewise."""
    found = _axis(node)
    texts = None if found is None else found.texts
    return None if texts is None or texts.missing is not None else texts.strings()


def _numbers(node: v.AnyNode) -> content.Numbers | None:
    """The numbers of one axis without a mask, which need not become nodes one by one."""
    found = _axis(node)
    values = None if found is None else found.values
    return values if values is not None and values.dtype.kind in "biuf" else None


def _axis(node: v.AnyNode) -> v.Array | None:
    """The array of one axis, without a mask, that a value is or holds."""
    match node:
        case v.Series():
            return _axis(node.values)
        case v.Index() if len(node.levels) == 1:
            return _axis(node.levels[0])
        case v.Array() if len(node.shape) == 1 and node.mask is None:
            return node
        case _:
            return None


KIND = Size
