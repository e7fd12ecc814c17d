"""Writes frames: the magic ``EVF1``, the header's length, the header as JSON, then the arrays' bytes."""

import struct
from json import JSONEncoder

from .values import Taker

_MAGIC = b"EVF1"
_PREFIX = struct.Struct("<4sI")
_MAX_HEADER = 8 << 20
_encode = JSONEncoder(ensure_ascii=True, allow_nan=False, check_circular=False).encode


def encode(part, trigger, run, names, space, seed):
    """The frame of ``names`` as they are bound in the namespace ``space``."""
    taker = Taker()
    values, missing = {}, []
    for name in names:
        if dict.__contains__(space, name):
            values[name] = taker.take(dict.__getitem__(space, name))
        else:
            missing.append(name)
    header = _header(part, trigger, run, values, missing, taker, seed)
    if len(header) > _MAX_HEADER:
        taker = Taker()
        values = {name: {"t": "broken", "why": "the values are too large to keep"} for name in values}
        header = _header(part, trigger, run, values, missing, taker, seed)
    return _PREFIX.pack(_MAGIC, len(header)) + header + b"".join(taker.blobs)


def _header(part, trigger, run, values, missing, taker, seed):
    return _encode({
        "part": part, "trigger": trigger, "run": run, "values": values, "missing": missing,
        "blobs": [len(blob) for blob in taker.blobs], "seed": seed,
    }).encode("ascii")  # fmt: skip
