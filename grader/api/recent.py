"""Tokens that were looked up a moment ago.

Role, course and name of a token never change; it can only be revoked. So whoever asks for nothing but who the
caller is may take it from here, and has to ask the database in the end whether the token still holds.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from grader.store.tokens import Caller

# Long enough for a class that hands in together.
KEEP_SECONDS = 10.0
MANY = 10_000


class RecentTokens:
    """Keeps hashes, as the database does. Used by one thread: the event loop's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[bytes, tuple[Caller, float]] = {}

    def caller(self, text: str) -> Caller | None:
        """Whose token it is; None where it was not looked up lately."""
        caller, until = self._known.get(_hash(text), (None, 0.0))
        return caller if self._clock() < until else None

    def add(self, text: str, caller: Caller) -> None:
        """Remember what the database said just now."""
        if len(self._known) >= MANY:
            self._known.clear()
        self._known[_hash(text)] = caller, self._clock() + KEEP_SECONDS

    def forget(self, token: str) -> None:
        """The token with this prefix is over."""
        self._known = {key: entry for key, entry in self._known.items() if entry[0].token != token}


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
