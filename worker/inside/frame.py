"""Writes frames: the magic ``EVF1``, the header's length, the header as JSON, then the arrays' bytes."""

from __future__ import annotations

import struct
from hashlib import blake2b as _digest
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from .values import Taker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .values import Node

_MAGIC = b"EVF1"
_PREFIX = struct.Struct("<4sI")
_MAX_BODY = (8 << 20) - 4096  # the decoder takes headers of 8 MiB, label included
_encode = JSONEncoder(ensure_ascii=True, allow_nan=False, check_circular=False).encode


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
    taker = Taker()
    values: dict[str, Node] = {}
    missing = []
    for name in names:
        if dict.__contains__(space, name):
            values[name] = taker.take(dict.__getitem__(space, name))
        else:
            missing.append(name)
    body = _body(values, missing, taker)
    if len(body) > _MAX_BODY:
        taker = Taker()
        values = {name: {"t": "broken", "why": "the values are too large to keep"} for name in values}
        body = _body(values, missing, taker)
    header = (_encode(label)[:-1] + "," + body[1:]).encode("ascii")  # one object out of two
    payloads = b"".join(taker.blobs)
    content = _digest(body.encode("ascii") + payloads).digest()
    return Encoded(_PREFIX.pack(_MAGIC, len(header)) + header + payloads, content)


def _body(values: dict[str, Node], missing: list[str], taker: Taker) -> str:
    lengths = [len(blob) for blob in taker.blobs]
    return _encode({"values": values, "missing": missing, "blobs": lengths})
