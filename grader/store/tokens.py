"""Bearer tokens: ``gr_<prefix>_<secret>``. The secret has 192 random bits, so one plain hash protects it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from grader.store import audit
from grader.store.courses import course_of
from grader.store.tables import Role, Token

SPELLING = re.compile(r"gr_([0-9a-f]{8})_([0-9a-f]{48})")
# Built once: every request asks this.
_VALID = select(Token.hash, Token.role, Token.course, Token.name).where(
    Token.prefix == bindparam("prefix"), Token.revoked_at.is_(None)
)
_REVOKED = select(Token.prefix).where(
    Token.prefix.in_(bindparam("prefixes", expanding=True)), Token.revoked_at.is_not(None)
)
COURSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class UnknownTokenError(LookupError):
    """No token has this prefix."""


class RevokedTokenError(Exception):
    """A token was revoked since it was last looked up."""


class BadCourseError(ValueError):
    """A course's name is no part of an assignment's id."""


class Caller(msgspec.Struct, frozen=True):
    """Who sent a request: the token's public prefix, its role, and its course (None: every course).

    The role ``student`` comes from a signed link: it has no token, and one ``submission`` only, ``until`` the
    link is over (seconds since 1970).
    """

    token: str
    role: str
    course: str | None = None
    name: str = ""
    submission: str | None = None
    until: int | None = None

    @property
    def actor(self) -> str:
        """As the audit log names who it was."""
        return f"token {self.token} ({self.name})" if self.name else f"token {self.token}"

    def sees_course(self, course: str) -> bool:
        """Whether the course is in the caller's scope."""
        return self.course is None or self.course == course

    def sees(self, assignment_id: str) -> bool:
        """Whether the assignment is in the caller's scope."""
        return self.sees_course(course_of(assignment_id))


class Known(msgspec.Struct, frozen=True):
    """A token as it is listed: everything but its secret."""

    prefix: str
    role: str
    course: str | None
    name: str
    created_at: float
    revoked_at: float | None


def create(
    session: Session, role: Role, name: str, course: str | None = None, *, by: str = audit.COMMAND_LINE
) -> str:
    """A new token; its text is told once, here. Raises BadCourseError."""
    check_course(course)
    prefix, secret = secrets.token_hex(4), secrets.token_hex(24)
    session.add(
        Token(
            prefix=prefix,
            hash=_hash(secret),
            role=role,
            course=course,
            name=name,
            created_at=time.time(),
        )
    )
    facts = {"role": role, "course": course, "name": name}
    audit.add(session, "token.created", prefix, by=by, course=course, after=facts)
    return f"gr_{prefix}_{secret}"


def revoke(session: Session, prefix: str, *, by: str = audit.COMMAND_LINE) -> Known:
    """Make a token worthless from now on; twice changes nothing. Raises UnknownTokenError."""
    row = session.get(Token, prefix)
    if row is None:
        raise UnknownTokenError(prefix)
    if row.revoked_at is None:
        row.revoked_at = time.time()
        before = {"role": row.role, "course": row.course, "name": row.name}
        audit.add(session, "token.revoked", prefix, by=by, course=row.course, before=before)
    return _known(row)


def listed(session: Session) -> Sequence[Known]:
    """All tokens, revoked ones too, oldest first."""
    return [_known(row) for row in session.scalars(select(Token).order_by(Token.created_at, Token.prefix))]


def any_valid(session: Session) -> bool:
    """Whether anybody could come in."""
    return session.scalar(select(Token.prefix).where(Token.revoked_at.is_(None)).limit(1)) is not None


def check(session: Session, text: str) -> Caller | None:
    """Whose token this is; None where it is nobody's or revoked."""
    spelled = SPELLING.fullmatch(text)
    if spelled is None:
        return None
    row = session.connection().execute(_VALID, {"prefix": spelled[1]}).one_or_none()
    if row is None or not hmac.compare_digest(row.hash, _hash(spelled[2])):
        return None
    return Caller(spelled[1], row.role, row.course, row.name)


def revoked(session: Session, prefixes: Iterable[str]) -> set[str]:
    """Those of the tokens that open nothing any more."""
    rows = session.connection().execute(_REVOKED, {"prefixes": sorted(prefixes)})
    return {row[0] for row in rows}


def caller_of(session: Session, prefix: str) -> Caller | None:
    """Whose token begins so, for who has shown the whole of it before; None where it is revoked since."""
    row = session.get(Token, prefix)
    if row is None or row.revoked_at is not None:
        return None
    return Caller(row.prefix, row.role, row.course, row.name)


def check_course(course: str | None) -> None:
    """Raises BadCourseError for what cannot begin an assignment's id."""
    if course is not None and not COURSE.fullmatch(course):
        raise BadCourseError(
            f"{course!r} is no course: it is the part of an assignment's id before the slash"
        )


def _known(row: Token) -> Known:
    return Known(row.prefix, row.role, row.course, row.name, row.created_at, row.revoked_at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
