"""A broker that hangs makes the service unready, and holds up nobody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from grader.api.pings import Pings
from grader.queue import BrokerDownError


def test_a_broker_that_answers_is_asked_each_time():
    asked = []
    pings = Pings(lambda: asked.append(1))
    assert [pings.answered() for _ in range(3)] == [True] * 3
    assert len(asked) == 3


def test_a_broker_that_is_away_does_not_answer_until_it_is_back():
    away = [True]

    def ping():
        if away[0]:
            raise BrokerDownError("refused")

    pings = Pings(ping)
    assert not pings.answered()
    away[0] = False
    assert pings.answered()


def test_a_broker_that_hangs_is_asked_once_and_keeps_nobody_waiting():
    asked, goes_on = [], threading.Event()

    def ping():
        asked.append(1)
        assert goes_on.wait(60)

    pings = Pings(ping, wait_seconds=0.5)
    begun = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        assert not any(pool.map(lambda _: pings.answered(), range(200)))
    assert time.monotonic() - begun < 30, "each of the two hundred would have waited on its own"
    assert len(asked) == 1
    goes_on.set()
    deadline = time.monotonic() + 20
    while not pings.answered():
        assert time.monotonic() < deadline
    assert len(asked) <= 3
