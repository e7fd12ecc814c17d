"""Group commit: one transaction for those who come at once, and each gets what is its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from grader.store.database import Store
from grader.store.together import Together


class Numbers:
    """A table of numbers; negative ones are refused by us, double ones by the database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        with store.write() as session:
            session.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
        self.together = Together(store.write, self.add)

    def add(self, session, wanted):
        self.gate.wait(10)
        self.batches.append(len(wanted))
        for number in wanted:
            if number >= 0:
                session.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number})
        return [ValueError(number) if number < 0 else number * 10 for number in wanted]

    def at_once(self, wanted: list[int]) -> list[object]:
        """Let all of them come while another one is being stored."""
        self.gate.clear()
        with ThreadPoolExecutor(len(wanted) + 1) as pool:
            first = pool.submit(self.together.do, 1000)
            _until(self.together._turn.locked)
            others = [pool.submit(self.together.do, number) for number in wanted]
            _until(lambda: len(self.together._waiting) == len(wanted))
            self.gate.set()
            first.result()
            return [one.exception() or one.result() for one in others]

    def kept(self) -> set[int]:
        with self.store.read() as session:
            return set(session.scalars(text("SELECT n FROM numbers WHERE n < 1000")))


def _until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def numbers(store) -> Numbers:
    return Numbers(store)


def test_those_who_come_while_another_one_is_stored_share_one_transaction(numbers):
    assert numbers.at_once(list(range(12))) == [number * 10 for number in range(12)]
    assert numbers.batches == [1, 12]
    assert numbers.kept() == set(range(12))


def test_who_is_refused_is_told_so_and_the_others_are_stored(numbers):
    ends = numbers.at_once([1, -2, 3])
    assert (ends[0], type(ends[1]), ends[2]) == (10, ValueError, 30)
    assert numbers.kept() == {1, 3}


def test_what_the_database_refuses_costs_the_others_nothing(numbers):
    ends = numbers.at_once([1, 2, 2, 3])
    assert (ends[0], ends[3]) == (10, 30)
    assert sorted(type(end).__name__ for end in ends[1:3]) == ["IntegrityError", "int"]
    assert numbers.kept() == {1, 2, 3}


def test_nobody_is_told_that_it_is_stored_when_the_commit_fails(numbers, monkeypatch):
    def fail(_connection: Connection) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    monkeypatch.setattr(Connection, "_commit_impl", fail)
    with ThreadPoolExecutor(4) as pool:
        ends = [end.exception() for end in [pool.submit(numbers.together.do, n) for n in range(4)]]
    monkeypatch.undo()
    assert {type(end) for end in ends} == {OperationalError}
    assert numbers.kept() == set()


def test_a_bug_reaches_everybody_and_the_next_ones_are_stored(numbers):
    def broken(_session, _wanted):
        raise ZeroDivisionError

    numbers.together._carry_out = broken
    with pytest.raises(ZeroDivisionError):
        numbers.together.do(1)
    numbers.together._carry_out = numbers.add
    assert numbers.together.do(2) == 20
    assert numbers.kept() == {2}
