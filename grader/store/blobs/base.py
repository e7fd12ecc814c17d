"""What every place for blobs promises; the drivers beside this file say how they keep it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from checks.evidence import digest

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BlobError(Exception):
    """A blob could not be kept or got back; never the fault of who sent a notebook."""


class BlobMissingError(BlobError):
    """A blob that the database names is not there, or is not what its name says: the store is damaged."""


class BlobsAwayError(BlobError):
    """The folder or object store does not answer, is full or refuses us; the same call may work later."""


class Blobs(ABC):
    """A content-addressed store; safe to share between threads."""

    def put(self, raw: bytes) -> str:
        """Keep the bytes and return their digest; durable when it returns. Raises BlobsAwayError."""
        name = digest(raw)
        try:
            self._keep(_place(name), raw)
        except OSError as error:
            raise BlobsAwayError(f"a blob could not be stored: {error}") from error
        return name

    def get(self, name: str) -> bytes:
        """The bytes again; raises BlobMissingError where they are gone or damaged, BlobsAwayError.

        A ``name`` that is no digest is a ValueError.
        """
        if not DIGEST.fullmatch(name):
            raise ValueError(f"{name!r} is no digest")
        try:
            raw = self._read(_place(name))
        except FileNotFoundError as error:
            raise BlobMissingError(f"the store has no blob {name}") from error
        except OSError as error:
            raise BlobsAwayError(f"the blob {name} could not be read: {error}") from error
        if digest(raw) != name:
            raise BlobMissingError(f"the blob {name} is damaged")
        return raw

    @abstractmethod
    def _keep(self, place: str, raw: bytes) -> None:
        """Store the bytes for good, unless they are there: readers see all of them or nothing.

        Bytes of another length at their place are what a broken writer left, and are replaced.
        """

    @abstractmethod
    def _read(self, place: str) -> bytes:
        """All bytes at a place; raises FileNotFoundError."""


def _place(name: str) -> str:
    """Where a blob lies: ``ab/cdef…``, so that no folder gets too long."""
    hexadecimal = name.removeprefix("sha256:")
    return f"{hexadecimal[:2]}/{hexadecimal[2:]}"
