"""Bytes named by their digest, in a folder or an object store. A blob never changes, so nobody locks."""

from grader.store.blobs.base import BlobError, BlobMissingError, Blobs, BlobsAwayError
from grader.store.blobs.folder import FolderBlobs
from grader.store.blobs.objects import ObjectBlobs
from grader.store.blobs.opening import open_blobs

__all__ = [
    "BlobError",
    "BlobMissingError",
    "Blobs",
    "BlobsAwayError",
    "FolderBlobs",
    "ObjectBlobs",
    "open_blobs",
]
