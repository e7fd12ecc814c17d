"""Reads the frames that a kernel sends, as they come, within bounds.

A pipe that nobody reads would stop the student's code, so a thread reads; what it keeps is the last frame of
each trigger a part, of the parts that were asked for: a notebook can write to the pipe, too, and names that
it invents would fill the memory. A frame beyond the bounds ends the reading: what came before stays.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from checks.evidence.frame import MAX_HEADER, PREFIX
from worker.errors import InfrastructureError

MAX_FRAME = 48 << 20
MAX_KEPT = 256 << 20


class FrameLabel(msgspec.Struct):
    """What a frame says of itself."""

    part: str
    trigger: Literal["check", "bound", "end"]
    run: int


class Collector:
    """Collects the frames of ``parts`` from ``fd`` until its end.

    ``arrived`` gets each kept frame's label, in the reading thread.
    """

    def __init__(
        self, fd: int, parts: Collection[str], arrived: Callable[[FrameLabel], None] | None = None
    ) -> None:
        self._fd = fd
        self._parts = frozenset(parts)
        self._arrived = arrived
        self._kept = 0
        self._stop_read, self._stop_write = os.pipe()
        self.frames: dict[tuple[str, str], tuple[FrameLabel, bytes]] = {}
        self.refused = ""
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def finish(self, seconds: float = 10.0) -> None:
        """Read what is still in the pipe and end: the kernel must be gone, or ``seconds`` pass.

        Raises InfrastructureError where the reading failed: frames may be missing, and that is our fault.
        """
        self._thread.join(seconds)
        os.write(self._stop_write, b"x")
        self._thread.join()
        os.close(self._stop_read)
        os.close(self._stop_write)
        if self._failure is not None:
            raise InfrastructureError(f"evidence could not be read: {self._failure!r}") from self._failure

    def _run(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # noqa: BLE001 - kept for finish(), in the thread that can act on it
            self._failure = error
            self._drain()

    def _read_all(self) -> None:
        while (head := self._read(4)) is not None:
            length = int.from_bytes(head, "little")
            if length > MAX_FRAME:
                self._refuse(f"a frame of {length} bytes")
                return
            frame = self._read(length)
            if frame is None:
                return
            if not self._keep(frame):
                self._refuse(f"a frame of {length} bytes beside {self._kept} that are kept")
                return

    def _refuse(self, why: str) -> None:
        self.refused = why
        self._drain()

    def _drain(self) -> None:
        """Throw the rest away, so that the sandbox does not wait for us."""
        while self._read_some(1 << 20):
            pass

    def _keep(self, frame: bytes) -> bool:
        """Keep a frame in place of the one before; False where there is no room for it."""
        label = read_label(frame)
        if label is None or label.part not in self._parts:
            self.refused = (
                "a frame that is none" if label is None else "a frame of a part that nobody asked for"
            )
            return True
        key = (label.part, label.trigger)
        replaced = len(self.frames[key][1]) if key in self.frames else 0
        if self._kept - replaced + len(frame) > MAX_KEPT:
            return False
        self._kept += len(frame) - replaced
        self.frames[key] = (label, frame)
        if self._arrived is not None:
            self._arrived(label)
        return True

    def _read(self, length: int) -> bytes | None:
        parts, missing = [], length
        while missing:
            chunk = self._read_some(min(missing, 1 << 20))
            if not chunk:
                return None
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def _read_some(self, length: int) -> bytes:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._stop_read, select.POLLIN)
        ready = {fd for fd, _ in poll.poll()}
        return os.read(self._fd, length) if self._fd in ready else b""


def read_label(frame: bytes) -> FrameLabel | None:
    """The label in a frame's header; None where the bytes are not a frame."""
    if len(frame) < PREFIX.size:
        return None
    _, length = PREFIX.unpack_from(frame)
    if length > MAX_HEADER:
        return None
    try:
        return msgspec.json.decode(memoryview(frame)[PREFIX.size : PREFIX.size + length], type=FrameLabel)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
