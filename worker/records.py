"""What the last start of each environment's warm server came to, kept for ``grader doctor``."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec


class Start(msgspec.Struct, frozen=True):
    """One start: when (seconds since 1970), seconds of importing, resident bytes, kernels standing by."""

    environment: str
    at: float
    seconds: float
    resident_bytes: int
    standby: int


def keep(folder: Path, start: Start) -> None:
    """Write ``start`` down in place of the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    place = _place(folder, start.environment.partition("@")[0])
    written = place.with_suffix(".new")
    written.write_bytes(msgspec.json.encode(start))
    written.replace(place)


def last(folder: Path, name: str) -> Start | None:
    """The last start of the environment ``name``; None where none is known."""
    try:
        return msgspec.json.decode(_place(folder, name).read_bytes(), type=Start)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def told(start: Start) -> str:
    """``start`` in words."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(start.at))
    imported = f"imported in {start.seconds:.1f} s, {start.resident_bytes / (1 << 20):.0f} MiB resident"
    return f"started {when}: {imported}, {start.standby} kernels standing by"


def _place(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"
