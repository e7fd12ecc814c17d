"""One frame: the values that a sandbox took at one moment, as bytes that nobody has to trust.

Layout: the magic ``EVF1``, the header's length (unsigned 32 bit, little-endian), the header (JSON, UTF-8),
then the array payloads one after the other. The header's ``blobs`` gives their lengths; an array refers to
one by its number, and no two refer to the same.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from checks.evidence import values
from checks.evidence.arrays import DTYPES, Ends, Payload

MAGIC = b"EVF1"
PREFIX = struct.Struct("<4sI")
MAX_HEADER = 8 << 20
MAX_DEPTH = 200
MAX_TEXTS = 500_000
Trigger = Literal["check", "bound", "end"]


class BadFrameError(ValueError):
    """The bytes are no frame: a student's code wrote them, or ours is broken. Never a verdict by itself."""


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values by variable name; ``missing`` are the watched names that nothing was bound to.

    ``run`` counts the code cells executed so far (from 1), as the kernel saw it.
    """

    part: str
    trigger: Trigger
    run: int
    values: dict[str, values.AnyNode]
    missing: tuple[str, ...] = ()
    blobs: tuple[int, ...] = ()
    seed: int | None = None


def decode_frame(raw: bytes) -> Frame:
    """Check every claim of the bytes and return the frame; raises BadFrameError saying which one is false."""
    if len(raw) < PREFIX.size:
        raise BadFrameError("the frame is shorter than its prefix")
    magic, length = PREFIX.unpack_from(raw)
    if magic != MAGIC:
        raise BadFrameError("the frame does not begin with its magic")
    if length > MAX_HEADER or PREFIX.size + length > len(raw):
        raise BadFrameError(f"a header of {length} bytes does not fit")
    header = raw[PREFIX.size : PREFIX.size + length]
    _check_depth(header)
    try:
        outline = _outline.decode(header)
        payloads = _split(raw, PREFIX.size + length, outline.blobs)
        named = msgspec.json.Decoder(_Values, dec_hook=_payload_hook(payloads)).decode(outline.values)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise BadFrameError(f"the header is not evidence: {error}") from error
    return Frame(
        part=outline.part,
        trigger=outline.trigger,
        run=outline.run,
        values=named,
        missing=outline.missing,
        blobs=outline.blobs,
        seed=outline.seed,
    )


def encode_frame(part: str, trigger: Trigger, run: int, named: Mapping[str, values.AnyNode]) -> bytes:
    """The bytes of a frame (for tests and tools; the sandbox has its own writer)."""
    blobs: list[bytes] = []

    def keep(thing: object) -> object:
        if isinstance(thing, Payload):
            blobs.append(thing.raw)
            return len(blobs) - 1
        raise TypeError(f"no evidence: {type(thing).__name__}")

    body = json.loads(msgspec.json.Encoder(enc_hook=keep).encode(dict(named)))
    header = msgspec.json.encode(
        {"part": part, "trigger": trigger, "run": run, "values": body, "blobs": [len(blob) for blob in blobs]}
    )
    return PREFIX.pack(MAGIC, len(header)) + header + b"".join(blobs)


def array_node(data: np.ndarray[Any, Any]) -> values.Array:
    """The node of a plain numeric array (for tests and tools)."""
    name = data.dtype.name
    if name not in DTYPES:
        raise ValueError(f"unknown dtype {name!r}")
    raw = np.ascontiguousarray(data, dtype=DTYPES[name]).tobytes()
    return values.Array(dtype=name, shape=data.shape, data=Payload(raw))


class _Outline(msgspec.Struct, forbid_unknown_fields=True):
    """A frame whose values have been passed over: their payloads' lengths may come after them."""

    part: str
    trigger: Trigger
    run: int
    values: msgspec.Raw
    missing: tuple[str, ...] = ()
    blobs: tuple[int, ...] = ()
    seed: int | None = None


_Values = dict[str, values.AnyNode]
_outline = msgspec.json.Decoder(_Outline)


def _split(raw: bytes, start: int, lengths: tuple[int, ...]) -> list[bytes]:
    if any(length < 0 for length in lengths) or start + sum(lengths) != len(raw):
        raise BadFrameError("the payloads' lengths do not add up to the frame's")
    payloads = []
    for length in lengths:
        payloads.append(raw[start : start + length])
        start += length
    return payloads


def _payload_hook(payloads: list[bytes]) -> Any:
    """Gives each payload out once: a header that refers to one a thousand times would multiply the work."""
    left: list[bytes | None] = list(payloads)
    texts = 0

    def hook(kind: type, number: Any) -> Payload:
        nonlocal texts
        if kind not in (Payload, Ends) or type(number) is not int or not 0 <= number < len(left):
            raise ValueError(f"no payload {number!r}")
        raw, left[number] = left[number], None
        if raw is None:
            raise ValueError(f"the payload {number} twice")
        if kind is Ends:
            texts += len(raw) // 4
            if texts > MAX_TEXTS:
                raise ValueError(f"more than {MAX_TEXTS} texts")
            return Ends(raw)
        return Payload(raw)

    return hook


_OTHERS = bytes(set(range(256)) - set(b'[{]}"'))
_TEXT = re.compile(rb'"[^"]*"?')
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1
_CHUNK = 1 << 16


def _check_depth(header: bytes) -> None:
    """Refuse deep nesting before a decoder recurses: count the brackets outside texts, a chunk at a time."""
    plain = header
    if b'\\"' in header:  # else every quotation mark opens or closes a text
        plain = header.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = plain.translate(None, _OTHERS).replace(b'""', b"")
    if marks.count(b"[") + marks.count(b"{") <= MAX_DEPTH:
        return  # too few to be deep, wherever they stand
    marks, depth = _TEXT.sub(b"", marks), 0
    for start in range(0, len(marks), _CHUNK):
        chunk = np.frombuffer(marks, dtype=np.uint8, count=min(_CHUNK, len(marks) - start), offset=start)
        depths = depth + np.cumsum(_STEPS[chunk], dtype=np.int32)
        depth = int(depths[-1])
        if depths.max() > MAX_DEPTH:
            raise BadFrameError(f"the header is nested deeper than {MAX_DEPTH}")
