"""The truth about every assignment, submission and attempt: one database and one place for blobs.

Worker and API share it. Nothing that matters lives in the broker. One module a noun; their functions take a
session, so that a caller decides what belongs into one transaction::

    with store.write() as session:
        lease = attempts.claim(session, attempt_id, ...)
"""

from grader.store.blobs import BlobError, BlobMissingError, Blobs, BlobsAwayError
from grader.store.database import Store, open_store

__all__ = ["BlobError", "BlobMissingError", "Blobs", "BlobsAwayError", "Store", "open_store"]
