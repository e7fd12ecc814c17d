"""Bearer tokens: ``gr_<prefix>_<secret>``. The secret has 192 random bits, so one plain hash protects it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time

import msgspec
from sqlalchemy.orm import Session

from grader.store.tables import Role, Token

SPELLING = re.compile(r"gr_([0-9a-f]{8})_([0-9a-f]{48})")


class Caller(msgspec.Struct, frozen=True):
    """Who sent a request: the token's public prefix and its role."""

    token: str
    role: str


def create(session: Session, role: Role, name: str) -> str:
    """A new token; its text is told once, here."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(24)
    session.add(Token(prefix=prefix, hash=_hash(secret), role=role, name=name, created_at=time.time()))
    return f"gr_{prefix}_{secret}"


def check(session: Session, text: str) -> Caller | None:
    """Whose token this is; None where it is nobody's or revoked."""
    spelled = SPELLING.fullmatch(text)
    if spelled is None:
        return None
    row = session.get(Token, spelled[1])
    if row is None or row.revoked_at is not None or not hmac.compare_digest(row.hash, _hash(spelled[2])):
        return None
    return Caller(row.prefix, row.role)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
