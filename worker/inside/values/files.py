"""Files that a notebook wrote: their size and content, as far as evidence holds it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from . import class_name
from .instances import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import Node, Taker

_MAX_CONTENT = 1 << 20
_open, _close, _read, _fstat = os.open, os.close, os.read, os.fstat
# A pipe or a device in the file's place must not keep us waiting, nor a link lead elsewhere.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
_is_regular: Callable[[int], bool] = stat.S_ISREG


class WrittenFile(NamedTuple):
    """A regular file: ``content`` is its beginning, ``stamp`` changes when it is written."""

    name: str
    size: int
    content: bytes
    stamp: int


def read_file(folder: str, name: str) -> WrittenFile | None:
    """The file ``name`` of ``folder``; None where there is none, or something else than a file."""
    try:
        fd = _open(f"{folder}/{name}", _FLAGS)
    except OSError:
        return None
    try:
        found = _fstat(fd)
        if not _is_regular(found.st_mode):
            return None
        return WrittenFile(name, found.st_size, _content(fd), found.st_mtime_ns)
    except OSError:
        return None
    finally:
        _close(fd)


def _content(fd: int) -> bytes:
    pieces, left = [], _MAX_CONTENT
    while left:
        piece = _read(fd, left)
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def take_file(file: WrittenFile, taker: Taker) -> Node:
    """A file: ``text`` where its beginning is UTF-8, else ``bytes``; ``whole`` tells whether that is all."""
    attributes: dict[str, Any] = {
        "name": file.name,
        "size": file.size,
        "whole": file.size <= len(file.content),
    }
    text = _decoded(file.content)
    attributes["bytes" if text is None else "text"] = file.content if text is None else text
    return described(file, "file", attributes, taker)


def _decoded(content: bytes) -> str | None:
    """The text; None where the bytes are none. A sign that the cap has cut in two does not count."""
    for cut in range(4 if len(content) == _MAX_CONTENT else 1):
        try:
            text = content[: len(content) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


TAKES = {class_name(WrittenFile): take_file}
