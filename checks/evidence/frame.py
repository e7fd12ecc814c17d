"""One frame: the values that a sandbox took at one moment, as bytes that nobody has to trust.

Layout: the magic ``EVF1``, the header's length (unsigned 32 bit, little-endian), the header (JSON, UTF-8), then the
array payloads one after the other. The header's ``blobs`` gives their lengths; an array refers to one by its number.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from checks.evidence import values
from checks.evidence.arrays import DTYPES, ITEM_DTYPES, Payload

MAGIC = b"EVF1"
PREFIX = struct.Struct("<4sI")
MAX_HEADER = 8 << 20
MAX_DEPTH = 200
Trigger = Literal["check", "bound", "end"]


class BadFrameError(ValueError):
    """The bytes are not a frame: a student's code wrote them, or ours is broken. Never a verdict by itself."""


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
    payloads = _split(raw, PREFIX.size + length, header)
    try:
        frame = msgspec.json.Decoder(Frame, dec_hook=_payload_hook(payloads)).decode(header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrameError(f"the header is not evidence: {error}") from error
    for node in frame.values.values():
        _check_node(node)
    return frame


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


class _Blobs(msgspec.Struct):
    blobs: tuple[int, ...] = ()


def _split(raw: bytes, start: int, header: bytes) -> list[Payload]:
    try:
        lengths = msgspec.json.decode(header, type=_Blobs).blobs
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFrameError(f"the header is not evidence: {error}") from error
    if any(length < 0 for length in lengths) or start + sum(lengths) != len(raw):
        raise BadFrameError("the payloads' lengths do not add up to the frame's")
    payloads = []
    for length in lengths:
        payloads.append(Payload(raw[start : start + length]))
        start += length
    return payloads


def _payload_hook(payloads: list[Payload]) -> Any:
    def hook(kind: type, number: Any) -> Payload:
        if kind is not Payload or type(number) is not int or not 0 <= number < len(payloads):
            raise ValueError(f"no payload {number!r}")
        return payloads[number]

    return hook


_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1
_CHUNK = 1 << 16


def _check_depth(header: bytes) -> None:
    """Refuse deep nesting before any decoder recurses: count brackets outside texts, a chunk at a time."""
    plain = header.replace(b"\\\\", b"").replace(b'\\"', b"")  # then every quotation mark opens or closes a text
    depth = quotes = 0
    for start in range(0, len(plain), _CHUNK):
        chunk = np.frombuffer(plain, dtype=np.uint8, count=min(_CHUNK, len(plain) - start), offset=start)
        opened = quotes + np.cumsum(chunk == ord('"'))
        depths = depth + np.cumsum(np.where(opened % 2 == 0, _STEPS[chunk], 0))
        if depths.max() > MAX_DEPTH:
            raise BadFrameError(f"the header is nested deeper than {MAX_DEPTH}")
        depth, quotes = int(depths[-1]), int(opened[-1]) % 2


def _check_node(root: values.AnyNode) -> None:
    """Try every spelling once, so that no check meets a number that is none."""
    todo: list[Any] = [root]
    while todo:
        node = todo.pop()
        try:
            _check_spelling(node)
        except ValueError as error:
            raise BadFrameError(f"{type(node).__name__}: {error}") from error
        if isinstance(node, msgspec.Struct):
            todo.extend(getattr(node, field) for field in node.__struct_fields__)
        elif isinstance(node, tuple):
            todo.extend(node)
        elif isinstance(node, dict):
            todo.extend(node.values())


def _check_spelling(node: Any) -> None:
    match node:
        case values.Int() | values.Float() | values.Complex():
            _ = node.value
        case values.Array():
            _check_array(node)
        case values.Table() if any(column.values.shape != (_length(node.index),) for column in node.columns):
            raise ValueError("a column is not as long as the index")
        case values.Series() if node.values.shape != (_length(node.index),):
            raise ValueError("the values are not as many as the labels")


def _length(index: values.Index) -> int:
    lengths = {level.shape for level in index.levels}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise ValueError("the index's levels differ in length")
    return next(iter(lengths))[0]


def _check_array(node: values.Array) -> None:
    if (node.data is None) == (node.items is None):
        raise ValueError("an array has either data or items")
    if node.data is not None:
        node.data.array(node.dtype, node.shape)
    elif node.dtype not in ITEM_DTYPES:
        raise ValueError(f"items of dtype {node.dtype!r}")
    elif any(length < 0 for length in node.shape) or len(node.items or ()) != int(np.prod(node.shape, dtype=object)):
        raise ValueError("the items do not fill the shape")
    if node.mask is not None:
        node.mask.array("bool", node.shape)
