"""Who may do what: bearer tokens with a role."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from grader.api.problems import Problem
from grader.api.service import Service, TheService
from grader.store import tokens
from grader.store.tokens import Caller

BEARER = HTTPBearer(auto_error=False, description="a token of the role lms or instructor")
CHALLENGE = {"WWW-Authenticate": "Bearer"}
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


def _caller(service: TheService, credentials: Credentials) -> Caller:
    if credentials is None:
        raise Problem(401, "no-token", "Send a token: `Authorization: Bearer gr_…`.", headers=CHALLENGE)
    caller = _who(service, credentials.credentials)
    if caller is None:
        raise Problem(
            401, "unknown-token", "This token is not known here, or it was revoked.", headers=CHALLENGE
        )
    return caller


def _who(service: Service, text: str) -> Caller | None:
    development = service.settings.development_token
    if development is not None and hmac.compare_digest(
        development.get_secret_value().encode(), text.encode()
    ):
        return Caller("development", "instructor")
    with service.store.read() as session:
        return tokens.check(session, text)


AnyCaller = Annotated[Caller, Depends(_caller)]


def _instructor(caller: AnyCaller) -> Caller:
    if caller.role != "instructor":
        raise Problem(
            403, "wrong-role", f"This needs an instructor's token; yours has the role {caller.role}."
        )
    return caller


Instructor = Annotated[Caller, Depends(_instructor)]
