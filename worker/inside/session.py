"""One submission's processes: a watcher (outside the seal), pid 1 (the reaper) and the kernel.

    server -> watcher            holds the connection; kills everything when it closes
                -> pid 1         own namespaces, sealed; collects orphans
                     -> kernel   the student's code

Messages on the connection are length-prefixed JSON. In: the request (with the file descriptors of the
kernel's listening sockets and of the evidence pipe), then ``go``. Out: ``hello`` with the environment that
serves (its credentials tell the trusted side the watcher's pid), then ``exit`` with the kernel's wait
status, or ``failed`` with the reason why sealing did not work.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from . import kernel, linux, seal

if TYPE_CHECKING:
    from .kernel import Request

_LENGTH = struct.Struct("<I")
_MAX_REQUEST = 4 << 20


def run(connection: socket.socket, label: str, program: bytes) -> NoReturn:
    """Be one submission's watcher; never returns."""
    code = 1
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        request, fds = receive(connection)
        send(connection, {"type": "hello", "environment": label})
        if receive(connection)[0] != {"type": "go"}:
            raise ConnectionError("the trusted side did not say go")
        watch(connection, request, fds, program)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked child: nothing may unwind into the server's frames
        with contextlib.suppress(OSError):
            send(connection, {"type": "failed", "why": traceback.format_exc()})
    finally:
        os._exit(code)


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """One message and the descriptors that came with it; raises ConnectionError at the end of the stream."""
    head, fds, _, _ = socket.recv_fds(connection, _LENGTH.size, 16)
    if len(head) < _LENGTH.size:
        raise ConnectionError("the connection ended")
    (length,) = _LENGTH.unpack(head)
    if length > _MAX_REQUEST:
        raise ConnectionError(f"a request of {length} bytes")
    body = b""
    while len(body) < length:
        chunk = connection.recv(length - len(body))
        if not chunk:
            raise ConnectionError("the connection ended")
        body += chunk
    return json.loads(body), fds


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    body = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


def watch(connection: socket.socket, request: Request, fds: list[int], program: bytes) -> None:
    """Start the sealed processes and wait for their end or for the connection's."""
    seal.unshare_namespaces()
    status_read, status_write = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(status_read)
        be_init(connection, request, fds, program, status_write)
    os.close(status_write)
    for fd in fds:
        os.close(fd)
    readable, _, _ = select.select([connection.fileno(), status_read], [], [])
    if status_read in readable:
        report = os.read(status_read, 65536).decode(errors="replace")
        send(connection, json.loads(report) if report else {"type": "exit", "status": wait(init)})
    with contextlib.suppress(ProcessLookupError):
        os.kill(init, signal.SIGKILL)
    wait(init)


def wait(pid: int) -> int:
    """The wait status of ``pid``; -1 if somebody else collected it."""
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return -1


def be_init(
    connection: socket.socket, request: Request, fds: list[int], program: bytes, status: int
) -> NoReturn:
    """Be pid 1 of the submission: seal, start the kernel, collect orphans; never returns."""
    report: dict[str, Any] = {"type": "failed", "why": "unknown"}
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()  # a signal to one's own group would reach the server and every other submission
        connection.close()
        seal.seal(request["limits"], request["inputs"], program)
        pid = os.fork()
        if pid == 0:
            os.close(status)
            kernel.run(request, fds)
        for fd in fds:
            os.close(fd)
        report = {"type": "exit", "status": collect_orphans(pid)}
    except BaseException:  # noqa: BLE001 - as in run(): the reason goes to the trusted side
        report = {"type": "failed", "why": traceback.format_exc()[-60000:]}
    finally:
        with contextlib.suppress(OSError):
            os.write(status, json.dumps(report).encode())
        os._exit(0)


def collect_orphans(pid: int) -> int:
    """Wait for every child until ``pid`` ends; its wait status."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return status
