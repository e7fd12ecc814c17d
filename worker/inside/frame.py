"""Writes frames: the magic ``EVF1``, the header's length, the header as JSON, then the arrays' bytes."""

from __future__ import annotations

import struct
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, TypedDict

from .values import Taker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .values import Node

_MAGIC = b"EVF1"
_PREFIX = struct.Struct("<4sI")
_MAX_HEADER = 8 << 20
_encode = JSONEncoder(ensure_ascii=True, allow_nan=False, check_circular=False).encode


class Label(TypedDict):
    """Which values a frame holds: those of ``part``, taken because of ``trigger`` in the ``run``-th cell."""

    part: str
    trigger: str
    run: int
    seed: int


def encode(label: Label, names: Iterable[str], space: dict[str, Any]) -> bytes:
    """The frame of ``names`` as they are bound in the namespace ``space``."""
    taker = Taker()
    values: dict[str, Node] = {}
    missing = []
    for name in names:
        if dict.__contains__(space, name):
            values[name] = taker.take(dict.__getitem__(space, name))
        else:
            missing.append(name)
    header = _header(label, values, missing, taker)
    if len(header) > _MAX_HEADER:
        taker = Taker()
        values = {name: {"t": "broken", "why": "the values are too large to keep"} for name in values}
        header = _header(label, values, missing, taker)
    return _PREFIX.pack(_MAGIC, len(header)) + header + b"".join(taker.blobs)


def _header(label: Label, values: dict[str, Node], missing: list[str], taker: Taker) -> bytes:
    lengths = [len(blob) for blob in taker.blobs]
    return _encode({**label, "values": values, "missing": missing, "blobs": lengths}).encode("ascii")
