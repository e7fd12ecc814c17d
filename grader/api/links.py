"""Signed, expiring links: they open one page each, to whoever holds them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from grader.settings import Settings

KEY_BYTES = 32


class LinkRefusedError(Exception):
    """The link was not made here, was changed, or is over."""


class Links:
    """Makes and checks links; ``lifetime`` in seconds."""

    def __init__(self, key: bytes, *, lifetime: float) -> None:
        self._key = key
        self._lifetime = lifetime

    def sign(self, page: str, subject: str) -> str:
        """What opens ``page`` for ``subject``: ``/page/subject?expires=…&signature=…``."""
        # A whole day, so that the same page has the same link all day long and a reload changes nothing.
        expires = int((time.time() + self._lifetime) // 86_400 + 1) * 86_400
        query = urlencode({"expires": expires, "signature": self._signature(page, subject, expires)})
        return f"/{page}/{quote(subject)}?{query}"

    def check(self, page: str, subject: str, expires: int, signature: str) -> None:
        """Raises LinkRefusedError unless this very link was signed here and is not over."""
        if not hmac.compare_digest(self._signature(page, subject, expires).encode(), signature.encode()):
            raise LinkRefusedError("this link was not made by this service, or it was changed")
        if expires < time.time():
            raise LinkRefusedError("this link is over; ask for a new one")

    def _signature(self, page: str, subject: str, expires: int) -> str:
        return hmac.new(self._key, f"{page}\n{subject}\n{expires}".encode(), hashlib.sha256).hexdigest()


def links_of(settings: Settings) -> Links:
    """The links of this installation; makes its key at the first start."""
    if settings.secret_key is not None:
        key = settings.secret_key.get_secret_value().encode()
    else:
        key = _kept_key(settings.data_dir / "secret.key")
    return Links(key, lifetime=settings.link_days * 86_400)


def _kept_key(path: Path) -> bytes:
    """The key in the file, made there by whoever comes first."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        write_private(draft, secrets.token_bytes(KEY_BYTES))
        try:
            # A hard link fails where the file exists: two first starts agree on one key.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
