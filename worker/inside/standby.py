"""The children that stand by: forked ahead, each for one submission that is yet to come."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from typing import TYPE_CHECKING

from . import session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_QUIET_SECONDS = 0.3  # so long after a submission came, its kernel has the processors for itself
_IDLE_SECONDS = 1.0
_AFTER_A_DEATH_SECONDS = 2.0


class Standby:
    """Up to ``wanted`` children. ``private``: descriptors of the server that no child may hold.

    Iterating gives what becomes readable when a child dies.
    """

    def __init__(self, wanted: int, label: str, program: bytes, private: Collection[int]) -> None:
        self._wanted, self._label, self._program = wanted, label, program
        self._private = tuple(private)
        self._controls: deque[socket.socket] = deque()
        self._not_before = 0.0

    def __iter__(self) -> Iterator[socket.socket]:
        return iter(tuple(self._controls))

    def patience(self) -> float:
        """For how many seconds there is nothing to do here."""
        if len(self._controls) >= self._wanted:
            return _IDLE_SECONDS
        return min(max(self._not_before - time.monotonic(), 0.0), _IDLE_SECONDS)

    def refill(self) -> None:
        """Fork one child if one is missing and the moment is right; the next one at the next call."""
        if len(self._controls) < self._wanted and time.monotonic() >= self._not_before:
            self._controls.append(self._fork())

    def hand_over(self, connection: socket.socket) -> None:
        """Give a submission's connection to the child that has stood by the longest, or to a new one."""
        self._not_before = time.monotonic() + _QUIET_SECONDS
        while self._controls:
            if _sent(self._controls.popleft(), connection):
                return
        _sent(self._fork(connection.fileno()), connection)

    def forget_the_dead(self, readable: Collection[object]) -> None:
        """A child that stands by says nothing; where its end can be read, it is gone."""
        for control in [each for each in self._controls if each in readable]:
            self._controls.remove(control)
            control.close()
            self._not_before = time.monotonic() + _AFTER_A_DEATH_SECONDS  # and do not fork in a circle

    def dismiss(self) -> None:
        """Let all who stand by end."""
        while self._controls:
            self._controls.popleft().close()

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
