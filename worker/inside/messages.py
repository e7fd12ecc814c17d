"""Messages between a submission's processes: length-prefixed JSON, with descriptors beside the length."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("<I")
_MAX_BODY = 4 << 20
_MAX_DESCRIPTORS = 16


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """One message and the descriptors that came with it; raises ConnectionError at the end of the stream."""
    head, fds, _, _ = socket.recv_fds(connection, _LENGTH.size, _MAX_DESCRIPTORS)
    if len(head) < _LENGTH.size:
        raise ConnectionError("the connection ended")
    (length,) = _LENGTH.unpack(head)
    if length > _MAX_BODY:
        raise ConnectionError(f"a message of {length} bytes")
    body = b""
    while len(body) < length:
        chunk = connection.recv(length - len(body))
        if not chunk:
            raise ConnectionError("the connection ended")
        body += chunk
    return json.loads(body), fds


def send(connection: socket.socket, message: Any, fds: list[int] | None = None) -> None:
    """Send one message, and descriptors with it; raises OSError where nobody listens any more."""
    body = json.dumps(message).encode()
    socket.send_fds(connection, [_LENGTH.pack(len(body))], fds or [])
    connection.sendall(body)
