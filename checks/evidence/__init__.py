"""Evidence: inert values and the record of a run. What the judge reads, and all that it reads."""

from checks.evidence.frame import BadFrameError, Frame, Trigger, array_node, decode_frame, encode_frame
from checks.evidence.record import CellError, CellRun, Evidence, Run, RunStatus, Snapshot, digest
from checks.evidence.values import AnyNode

__all__ = [
    "AnyNode",
    "BadFrameError",
    "CellError",
    "CellRun",
    "Evidence",
    "Frame",
    "Run",
    "RunStatus",
    "Snapshot",
    "Trigger",
    "array_node",
    "decode_frame",
    "digest",
    "encode_frame",
]
