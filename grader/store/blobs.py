"""Bytes named by their digest, in a folder. A blob never changes, so a reader needs no lock."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from checks.evidence import digest

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BlobMissingError(Exception):
    """A blob that the database names is not there, or is not what its name says: the store is damaged."""


class Blobs:
    """A content-addressed store below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, raw: bytes) -> str:
        """Keep the bytes and return their digest; durable when it returns."""
        name = digest(raw)
        path = self._path(name)
        if not path.exists():
            self._write(path, raw)
        return name

    def get(self, name: str) -> bytes:
        """The bytes again; raises BlobMissingError where they are gone or damaged."""
        try:
            raw = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise BlobMissingError(f"the store has no blob {name}") from error
        if digest(raw) != name:
            raise BlobMissingError(f"the blob {name} is damaged")
        return raw

    def _path(self, name: str) -> Path:
        if not DIGEST.fullmatch(name):
            raise ValueError(f"{name!r} is no digest")
        hexadecimal = name.removeprefix("sha256:")
        return self.folder / hexadecimal[:2] / hexadecimal[2:]

    def _write(self, path: Path, raw: bytes) -> None:
        """Write beside the place, make it durable, rename: a reader sees the whole blob or none."""
        made = _make_folder(path.parent)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
        if made:
            _sync_folder(path.parent.parent)


def _make_folder(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
