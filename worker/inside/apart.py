"""A process of its own for a check's calls: a copy of the kernel as it is at this moment.

What the calls do (change variables, patch modules, never return, end their process) happens to the copy. The
copy must not use what it inherited: the kernel's sockets belong to threads that it does not have.

Messages from the copy, each the record of one unit: the lengths of the record and of its arrays (unsigned 32
bit, little-endian, how many arrays first), then the bytes.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import time
import traceback
import warnings
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ipykernel.iostream import IOPubThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GRACE = 1.0  # seconds for the copy to notice by itself that a call takes too long, and to record its result
MAX_RECORD = 4 << 20
_MAX_BLOBS = 1 << 16
_MAX_BYTES = 32 << 20
_HEAD = struct.Struct("<II")
_fork, _exit, _read, _write, _close, _pipe = os.fork, os._exit, os.read, os.write, os.close, os.pipe
_kill, _killpg, _setpgid, _waitpid = os.kill, os.killpg, os.setpgid, os.waitpid
_select, _clock, _KILL = select.select, time.monotonic, signal.SIGKILL


class Record(NamedTuple):
    """A unit's record: a node as JSON, and the bytes of its arrays."""

    text: bytes
    blobs: list[bytes]


class Lost(NamedTuple):
    """Why there is no record: ``time_limit``, ``exited`` or ``too_large``, and how for people."""

    ended: str
    detail: str


def can_fork() -> bool:
    """Whether a copy of this process would work: TensorFlow's threads, once started, are not copied."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context = getattr(module, "_context", None)
    return getattr(context, "_context_handle", None) is None


class Copy:
    """A forked copy that sends what ``records`` gives, one by one.

    ``private`` are descriptors that it must not have. Raises OSError where there can be no further process.
    """

    def __init__(self, records: Callable[[], Iterable[Record]], private: Iterable[int]) -> None:
        self._fd, writing = _pipe()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # newer Pythons warn that threads are not copied: they are not used
            self._pid = _fork()
        if self._pid == 0:
            _close(self._fd)
            _be_copy(records, writing, private)
        _close(writing)
        self._alive = True

    def next(self, seconds: float) -> Record | Lost:
        """The next record; where no whole one comes within ``seconds``, the copy is ended."""
        deadline = _clock() + seconds
        head = self._receive(_HEAD.size, deadline)
        if isinstance(head, Lost):
            return self._ended(head)
        length, count = _HEAD.unpack(head)
        if length > MAX_RECORD or count > _MAX_BLOBS:
            return self._ended(Lost("too_large", ""))
        lengths = self._receive(4 * count, deadline)
        if isinstance(lengths, Lost):
            return self._ended(lengths)
        sizes = struct.unpack(f"<{count}I", lengths)
        if sum(sizes) > _MAX_BYTES:
            return self._ended(Lost("too_large", ""))
        body = self._receive(length + sum(sizes), deadline)
        return (
            self._ended(body)
            if isinstance(body, Lost)
            else Record(body[:length], _split(body[length:], sizes))
        )

    def close(self) -> str:
        """End the copy and all that it started; how it ended."""
        if not self._alive:
            return ""
        self._alive = False
        _close(self._fd)
        ended = _reaped(self._pid, os.WNOHANG)
        for kill, target in ((_killpg, self._pid), (_kill, self._pid)):
            try:
                kill(target, _KILL)
            except OSError:
                continue
        return ended or _reaped(self._pid, 0) or "killed"

    def _ended(self, lost: Lost) -> Lost:
        """Close; where the copy ended by itself, with the way it ended."""
        if lost.ended == "exited":
            _wait_briefly(self._pid)
        how = self.close()
        return Lost(lost.ended, how) if lost.ended == "exited" else lost

    def _receive(self, length: int, deadline: float) -> bytes | Lost:
        parts, missing = [], length
        while missing:
            left = deadline - _clock()
            if left <= 0 or not _select([self._fd], [], [], left)[0]:
                return Lost("time_limit", "")
            chunk = _read(self._fd, min(missing, 1 << 20))
            if not chunk:
                return Lost("exited", "")
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)


def _be_copy(records: Callable[[], Iterable[Record]], writing: int, private: Iterable[int]) -> NoReturn:
    """Send every record, then end; never returns, whatever happens."""
    try:
        _setpgid(0, 0)
        for fd in private:
            _close(fd)
        # Everything that the kernel shows goes through this method, and would reach its parent's socket.
        IOPubThread.schedule = lambda _self, _function: None  # type: ignore[method-assign]
        for record in records():
            _send(writing, record)
    except BaseException:  # noqa: BLE001 - a forked copy: nothing may unwind into the kernel's frames
        traceback.print_exc()
    finally:
        _exit(0)


def _send(fd: int, record: Record) -> None:
    sizes = [len(blob) for blob in record.blobs]
    head = _HEAD.pack(len(record.text), len(sizes)) + struct.pack(f"<{len(sizes)}I", *sizes)
    view = memoryview(b"".join([head, record.text, *record.blobs]))
    while view:
        view = view[_write(fd, view) :]


def _split(raw: bytes, sizes: Iterable[int]) -> list[bytes]:
    parts, start = [], 0
    for size in sizes:
        parts.append(raw[start : start + size])
        start += size
    return parts


def _wait_briefly(pid: int) -> None:
    """The pipe's end comes a moment before the process's."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:  # it is gone already
        return
    try:
        _select([fd], [], [], GRACE)
    finally:
        _close(fd)


def _reaped(pid: int, options: int) -> str:
    """How the process ended; empty where it has not, or somebody else asked first."""
    try:
        found, status = _waitpid(pid, options)
    except ChildProcessError:
        return ""
    if found == 0:
        return ""
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit code {code}"
