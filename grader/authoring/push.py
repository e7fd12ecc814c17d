"""Publishing to a service over HTTP: the packed bundle, posted with an instructor's token."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import msgspec

from checks import bundle

PATH = "/api/v1/assignments"
SECONDS = 120.0


class PushError(Exception):
    """The service did not take the bundle; the text says why, and what to do about it."""


class RefusedError(PushError):
    """The service answered that something of ours is wrong: the token, the bundle, the address."""


class Pushed(msgspec.Struct, frozen=True):
    """The version in force at the service."""

    id: str
    version: str


class _Trouble(msgspec.Struct):
    """As much of an RFC 9457 problem document as is shown."""

    title: str = ""
    detail: str = ""
    mistakes: list[str] = []


def push(files: dict[str, bytes], server: str, token: str, *, seconds: float = SECONDS) -> Pushed:
    """Put the bundle in force at ``server`` (its address, with or without a path below which it is served).

    Raises RefusedError where the service says no, PushError where it is not there or fails.
    """
    url = _address(server)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-tar"}
    try:
        answer = httpx.post(url, content=bundle.pack(files), headers=headers, timeout=seconds)
    except httpx.TimeoutException as error:
        raise PushError(f"{server}: no answer within {seconds:g} seconds; try again") from error
    except httpx.TransportError as error:
        raise PushError(f"{server}: no service answers there: {error}") from error
    if answer.status_code in (200, 201):
        return _pushed(answer, bundle.digest(files))
    raise _trouble(answer, server)


def _address(server: str) -> str:
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError(f"{server!r} is no address of a service; it begins with https:// or http://")
    if parts.username or parts.query or parts.fragment:
        raise RefusedError(f"{server!r}: give the bare address, and the token by --token")
    return server.rstrip("/") + PATH


def _pushed(answer: httpx.Response, version: str) -> Pushed:
    try:
        found = msgspec.json.decode(answer.content, type=Pushed)
    except msgspec.DecodeError as error:
        raise PushError(f"{answer.request.url} is no grading service: its answer is not one's") from error
    if found.version != version:
        raise PushError(f"the service has {found.version} in force, not {version} that was sent; try again")
    return found


def _trouble(answer: httpx.Response, server: str) -> PushError:
    try:
        told = msgspec.json.decode(answer.content, type=_Trouble)
    except msgspec.DecodeError:
        told = _Trouble()
    why = "\n".join([told.detail or told.title or f"answered {answer.status_code}", *told.mistakes])
    match answer.status_code:
        case 401:
            return RefusedError(f"{server}: the token is not known there, or was revoked: {why}")
        case 403:
            return RefusedError(f"{server}: this token may not publish (it takes an instructor's): {why}")
        case status if status in (301, 302, 307, 308):
            place = answer.headers.get("Location", "elsewhere")
            return RefusedError(f"{server}: moved to {place}; give that address")
        case 429 | 502 | 503 | 504:
            return PushError(f"{server}: busy or not ready just now ({answer.status_code}); try again: {why}")
        case status if status < 500:
            return RefusedError(f"{server}: {why}")
    return PushError(f"{server}: the service failed ({answer.status_code}): {why}")
