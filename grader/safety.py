"""Combinations of settings that the service refuses to start with, and those that it only warns of.

The rule: what is safe on one's own machine alone (no tokens, a token that somebody chose, plain http) must
not come with an address that others reach; and a secret that others can read is none.
"""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator
from pathlib import Path

from grader.settings import Settings, config_file
from grader.store import Store, tokens

SECRET_SETTINGS = ("database_url", "broker_url", "secret_key", "development_token")
SHORTEST_KEY = 16


class UnsafeError(Exception):
    """The settings together are unsafe; the text has a line for each reason, saying what to set."""


def require_safe(settings: Settings, store: Store | None = None) -> None:
    """Raises UnsafeError; with ``store``, also where others reach the service and nobody has a token."""
    reasons = [*_open_bind(settings), *_secrets(settings)]
    if store is not None and is_open(settings) and not _any_token(store):
        reasons.append(
            f"{settings.host} is reached by others, but nobody has a token: use `grader token create`"
        )
    if reasons:
        raise UnsafeError("the settings are not safe\n" + "\n".join(reasons))


def warnings(settings: Settings) -> Iterator[str]:
    """What works, but hardly as somebody wanted it."""
    if is_open(settings) and settings.public_url is None:
        yield (
            f"GRADER_PUBLIC_URL is not set: links will name the address that each request came by "
            f"(listening on {settings.host})"
        )
    folder = settings.data_dir
    if folder.exists() and folder.stat().st_mode & stat.S_IRWXO:
        yield f"{folder} holds students' work, and other users may look into it: chmod o-rwx {folder}"
    if settings.public_url is not None and not settings.public_url.startswith("https://"):
        yield "GRADER_PUBLIC_URL is not https: tokens and links cross the network in the clear"
    for name in settings.unknown_variables():
        yield f"there is no setting {name}: it changes nothing (`grader config show` lists them all)"


def is_open(settings: Settings) -> bool:
    """Whether other machines may reach the service."""
    return not is_loopback(settings.host)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own; a name is not, except for ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _open_bind(settings: Settings) -> Iterator[str]:
    if not is_open(settings):
        return
    for name in ("development_token", "webhook_local"):
        if getattr(settings, name):
            variable = f"GRADER_{name.upper()}"
            yield f"{variable} is for one's own machine, but {settings.host} is reached by others: unset it"


def _secrets(settings: Settings) -> Iterator[str]:
    key = settings.secret_key
    if key is not None and len(key.get_secret_value()) < SHORTEST_KEY:
        yield f"GRADER_SECRET_KEY is shorter than {SHORTEST_KEY} characters: it could be guessed"
    for path in _secret_files(settings):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{path} holds secrets that others can read: chmod 600 {path}"


def _secret_files(settings: Settings) -> Iterator[Path]:
    yield settings.data_dir / "secret.key"
    yield settings.data_dir / "tokens"
    file = config_file()
    if file is not None and file.exists() and any(name in file.read_text() for name in SECRET_SETTINGS):
        yield file


def _any_token(store: Store) -> bool:
    with store.read() as session:
        return tokens.any_valid(session)
