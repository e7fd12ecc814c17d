"""Makes the calls and runs the queries that a part's checks ask for, on what the notebook has at this moment.

Nothing that is expected is in here. What comes out is evidence: a frame of its own for each snapshot,
``part()`` for ``part``, with a ``called`` node for every case of every check.

Theory of operation. A check's cases are units. They are made one after the other in one copy of the kernel
(``apart``), which the kernel itself watches: a unit that takes too long, or ends its process, costs the copy,
and the next unit gets a new one. So nothing reaches the notebook's own variables, and its own limits stay in
force. Where a copy would not work (TensorFlow's threads are running), or the spec says so, the units are made
in the kernel; then a call that ends the process ends the run, and each record is sent as soon as it is there.
"""

from __future__ import annotations

import struct
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from .apart import GRACE, MAX_RECORD, Copy, Lost, Record, can_fork
from .bounded import clean
from .case import CaseUnit
from .queries import QueryUnit
from .values import Taker
from .writing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from .frame import Label
    from .values import Node

    Send = Callable[[str, list[bytes]], None]
    Outcomes = Generator[Record, None, None]

MAX_TIME_LIMITS = 2  # after so many units that did not end, the check's others are not begun
_MAX_TEXT = (8 << 20) - 8192  # a frame's header, its label left out
_MAX_BYTES = 32 << 20
_SEND_AFTER = 1.0  # seconds: what a later unit's end could lose
# Inside a text, the quotation marks would be escaped.
_TIME_LIMIT = b'"ended":"time_limit"'
_MAGIC, _PREFIX = b"EVF1", struct.Struct("<4sI")
_clock = time.monotonic


class Unit(Protocol):
    """A piece of work that leaves one record; ``seconds`` bound it."""

    seconds: float

    def run(self, space: dict[str, Any], taker: Taker) -> Node:
        """Do it with the notebook's variables; raises nothing that a student's code does."""

    def lost(self, ended: str, detail: str = "") -> Node:
        """The record where there is none."""


class Calls:
    """One part's calls and queries; ``plan`` is ``checks.plan.PartPlan`` as data.

    ``private`` are descriptors that no copy of the kernel may have.
    """

    def __init__(self, plan: Mapping[str, Any], private: tuple[int, ...]) -> None:
        self._plans = [*plan.get("calls", ()), *plan.get("queries", ())]
        self._private = private

    def __bool__(self) -> bool:
        return bool(self._plans)

    def make(self, space: dict[str, Any], send: Send) -> None:
        """Make them all; ``send`` gets the rest of a frame's header and its arrays, several times: the last
        one holds everything.
        """
        frame = _Frame(send, [plan["key"] for plan in self._plans])
        frame.send()  # takes the place of what an earlier check of the part has left
        for plan in self._plans:
            self._make_check(plan, space, frame)
        frame.send()

    def _make_check(self, plan: Mapping[str, Any], space: dict[str, Any], frame: _Frame) -> None:
        units = list(_units(plan))
        own = plan.get("process", "own") == "own" and can_fork()
        records = (
            _in_copies(units, space, frame.arrays, self._private)
            if own
            else _here(units, space, frame.arrays)
        )
        limits = 0
        for unit, record in zip(units, records, strict=True):
            frame.add(plan["key"], unit, record)
            limits += _TIME_LIMIT in record.text
            frame.send_if_due(now=not own)
            if limits >= MAX_TIME_LIMITS:
                break
        records.close()
        for unit in units[frame.count(plan["key"]) :]:
            frame.add(plan["key"], unit, _record(unit.lost("not_made")))


def _units(plan: Mapping[str, Any]) -> Iterator[Unit]:
    if "databases" in plan:
        yield from (QueryUnit(plan, database) for database in plan["databases"])
        return
    for case in plan["cases"]:
        for repeat in range(case["repeats"]):
            yield CaseUnit(case, repeat, arguments=plan["arguments"])


