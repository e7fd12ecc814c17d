"""Signed, expiring links: they open one page each, to whoever holds them."""

from __future__ import annotations

import hmac
import time
from urllib.parse import quote, urlencode

from grader.private_files import kept_secret
from grader.settings import Settings

KEY_BYTES = 32
CHANGED = "this link was not made by this service, or it was changed"


class LinkRefusedError(Exception):
    """The link was not made here, was changed, or is over."""


class Links:
    """Makes and checks links; ``lifetime`` in seconds."""

    def __init__(self, key: bytes, *, lifetime: float) -> None:
        self._key = key
        self._lifetime = lifetime

    def sign(self, page: str, subject: str, *, until: int | None = None) -> str:
        """What opens ``page`` for ``subject``: ``/page/subject?expires=…&signature=…``.

        ``until`` (seconds since 1970): when the link that asks for this one is over. None given by a link
        lives longer than it does; else whoever had one once could renew it for ever.
        """
        # A whole day, so that the same page has the same link all day long and a reload changes nothing.
        expires = int((time.time() + self._lifetime) // 86_400 + 1) * 86_400
        if until is not None:
            expires = min(expires, until)
        query = urlencode({"expires": expires, "signature": self._signature(page, subject, expires)})
        return f"/{page}/{quote(subject)}?{query}"

    def check(self, page: str, subject: str, expires: int, signature: str) -> None:
        """Raises LinkRefusedError unless this very link was signed here and is not over."""
        if not hmac.compare_digest(self._signature(page, subject, expires).encode(), signature.encode()):
            raise LinkRefusedError(CHANGED)
        if expires < time.time():
            raise LinkRefusedError("this link has expired; ask for a new one")

    def seal(self, purpose: str, text: str) -> str:
        """What shows that this service said ``text`` for ``purpose``; compare with hmac.compare_digest."""
        return hmac.digest(self._key, f"seal\n{purpose}\n{text}".encode(), "sha256").hex()

    def _signature(self, page: str, subject: str, expires: int) -> str:
        return hmac.digest(self._key, f"{page}\n{subject}\n{expires}".encode(), "sha256").hex()


def links_of(settings: Settings) -> Links:
    """The links of this installation; makes its key at the first start."""
    if settings.secret_key is not None:
        key = settings.secret_key.get_secret_value().encode()
    else:
        key = kept_secret(settings.data_dir / "secret.key", KEY_BYTES)
    return Links(key, lifetime=settings.link_days * 86_400)
