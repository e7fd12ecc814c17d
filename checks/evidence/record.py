"""Everything that one attempt left behind, as one immutable, content-addressed record."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Literal

import msgspec

from checks.evidence.frame import Frame, Trigger, decode_frame

RunStatus = Literal[
    "completed",
    "cell_error",
    "time_limit",
    "out_of_memory",
    "output_limit",
    "kernel_died",
    "rejected",
    "system_error",
]
CellStatus = Literal["ok", "error", "stopped", "not_run"]


class CellError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The exception that ended a cell: class name, text (cut), line in the cell (from 1; None: not known)."""

    name: str
    message: str
    line: int | None = None


class CellRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code cell. ``index`` counts all cells from 0; ``stopped``: the run's ending hit it."""

    index: int
    source: str
    status: CellStatus
    seconds: float = 0.0
    error: CellError | None = None


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part's values as taken at one moment; ``cell`` is the notebook index of the cell that was running."""

    part: str
    trigger: Trigger
    cell: int | None
    frame: bytes

    def decode(self) -> Frame:
        """The values; raises BadFrameError."""
        return decode_frame(self.frame)

    def decode_shared(self) -> Frame:
        """As :meth:`decode`, but remembered: a whole class is judged against the reference's frames."""
        return _remembered(self.frame)


@lru_cache(maxsize=32)
def _remembered(frame: bytes) -> Frame:
    return decode_frame(frame)


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the run went: ``seconds`` of wall time, ``detail`` for people (which limit, which reason)."""

    status: RunStatus
    seconds: float
    environment: str
    memory_limit: str
    detail: str = ""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attempt's record. ``assignment`` is the digest of the bundle whose variables were watched.

    ``snapshots`` holds at most one of each trigger a part: the last ``check``, the last ``bound``, the
    ``end``.
    """

    notebook: str
    assignment: str
    run: Run
    cells: tuple[CellRun, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    schema: Literal["evidence/1"] = "evidence/1"

    def to_bytes(self) -> bytes:
        """The record's one spelling (MessagePack): equal records have equal bytes."""
        return msgspec.msgpack.encode(self, order="deterministic")

    @classmethod
    def from_bytes(cls, raw: bytes) -> Evidence:
        """The record again; raises msgspec.DecodeError on anything else."""
        return msgspec.msgpack.decode(raw, type=cls)


def digest(raw: bytes) -> str:
    """``sha256:`` and the hexadecimal digest: how every blob is named."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()
