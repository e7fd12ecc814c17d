"""Ctrl-C while notebooks run."""

from __future__ import annotations

import contextlib
import os
import signal
from concurrent.futures import Future

import pytest

from grader.interrupts import interrupts


def swallowed() -> None:
    """An interrupt in the middle of a library that forgets it."""
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_that_a_library_swallowed_still_ends_the_waiting():
    with interrupts() as found:
        swallowed()
        with pytest.raises(KeyboardInterrupt):
            found.result(Future())


def test_a_result_that_is_there_is_given_and_errors_are_raised():
    good, bad = Future(), Future()
    good.set_result(3)
    bad.set_exception(ValueError("no"))
    with interrupts() as found:
        assert found.result(good) == 3
        with pytest.raises(ValueError, match="no"):
            found.result(bad)


def test_afterwards_interrupts_go_where_they_went():
    before = signal.getsignal(signal.SIGINT)
    with interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
