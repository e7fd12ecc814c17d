"""Writes frames: the magic ``EVF1``, the header's length, the header as JSON, then the arrays' bytes."""

from __future__ import annotations

import struct
from _json import make_encoder as _make_encoder
from hashlib import blake2b as _digest
from json.encoder import encode_basestring_ascii as _spell
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypedDict

from .guard import deadline, no_collection, own_builtins
from .values import Taker, TooLongError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .values import Node

_MAGIC = b"EVF1"
_PREFIX = struct.Struct("<4sI")
_MAX_BODY = (8 << 20) - 4096  # the decoder takes headers of 8 MiB, label included
_SECONDS = 10.0  # for one value; a student's method that does not return shall not cost the notebook's time
_join = "".join


def _refuse(thing: object) -> NoReturn:
    raise TypeError(f"no part of a node: {type(thing)}")


# The machinery of ``json`` itself, without its methods, which a notebook can replace.
_chunks: Any = _make_encoder(None, _refuse, _spell, None, ":", ",", False, False, False)


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
        values = _fitting({name: _json(_take(taker, value)) for name, value in bound.items()})
        missing = [name for name in names if name not in bound]
        parts = [f"{_spell(name)}:{text}" for name, text in values.items()]
        lengths = [len(blob) for blob in taker.blobs]
        body = f'"values":{{{",".join(parts)}}},"missing":{_json(missing)},"blobs":{_json(lengths)}}}'
        header = f"{_json(label)[:-1]},{body}".encode("ascii")  # one object out of two
        payloads = b"".join(taker.blobs)
        content = _digest(body.encode("ascii") + payloads).digest()
        return Encoded(_PREFIX.pack(_MAGIC, len(header)) + header + payloads, content)


def _take(taker: Taker, value: object) -> Node:
    """The value's node; ``broken`` where a method of the student's would keep us for too long."""
    try:
        with deadline(_SECONDS, TooLongError):
            return taker.take(value)
    except TooLongError:  # in the instant after the value was taken
        return {"t": "broken", "why": "reading it takes too long"}


def _fitting(values: dict[str, str]) -> dict[str, str]:
    """The values' texts, the largest of them given up where they are too large together."""
    room = _MAX_BODY - sum(len(name) * 12 + 8 for name in values)
    for name in sorted(values, key=lambda name: len(values[name]), reverse=True):
        if sum(map(len, values.values())) <= room:
            break
        values[name] = _json({"t": "broken", "why": "the value is too large to keep"})
    return values


def _json(thing: object) -> str:
    return _join(_chunks(thing, 0))
