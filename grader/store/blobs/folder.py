"""Blobs in a folder, of this machine or of a network file system that renames atomically and obeys fsync."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from grader.store.blobs.base import Blobs


class FolderBlobs(Blobs):
    """The files below ``folder``, one for each blob."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._made: set[Path] = set()

    def _keep(self, place: str, raw: bytes) -> None:
        path = self.folder / place
        self._make(path.parent)
        if not _is_whole(path, len(raw)):
            _write(path, raw)
        # Also where somebody else has just renamed it into its place: the name may not be on the disk yet.
        _sync_folder(path.parent)

    def _make(self, folder: Path) -> None:
        """One of the 256 folders, durable before a blob in it is said to be, whoever made it."""
        if folder not in self._made:
            folder.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(self.folder)
            self._made.add(folder)

    def _read(self, place: str) -> bytes:
        return (self.folder / place).read_bytes()


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(path: Path, raw: bytes) -> None:
    """Write beside the place, make it durable, rename: a reader sees the whole blob or none."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
