"""Which driver a setting means."""

from __future__ import annotations

from pathlib import Path

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from grader.store.blobs.base import Blobs
from grader.store.blobs.folder import FolderBlobs
from grader.store.blobs.objects import ObjectBlobs


def open_blobs(url: str) -> Blobs:
    """The blobs at ``url``. A folder (``file:///…``) gets the driver that makes its files durable itself."""
    # Listings change under us: other hosts write too.
    system, root = url_to_fs(url, use_listings_cache=False)
    if isinstance(system, LocalFileSystem):
        return FolderBlobs(Path(root))
    return ObjectBlobs(system, root)
