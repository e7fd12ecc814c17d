"""Takes back leases whose owners fell silent, in the same way for everything that is held under a lease."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from grader.store.database import Store
from grader.store.silence import Silence

# Who waits this long for the writers' lock must not blame owners for having waited as well.
PATIENCE_SECONDS = 2.0

Beat = TypeVar("Beat")


class LeaseWatch(Generic[Beat]):
    """Watches leases by this process's own monotonic clock; whoever shares the database may do so as well.

    ``beats`` reads the held leases, each with what a heartbeat changes. ``take_back`` takes one back unless
    it has changed since, and says whether it did. ``seconds`` is a lease's length.
    """

    def __init__(
        self,
        store: Store,
        *,
        seconds: float,
        beats: Callable[[Session], Iterable[Beat]],
        take_back: Callable[[Session, Beat], bool],
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._beats = beats
        self._take_back = take_back
        self._silence: Silence[Beat] = Silence(seconds)
        # Since when an owner could have renewed its lease for sure: the database took a write of ours.
        self._could_renew: dict[Beat, float] = {}

    def look(self) -> list[Beat]:
        """Look once, as one should at least every quarter of a lease; returns what was taken back.

        A lease that stands still for half its time makes us try to write ourselves. So a database that
        nobody can write to is not taken for an owner that is dead: after our own write an owner has time for
        one of its own.
        """
        with self._store.read() as session:
            silent = self._silence.look(self._beats(session))
        doubtful = self._silence.unchanged(self._seconds / 2)
        if not doubtful:
            self._could_renew.clear()
            return []
        asked = time.monotonic()
        with self._store.write() as session:
            session.connection()  # here SQLite waits for its lock
            now = time.monotonic()
            if now - asked > PATIENCE_SECONDS:
                self._silence.reset()
                self._could_renew.clear()
                return []
            taken = [
                beat
                for beat in silent
                if now - self._could_renew.get(beat, now) > self._seconds / 4
                and self._take_back(session, beat)
            ]
        self._could_renew = {beat: self._could_renew.get(beat, now) for beat in doubtful}
        return taken
