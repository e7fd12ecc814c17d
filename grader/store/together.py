"""Group commit: what several threads want stored at one moment is stored in one transaction.

A commit that is flushed to the disk costs the same for one row as for thirty. So nobody commits alone:
whoever gets the turn carries out everything that waits, and the others find their own done.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

Wanted = TypeVar("Wanted")
Done = TypeVar("Done")
Write = Callable[[], AbstractContextManager[Session]]


class _Place(Generic[Wanted, Done]):
    """One caller's want, and what became of it; one of the two last is set when it was its turn."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.done: Done | None = None
        self.error: BaseException | None = None

    @property
    def settled(self) -> bool:
        """Whether it was its turn."""
        return self.done is not None or self.error is not None


class Together(Generic[Wanted, Done]):
    """Carries out what several threads want; ``write`` begins a transaction.

    ``carry_out`` takes all of it and returns, in the same order, what each one gets; an exception among
    these is raised at its caller and must have changed nothing.
    """

    def __init__(
        self, write: Write, carry_out: Callable[[Session, Sequence[Wanted]], Sequence[Done | Exception]]
    ) -> None:
        self._write = write
        self._carry_out = carry_out
        self._turn = threading.Lock()
        # A deque's append and popleft need no lock.
        self._waiting: deque[_Place[Wanted, Done]] = deque()

    def do(self, wanted: Wanted) -> Done:
        """Committed when it returns. Raises the want's own exception, or what the database raised."""
        place: _Place[Wanted, Done] = _Place(wanted)
        self._waiting.append(place)
        with self._turn:
            if not place.settled:
                self._settle_all()
        if place.error is not None:
            raise place.error
        assert place.done is not None
        return place.done

    def _settle_all(self) -> None:
        places = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._settle(places)
        except BaseException as error:
            _fail(places, error)
            raise

    def _settle(self, places: list[_Place[Wanted, Done]]) -> None:
        try:
            self._commit(places)
        except OperationalError as error:
            # A database that is away, locked or full is so for all of them.
            _fail(places, error)
        except DBAPIError as error:
            if len(places) == 1:
                _fail(places, error)
                return
            # One of them holds what the database does not take; the others must not pay for it.
            for place in places:
                self._settle([place])

    def _commit(self, places: list[_Place[Wanted, Done]]) -> None:
        with self._write() as session:
            ends = self._carry_out(session, [place.wanted for place in places])
        # Not before the commit: until then nothing is done.
        for place, end in zip(places, ends, strict=True):
            if isinstance(end, Exception):
                place.error = end
            else:
                place.done = end


def _fail(places: list[_Place[Wanted, Done]], error: BaseException) -> None:
    for place in places:
        if not place.settled:
            place.error = error
