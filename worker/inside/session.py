"""One submission's processes: a watcher (outside the seal), pid 1 (the reaper) and the kernel.

    server -> watcher            holds the connection; kills everything when it closes
                -> pid 1         own namespaces; completes the seal, collects orphans
                     -> kernel   the student's code

They are made before the submission is there, and stand by: the kernel sealed and initialised, pid 1 with the
rights that it needs for what only the request tells (which inputs to show, which limits to set). The server
then hands the watcher the submission's connection. The request goes from process to process: the watcher
answers ``hello`` with the environment that serves (its credentials tell the trusted side the watcher's pid),
pid 1 completes the seal and gives up its rights, and only then does the kernel hear of the request. At its
end the connection gets ``exit`` with the kernel's wait status, or ``failed`` with the reason why there was
no sealed kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from . import kernel, linux, seal
from .messages import receive, send

if TYPE_CHECKING:
    from .kernel import Request

_MAX_REASON = 60000


class Sealed(NamedTuple):
    """Pid 1 as its watcher holds it: its process, the way in for the request, and the way out."""

    pid: int
    channel: socket.socket
    status: int


def run(control: socket.socket, label: str, program: bytes) -> NoReturn:
    """Be the watcher of one submission that is yet to come on ``control``; never returns."""
    code = 1
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        sealed, failure = _stand_by(control, program)
        with await_connection(control, sealed) as connection:
            watch(connection, label, sealed, failure)
        code = 0
    except ConnectionError:
        code = 0  # the server drains, or whoever asked has gone: what was made ends with this process
    except BaseException:  # noqa: BLE001 - a forked child: nothing may unwind into the server's frames
        traceback.print_exc()
    finally:
        os._exit(code)


def _stand_by(control: socket.socket, program: bytes) -> tuple[Sealed | None, str]:
    """What will serve, or why there is none: the reason waits for the one who comes to ask."""
    try:
        return prepare(control, program), ""
    except OSError:
        return None, traceback.format_exc()[-_MAX_REASON:]


def prepare(control: socket.socket, program: bytes) -> Sealed:
    """Start pid 1, and with it the kernel; raises OSError where the namespaces cannot be had."""
    seal.unshare_namespaces()
    channel, inner = socket.socketpair()
    status_read, status_write = os.pipe()
    init = os.fork()
    if init == 0:
        channel.close()
        os.close(status_read)
        be_init(inner, control, program, status_write)
    inner.close()
    os.close(status_write)
    return Sealed(init, channel, status_read)


def await_connection(control: socket.socket, sealed: Sealed | None) -> socket.socket:
    """The submission's connection, from the server; raises ConnectionError where none comes any more.

    Nor does one come to a kernel that died while it stood by: the server sees this process end.
    """
    awaited: list[socket.socket | int] = [control] if sealed is None else [control, sealed.status]
    if control not in select.select(awaited, [], [])[0]:
        raise ConnectionError("what stood by has ended")
    _, fds, _, _ = socket.recv_fds(control, 1, 1)
    control.close()
    if not fds:
        raise ConnectionError("the server needs no further kernel")
    return socket.socket(fileno=fds[0])


def watch(connection: socket.socket, label: str, sealed: Sealed | None, failure: str) -> None:
    """Pass the request on, then wait for the end of the sealed processes or of the connection."""
    request, fds = receive(connection)
    if sealed is None:
        send(connection, {"type": "failed", "why": failure})
        return
    send(connection, {"type": "hello", "environment": label})
    with contextlib.suppress(BrokenPipeError):  # pid 1 is gone, and its status says why
        send(sealed.channel, request, fds)
    for fd in fds:
        os.close(fd)
    readable, _, _ = select.select([connection.fileno(), sealed.status], [], [])
    if sealed.status in readable:
        report = os.read(sealed.status, 65536)
        exited = {"type": "exit", "status": wait(sealed.pid)}
        send(connection, json.loads(report) if report else exited)
    with contextlib.suppress(ProcessLookupError):
        os.kill(sealed.pid, signal.SIGKILL)
    wait(sealed.pid)


def wait(pid: int) -> int:
    """The wait status of ``pid``; -1 if somebody else collected it."""
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return -1


def be_init(channel: socket.socket, control: socket.socket, program: bytes, status: int) -> NoReturn:
    """Be pid 1 of the submission: build its world, start the kernel, complete the seal; never returns.

    ``control`` is for the kernel, to tell the server that it stands by.
    """
    report: dict[str, Any] = {"type": "failed", "why": "unknown"}
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()  # a signal to one's own group would reach the server and every other submission
        seal.build()
        with control:
            inner, pid = start_kernel(channel, control, program, status)
        ignore_signals()  # the kernel keeps Python's own ways, such as an OSError for too large a file
        request, fds = await_request(channel, inner)
        begin(request, fds, pid, program, inner)
        report = {"type": "exit", "status": collect_orphans(pid)}
    except BaseException:  # noqa: BLE001 - as in run(): the reason goes to the trusted side
        report = {"type": "failed", "why": traceback.format_exc()[-_MAX_REASON:]}
    finally:
        with contextlib.suppress(OSError):
            os.write(status, json.dumps(report).encode())
        os._exit(0)


def ignore_signals() -> None:
    """Have no handler for any signal: the system then lets none through to pid 1 from its own namespace.

    Python's handler of SIGINT would raise, and a notebook's own doing would look like our fault.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):  # a number that the C library keeps for itself
            signal.signal(number, signal.SIG_DFL)


def start_kernel(
    channel: socket.socket, control: socket.socket, program: bytes, status: int
) -> tuple[socket.socket, int]:
    """Fork the kernel, which seals itself and stands by; the way to tell it the request, and its pid."""
    inner, request_end = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        for outside in (channel, inner):
            outside.close()
        os.close(status)
        kernel.run(request_end, control, program)
    request_end.close()
    return inner, pid


def await_request(channel: socket.socket, inner: socket.socket) -> tuple[Request, list[int]]:
    """The request, from the watcher; raises ChildProcessError where the kernel ends before."""
    if channel not in select.select([channel, inner], [], [])[0]:
        raise ChildProcessError("the kernel ended while it stood by")
    with channel:
        return receive(channel)


def begin(request: Request, fds: list[int], pid: int, program: bytes, inner: socket.socket) -> None:
    """Complete the seal as the request wants it, give up every right, and let the kernel ``pid`` begin."""
    seal.complete(request["limits"], request["inputs"], pid)
    seal.give_up_rights(program)
    send(inner, request, fds)
    inner.close()
    for fd in fds:
        os.close(fd)


def collect_orphans(pid: int) -> int:
    """Wait for every child until ``pid`` ends; its wait status."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return status
