"""The children that stand by: forked ahead, each for one submission that is yet to come."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from . import kernel, session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_QUIET_SECONDS = 0.3  # so long after a submission came, its kernel has the processors for itself
_IDLE_SECONDS = 1.0
_AFTER_A_DEATH_SECONDS = 2.0
_INITIALISING_SECONDS = 20.0  # usually a tenth of one; who takes longer hangs, and nobody waits for it


class Child:
    """One that stands by: the way to it, since when, and whether its kernel has said that it is ready."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.since = time.monotonic()
        self.is_ready = False

    def hear(self) -> bool:
        """Read what it says; False where that is its end."""
        self.is_ready = self.control.recv(1) == kernel.READY
        return self.is_ready

    def hangs(self) -> bool:
        """Whether it should long have been ready."""
        return not self.is_ready and time.monotonic() - self.since > _INITIALISING_SECONDS


class Standby:
    """Up to ``wanted`` children. ``private``: descriptors of the server that no child may hold.

    Iterating gives what becomes readable when a child is ready, and when it dies.
    """

    def __init__(self, wanted: int, label: str, program: bytes, private: Collection[int]) -> None:
        self._wanted, self._label, self._program = wanted, label, program
        self._private = tuple(private)
        self._children: list[Child] = []
        self._not_before = 0.0

    def __iter__(self) -> Iterator[socket.socket]:
        return iter([child.control for child in self._children])

    def patience(self) -> float:
        """For how many seconds there is nothing to do here."""
        if len(self._children) >= self._wanted:
            return _IDLE_SECONDS
        return min(max(self._not_before - time.monotonic(), 0.0), _IDLE_SECONDS)

    def refill(self) -> None:
        """Fork one child if one is missing and the moment is right; the next one at the next call."""
        if len(self._children) < self._wanted and time.monotonic() >= self._not_before:
            self._children.append(Child(self._fork()))

    def hand_over(self, connection: socket.socket) -> None:
        """Give a submission's connection to a child: the first that is ready, or any, or a new one."""
        self._not_before = time.monotonic() + _QUIET_SECONDS
        while self._children:
            chosen = next((child for child in self._children if child.is_ready), self._children[0])
            self._children.remove(chosen)
            if _sent(chosen.control, connection):
                return
        _sent(self._fork(connection.fileno()), connection)

    def listen(self, readable: Collection[object]) -> None:
        """Hear who is ready, and dismiss those that have died or hang."""
        for child in tuple(self._children):
            if (child.control in readable and not child.hear()) or child.hangs():
                self._children.remove(child)
                child.control.close()
                self._not_before = time.monotonic() + _AFTER_A_DEATH_SECONDS  # and do not fork in a circle

    def dismiss(self) -> None:
        """Let all who stand by end."""
        while self._children:
            self._children.pop().control.close()

    def _fork(self, *private: int) -> socket.socket:
        control, end = socket.socketpair()
        if os.fork() == 0:
            control.close()
            self.dismiss()
            for fd in (*self._private, *private):
                os.close(fd)
            session.run(end, self._label, self._program)
        end.close()
        return control


def _sent(control: socket.socket, connection: socket.socket) -> bool:
    """Whether the child behind ``control`` got the connection; not when it has died meanwhile."""
    with control:
        try:
            socket.send_fds(control, [b"c"], [connection.fileno()])
        except OSError:
            return False
        return True
