"""What students answered, so that equal answers can be counted: a part's values as a sketch and a short text.

Two answers are one where they have the same *outline* (everything that is exact: structure, texts, whole
numbers, shapes, classes, where numbers are missing) and where their floating-point numbers agree up to noise.
These are kept as a *sketch*: the numbers themselves where they are few, else their norm and some projections
on fixed directions, in which differences show whatever the array's length. Groups are found by comparing
sketches, not by rounding them: rounding parts what lies on both sides of an edge.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from checks.evidence import BadFrameError, Evidence
from checks.evidence import values as v
from checks.evidence.arrays import Payload
from checks.judge import decided_by
from checks.spec.models import Part
from grader.wording import said

FEW = 12
DIRECTIONS = 6
# Sketches agree so far, relative to the norm: above the noise of single precision, below any other formula.
CLOSE = 1e-5
# A framework numbers its objects by how many a kernel has made.
_COUNTED = re.compile(r"_\d+$")
# How long something took, and whose place in memory something had, is no answer.
_PASSED_OVER = {"seconds"}
_NUMBERED = {"id", "layer"}


class Answer(msgspec.Struct, frozen=True):
    """One part's answer: a digest of all that is exact, a sketch of its numbers, and a text for people."""

    outline: str
    sketch: tuple[float, ...]
    text: str


class Tally(msgspec.Struct, frozen=True):
    """Something that ``outline`` and ``sketch`` describe, as often as it came."""

    outline: str
    sketch: tuple[float, ...]
    count: int


def answer_of(part: Part, evidence: Evidence) -> Answer | None:
    """The answer to a part in a run's evidence; None where there is none (or none that can be read)."""
    try:
        values = decided_by(part, evidence)
    except BadFrameError:
        return None
    given = {name: values[name] for name in part.answers if name in values}
    if not given:
        return None
    done = {name: node for name, node in values.items() if name not in part.variables}
    return describe(given, done)


def describe(given: Mapping[str, v.AnyNode], done: Mapping[str, v.AnyNode] | None = None) -> Answer:
    """The answer with these values; ``done`` is what its calls came to, which tells functions apart."""
    walk = _Walk(by_source=not done)
    for name, node in [*sorted(given.items()), *sorted((done or {}).items())]:
        walk.note(name)
        walk.take(node)
    return Answer(walk.outline(), walk.sketch(), said(given))


def similar(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two sketches of one outline are the same numbers up to noise."""
    if len(one) != len(other):
        return False
    if not one:
        return True
    first, second = np.asarray(one), np.asarray(other)
    size = max(float(np.abs(first).max()), float(np.abs(second).max()))
    return bool(np.abs(first - second).max() <= CLOSE * size)


class _Walk:
    """One pass over an answer's values, in an order of its own."""

    def __init__(self, *, by_source: bool) -> None:
        self._by_source = by_source
        self._exact = hashlib.sha256()
        self._floats: list[npt.NDArray[np.float64]] = []
        self._ids: dict[int, int] = {}

    def outline(self) -> str:
        return "sha256:" + self._exact.hexdigest()

    def sketch(self) -> tuple[float, ...]:
        numbers = np.concatenate(self._floats) if self._floats else np.empty(0)
        return tuple(numbers.tolist()) if len(numbers) <= FEW else _projected(numbers)

    def note(self, *things: object) -> None:
        # The length first: no two sequences of things have one spelling.
        for thing in things:
            raw = thing if isinstance(thing, bytes) else str(thing).encode(errors="surrogatepass")
            self._exact.update(b"%d:" % len(raw))
            self._exact.update(raw)

    def take(self, thing: object) -> None:
        match thing:
            case v.Float():
                self._number(thing.cls, np.array([thing.value]))
            case v.Complex():
                self._number(thing.cls, np.array([thing.value.real, thing.value.imag]))
            case v.Array(data=data) if data is not None:
                self._array(thing)
            case v.SetOf():
                self.note("set", thing.cls, len(thing.items))
                self.take(tuple(sorted(thing.items, key=repr)))
            case Payload():
                self.note(thing.raw)
            case msgspec.Struct():
                self._struct(thing)
            case dict():
                self.note("{", len(thing))
                self.take(tuple(sorted(thing.items())))
            case tuple() | list():
                self.note("[", len(thing))
                for each in thing:
                    self.take(each)
            case _:
                self.note(type(thing).__name__, thing)

    def _struct(self, node: msgspec.Struct) -> None:
        self.note(type(node).__name__)
        for name in node.__struct_fields__:
            value = getattr(node, name)
            if name in _PASSED_OVER or (
                name == "source" and isinstance(node, v.Callable) and not self._by_source
            ):
                continue
            if name in _NUMBERED and isinstance(value, int):
                value = self._ids.setdefault(value, len(self._ids))
            elif name == "source" and isinstance(value, str):
                value = " ".join(value.split())
            elif name == "name" and isinstance(value, str):
                value = _COUNTED.sub("", value)
            self.take(value)

    def _array(self, node: v.Array) -> None:
        self.note("array", node.dtype, node.shape, node.cls, node.zone)
        values = node.values
        assert values is not None
        if node.mask is not None:
            self.take(node.mask)
        if values.dtype.kind == "f":
            self._number(node.dtype, values.ravel())
        elif values.dtype.kind == "c":
            self._number(node.dtype, np.stack([values.real, values.imag]).ravel())
        else:
            self.note(np.ascontiguousarray(values).tobytes())

    def _number(self, kind: str, numbers: npt.NDArray[np.generic]) -> None:
        """Where no number is, is exact; what stands there counts as 0 in the sketch."""
        wide = numbers.astype(np.float64)
        finite = np.isfinite(wide)
        self.note("float", kind)
        if not finite.all():
            self.note(np.flatnonzero(~finite).tobytes(), str(wide[~finite][:1000].tolist()))
            wide = np.where(finite, wide, 0.0)
        self._floats.append(wide)


def _projected(numbers: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """The norm, and the sum weighted by ``cos`` of multiples of an irrational step: no weight comes twice.

    Scaled by the largest number first, so that no square overflows.
    """
    size = float(np.abs(numbers).max())
    if size == 0.0:
        return (0.0,) * (DIRECTIONS + 1)
    scaled = numbers / size
    places = np.arange(1, len(numbers) + 1, dtype=np.float64)
    found = [float(np.sqrt(scaled @ scaled))]
    found += [float(scaled @ np.cos(places * (turn + np.sqrt(2.0)))) for turn in range(DIRECTIONS)]
    return tuple(each * size for each in found)


def merged(tallies: Iterable[Tally]) -> list[list[int]]:
    """The places of those tallies that are one answer, group by group; the most frequent of each first."""
    kept = list(tallies)
    heads: dict[str, list[list[int]]] = {}
    for place in sorted(range(len(kept)), key=lambda each: -kept[each].count):
        groups = heads.setdefault(kept[place].outline, [])
        home = next((group for group in groups if similar(kept[group[0]].sketch, kept[place].sketch)), None)
        if home is None:
            groups.append([place])
        else:
            home.append(place)
    return [group for groups in heads.values() for group in groups]
