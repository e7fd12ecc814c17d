"""Blobs on an object store, or on whatever else fsspec reaches: ``s3://bucket/folder``, ``gs://…``, ``memory://``.

An object store shows an object when all of it has arrived, and has it durably when the call returns. Where
that is not so, a torn object has another length and is replaced by the next ``put``, and no reader looks for
a blob before its ``put`` has returned.
"""

from __future__ import annotations

from fsspec import AbstractFileSystem

from grader.store.blobs.base import Blobs


class ObjectBlobs(Blobs):
    """The objects below ``root`` of an fsspec file system."""

    def __init__(self, system: AbstractFileSystem, root: str) -> None:
        self.system = system
        self.root = root.rstrip("/")

    def _keep(self, place: str, raw: bytes) -> None:
        path = self._path(place)
        if self._size(path) == len(raw):
            return
        try:
            self.system.pipe_file(path, raw)
        except FileNotFoundError:
            # Not an object store: here folders must be made.
            self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self.system.pipe_file(path, raw)

    def _read(self, place: str) -> bytes:
        return bytes(self.system.cat_file(self._path(place)))

    def _size(self, path: str) -> int | None:
        try:
            return int(self.system.info(path)["size"])
        except FileNotFoundError:
            return None

    def _path(self, place: str) -> str:
        return f"{self.root}/{place}"
