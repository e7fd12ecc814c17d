"""Writes frames: the magic ``EVF1``, the header's length, the header as JSON, then the arrays' bytes."""

from __future__ import annotations

import struct
from hashlib import blake2b as _digest
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from .guard import no_collection, own_builtins
from .values import Taker
from .writing import taken, written

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAGIC = b"EVF1"
_PREFIX = struct.Struct("<4sI")
_MAX_BODY = (8 << 20) - 4096  # the decoder takes headers of 8 MiB, label included


class Label(TypedDict):
    """Which values a frame holds: those of ``part``, taken because of ``trigger`` in the ``run``-th cell."""

    part: str
    trigger: str
    run: int
    seed: int


class Encoded(NamedTuple):
    """A frame's bytes, and a digest of the values alone: equal digests, equal values."""

    data: bytes
    content: bytes


def encode(label: Label, names: Iterable[str], space: dict[str, Any]) -> Encoded:
    """The frame of ``names`` as they are bound in the namespace ``space``."""
    with own_builtins(), no_collection():
        bound = {name: dict.__getitem__(space, name) for name in names if dict.__contains__(space, name)}
        taker = Taker()
        values = _fitting({name: written(taken(taker, value)) for name, value in bound.items()})
        missing = [name for name in names if name not in bound]
        parts = [f"{written(name)}:{text}" for name, text in values.items()]
        lengths = [len(blob) for blob in taker.blobs]
        body = f'"values":{{{",".join(parts)}}},"missing":{written(missing)},"blobs":{written(lengths)}}}'
        header = f"{written(label)[:-1]},{body}".encode("ascii")  # one object out of two
        payloads = b"".join(taker.blobs)
        content = _digest(body.encode("ascii") + payloads).digest()
        return Encoded(_PREFIX.pack(_MAGIC, len(header)) + header + payloads, content)


def _fitting(values: dict[str, str]) -> dict[str, str]:
    """The values' texts, the largest of them given up where they are too large together."""
    room = _MAX_BODY - sum(len(name) * 12 + 8 for name in values)
    for name in sorted(values, key=lambda name: len(values[name]), reverse=True):
        if sum(map(len, values.values())) <= room:
            break
        values[name] = written({"t": "broken", "why": "the value is too large to keep"})
    return values
