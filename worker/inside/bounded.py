"""Calls a student's code: within a time limit, its output caught, whatever it raises turned into a record."""

from __future__ import annotations

import io
import linecache
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from .values import ancestry, class_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from .values import Node

MAX_PRINTED = 1 << 16
_MAX_TEXT = 2000
_AGAIN = 0.2  # seconds until code that has caught the interruption gets it again
_clock = time.perf_counter
_setitimer, _signal, _ALARM, _REAL = signal.setitimer, signal.signal, signal.SIGALRM, signal.ITIMER_REAL
_getline = linecache.getline
_traceback = BaseException.__dict__["__traceback__"].__get__
_main, _current = threading.main_thread, threading.current_thread


class TimeIsUpError(BaseException):
    """Raised inside a student's code that runs too long; no ordinary ``except`` takes it."""


class Ending(NamedTuple):
    """How it went: ``value`` where it ``returned``, ``error`` where it ``raised``, seconds in any case."""

    ended: str
    seconds: float
    value: Any = None
    error: BaseException | None = None


class Printed(io.TextIOBase):
    """Keeps the beginning of what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[str] = []
        self._left = MAX_PRINTED

    def write(self, text: str) -> int:
        """Keep the text while there is room."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._left > 0:
            self._kept.append(text[: self._left])
            self._left -= len(text)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def take(self) -> str:
        """What was written since the last time."""
        text, self._kept = "".join(self._kept), []
        return clean(text)


@contextmanager
def caught(printed: Printed) -> Generator[None]:
    """Standard output goes to ``printed``, standard error nowhere."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = printed, Printed()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def attempt(function: Callable[[], Any], seconds: float) -> Ending:
    """Call ``function``, interrupting it after ``seconds``; raises nothing.

    Code that takes no interruption (a loop inside a C library, ``except BaseException``) runs on: where the
    call has a process of its own, the parent kills that.
    """
    alarm = _Alarm(seconds)
    started = _clock()
    try:
        alarm.set()
        try:
            value = function()
        finally:
            alarm.on = False
        return Ending("returned", _clock() - started, value)
    except TimeIsUpError:
        return Ending("time_limit", _clock() - started)
    except BaseException as error:  # noqa: BLE001 - a student's code may raise anything, SystemExit too
        return Ending("raised", _clock() - started, error=error)
    finally:
        alarm.clear()


class _Alarm:
    """Signals reach the main thread alone; elsewhere there is no alarm, and the cell's own limit holds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = max(seconds, 0.001)
        self._usable = _current() is _main()
        self.on = False

    def set(self) -> None:
        if self._usable:
            self.on = True
            _signal(_ALARM, self._ring)
            _setitimer(_REAL, self._seconds, _AGAIN)

    def clear(self) -> None:
        self.on = False
        if self._usable:
            _setitimer(_REAL, 0.0)

    def _ring(self, _number: int, _frame: object) -> None:
        if self.on:
            raise TimeIsUpError


def raised(error: BaseException, space: dict[str, Any]) -> Node:
    """The record of an exception (``checks.evidence.values.Raised``), with its line in its cell."""
    names = [class_name(kind) for kind in ancestry(error)]
    node: Node = {"cls": names[0], "bases": names[1:-1], "message": _message(error)}
    place = _own_place(_traceback(error), space)
    if place is not None:
        node["line"] = place[1]
        node["source"] = clean(_getline(*place).strip()[:200])
    return node


def reached_own_code(error: BaseException, ours: object) -> bool:
    """Whether anything but our own calling code lies on the exception's way; ``ours`` is that code."""
    trace = _traceback(error)
    return any(frame.tb_frame.f_code is not ours for frame in _frames(trace)[1:])


def clean(text: str) -> str:
    """The text as it can travel: halves of surrogate pairs are replaced."""
    return str.encode(text, "utf-8", "replace").decode("utf-8")


def _message(error: BaseException) -> str:
    text = attempt(lambda: str(error), 1.0).value
    return clean(text[:_MAX_TEXT]) if type(text) is str else ""


def _own_place(trace: TracebackType | None, space: dict[str, Any]) -> tuple[str, int] | None:
    """File and line of the innermost frame that is the notebook's own code."""
    own = [each for each in _frames(trace) if each.tb_frame.f_globals is space]
    return (own[-1].tb_frame.f_code.co_filename, own[-1].tb_lineno) if own else None


def _frames(trace: TracebackType | None) -> list[TracebackType]:
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found
