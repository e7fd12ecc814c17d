"""Raw array payloads: bytes that become an array only after every claim about them has been checked."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

# Looked up, never parsed: ``np.dtype(text)`` accepts object, void and structured dtypes.
DTYPES: dict[str, np.dtype[np.generic]] = {
    "bool": np.dtype("?"),
    **{name: np.dtype(name).newbyteorder("<") for name in (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex64", "complex128",
    )},
    **{f"datetime64[{unit}]": np.dtype(f"<M8[{unit}]") for unit in ("ns", "us", "ms", "s", "D")},
    **{f"timedelta64[{unit}]": np.dtype(f"<m8[{unit}]") for unit in ("ns", "us", "ms", "s", "D")},
}  # fmt: skip
ITEM_DTYPES = frozenset({"str", "bytes", "object"})


class Payload:
    """The bytes of one array inside a frame."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def array(self, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
        """A read-only array over the bytes; raises ValueError unless dtype, shape and length agree."""
        known = DTYPES.get(dtype)
        if known is None:
            raise ValueError(f"unknown dtype {dtype!r}")
        if any(length < 0 for length in shape) or len(shape) > 32:  # numpy 1's limit of dimensions
            raise ValueError(f"impossible shape {shape}")
        if math.prod(shape) * known.itemsize != len(self.raw):
            raise ValueError(f"{len(self.raw)} bytes are no {dtype} array of shape {shape}")
        return np.frombuffer(self.raw, dtype=known).reshape(shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Payload({len(self.raw)} bytes)"


class Ends(Payload):
    """The bytes of a list of places: unsigned 32 bit, little-endian."""

    __slots__ = ()

    def places(self) -> npt.NDArray[np.uint32]:
        """The places as a read-only array; raises ValueError unless they are 4 bytes each."""
        if len(self.raw) % 4:
            raise ValueError(f"{len(self.raw)} bytes are no places")
        return np.frombuffer(self.raw, dtype="<u4")