def _in_copies(
    units: list[Unit], space: dict[str, Any], base: Callable[[], int], private: tuple[int, ...]
) -> Outcomes:
    """Each unit's record, from as many copies of the kernel as it takes."""
    copy: Copy | None = None
    try:
        for number, unit in enumerate(units):
            if copy is None:
                # The copy takes over the list and the count as they are now.
                rest, arrays = units[number:], base()
                try:
                    copy = Copy(partial(_records, rest, space, arrays), private)
                except OSError:  # the notebook has used up its processes
                    yield from _here(rest, space, base)
                    return
            found = copy.next(unit.seconds + GRACE)
            if isinstance(found, Lost):
                copy = None
                found = _record(unit.lost(found.ended, found.detail))
            yield found
    finally:
        if copy is not None:
            copy.close()


def _here(units: list[Unit], space: dict[str, Any], base: Callable[[], int]) -> Outcomes:
    """The same in the kernel itself."""
    for unit in units:
        yield from _records([unit], space, base())


def _records(units: list[Unit], space: dict[str, Any], base: int) -> Iterator[Record]:
    """Make the units; arrays are numbered from ``base``, as one frame takes them all."""
    for unit in units:
        taker = NumberedTaker(base)
        record = Record(written(_made(unit, space, taker)).encode("ascii"), taker.blobs)
        if len(record.text) > MAX_RECORD:
            record = _record(unit.lost("too_large"))
        base += len(record.blobs)
        yield record


def _made(unit: Unit, space: dict[str, Any], taker: Taker) -> Node:
    """The unit's record; a failure that is none of the student's code is recorded as the grader's own."""
    try:
        return unit.run(space, taker)
    except Exception as error:  # noqa: BLE001 - the judge makes it "unjudged", never a wrong answer
        return unit.lost("failed", clean(f"{type(error).__name__}: {error}"[:300]))


def _record(node: Node) -> Record:
    return Record(written(node).encode("ascii"), [])


def join(label: Label, body: str, blobs: list[bytes]) -> bytes:
    """A frame (see ``frame``) out of its label, the rest of its header as JSON, and the arrays' bytes."""
    header = f"{written(label)[:-1]}, {body[1:]}".encode("ascii")  # one object out of two
    return _PREFIX.pack(_MAGIC, len(header)) + header + b"".join(blobs)


class NumberedTaker(Taker):
    """Takes values for a frame that has ``base`` arrays already."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self._base = base

    def blob(self, data: bytes) -> int:
        """Keep the bytes of an array; their number in the frame."""
        return self._base + super().blob(data)


class _Frame:
    """The records so far, as the rest of a frame's header and its arrays."""

    def __init__(self, send: Send, keys: list[str]) -> None:
        self._send = send
        self._records: dict[str, list[bytes]] = {key: [] for key in keys}
        self._blobs: list[bytes] = []
        self._text_size = self._byte_size = 0
        self._sent = _clock()

    def arrays(self) -> int:
        """How many arrays there are."""
        return len(self._blobs)

    def count(self, key: str) -> int:
        """How many records of a plan there are."""
        return len(self._records[key])

    def add(self, key: str, unit: Unit, record: Record) -> None:
        """Keep a record; of one that does not fit any more, only its name and its arrays' numbers."""
        size = sum(map(len, record.blobs))
        if self._text_size + len(record.text) > _MAX_TEXT or self._byte_size + size > _MAX_BYTES:
            size, record = 0, Record(_record(unit.lost("too_large")).text, [b""] * len(record.blobs))
        self._text_size += len(record.text) + 2
        self._byte_size += size
        self._records[key].append(record.text)
        self._blobs += record.blobs

    def send_if_due(self, *, now: bool) -> None:
        """Send what there is, unless that was done a moment ago."""
        if now or _clock() - self._sent > _SEND_AFTER:
            self.send()

    def send(self) -> None:
        """Send what there is."""
        values = ", ".join(f"{written(key)}: {_listed(texts)}" for key, texts in self._records.items())
        lengths = written([len(blob) for blob in self._blobs])
        self._send(f'{{"values": {{{values}}}, "blobs": {lengths}}}', self._blobs)
        self._sent = _clock()


def _listed(texts: list[bytes]) -> str:
    items = b", ".join(texts).decode("ascii", "replace")
    return f'{{"t": "seq", "items": [{items}]}}'
