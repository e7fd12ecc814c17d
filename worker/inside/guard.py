"""What keeps a notebook's tricks away from the extraction: the built-in names as they were, no collection of
garbage (finalisers are the notebook's code, and nothing here makes garbage), and a deadline.

All are for the extraction only and leave no trace in the notebook: what it patched is patched again, and an
alarm of its own is set again.
"""

from __future__ import annotations

import builtins
import gc
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_names = builtins.__dict__
_BUILTINS = dict(_names)
_set_handler, _set_timer = signal.signal, signal.setitimer
_ALARM, _REAL, _DEFAULT = signal.SIGALRM, signal.ITIMER_REAL, signal.SIG_DFL
_AGAIN = 0.25
_collects, _stop_collecting, _collect_again = gc.isenabled, gc.disable, gc.enable
_absent = object()


@contextmanager
def own_builtins() -> Iterator[None]:
    """The built-in names as they were when this module was loaded, whatever a notebook made of them."""
    changed = {
        name: _names.get(name, _absent) for name, was in _BUILTINS.items() if _names.get(name) is not was
    }
    _names.update(_BUILTINS)
    try:
        yield
    finally:
        for name, now in changed.items():
            if now is _absent:
                del _names[name]
            else:
                _names[name] = now


@contextmanager
def no_collection() -> Iterator[None]:
    """No garbage is collected in the block: with many new nodes it would take most of the time, too."""
    before = _collects()
    _stop_collecting()
    try:
        yield
    finally:
        if before:
            _collect_again()


@contextmanager
def deadline(seconds: float, error: type[BaseException]) -> Iterator[None]:
    """Raise ``error`` in the block after ``seconds``, and again for as long as somebody swallows it.

    Only the main thread can be interrupted; in another one there is no deadline but the cell's own.
    """
    armed = True

    def ring(_number: int, _frame: FrameType | None) -> None:
        if armed:
            _raise(error)

    try:
        before = _set_handler(_ALARM, ring)
    except ValueError:  # not the main thread
        yield
        return
    left, interval = _set_timer(_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        armed = False
        _set_timer(_REAL, 0)
        _set_handler(_ALARM, _DEFAULT if before is None else before)
        if left:
            _set_timer(_REAL, left, interval)


def _raise(error: type[BaseException]) -> NoReturn:
    raise error
