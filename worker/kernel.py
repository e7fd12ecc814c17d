"""One submission's kernel, as the trusted side holds it.

The trusted side makes the kernel's listening sockets itself and passes them in, so that the sandbox needs no
folder that both can write to. The connection to the warm server is the lifeline: when it closes, nothing of
the kernel survives.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from checks.plan import Limits, RunPlan
from worker.errors import InfrastructureError
from worker.warm import WarmServer

CHANNELS = ("shell", "stdin", "control", "iopub")
_LENGTH = struct.Struct("<I")
_CREDENTIALS = struct.Struct("3i")
_TIMEOUT = 30.0
MAX_MESSAGE = 4 << 20
_RECEIVE_QUEUE = 16


@dataclass(frozen=True)
class Ending:
    """How the kernel ended: killed by ``signal``, or left with ``code``; the group says if memory was out."""

    code: int | None
    signal: int | None
    out_of_memory: bool


class SealedKernel:
    """A kernel in its sandbox, from the request until nothing of it is left. Use as a context manager.

    ``environment`` is the label of the environment that really runs it. ``plan`` is what it was asked to
    watch, ``evidence`` the reading end of the pipe on which it sends frames.
    """

    def __init__(self, server: WarmServer, plan: RunPlan, limits: Limits, inputs: str, seed: int) -> None:
        self._server, self._limits, self._inputs, self._seed = server, limits, inputs, seed
        self.plan = plan
        self.key = secrets.token_hex(32)
        self.environment = server.environment.label
        self.evidence = -1
        self._folder = Path()
        self._connection: socket.socket | None = None
        self._group = server.driver.create(secrets.token_hex(6), limits.memory_mib, limits.processes)
        self._grouped: Future[None] = Future()
        self.ending: Ending | None = None
        self.peak_bytes: int | None = None

    def __enter__(self) -> SealedKernel:
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="k-", dir=self._server.runtime))
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connection_info(self) -> KernelConnectionInfo:
        """How a Jupyter client reaches the kernel."""
        return {
            "transport": "ipc",
            "ip": str(self._folder / "c"),
            "key": self.key,
            "signature_scheme": "hmac-sha256",
            "shell_port": 1,
            "stdin_port": 2,
            "control_port": 3,
            "iopub_port": 4,
            "hb_port": 5,
            "kernel_name": self._server.environment.name,
        }

    async def limited(self) -> None:
        """Return when the kernel is in its control group: no cell may run before.

        Raises InfrastructureError.
        """
        try:
            await asyncio.wrap_future(self._grouped)
        except OSError as error:
            raise InfrastructureError(f"the kernel could not be put into its group: {error}") from error

    def last_words(self) -> str:
        """What the sandbox logged last, for our own error messages."""
        return self._server.last_words()

    def fileno(self) -> int:
        """The lifeline's descriptor: readable when the kernel has ended."""
        assert self._connection is not None
        return self._connection.fileno()

    def poll(self) -> Ending | None:
        """How the kernel ended; None while it runs."""
        if self.ending is None and self._connection is not None:
            self._connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self.ending = self._read_ending()
        return self.ending

    def kill(self) -> None:
        """End everything in the sandbox, and return when nothing is left of it."""
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_TIMEOUT)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def close(self) -> None:
        """Kill, and remove the group, the sockets and their folder."""
        self.kill()
        if not self._grouped.cancel():  # it has begun and goes on: its group must be there meanwhile
            wait([self._grouped])
        self.peak_bytes = self._group.peak_bytes()
        self._group.close()
        if self.evidence >= 0:
            os.close(self.evidence)
            self.evidence = -1
        if self._folder.name:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(_TIMEOUT)
        try:
            self._connection.connect(str(self._server.address))
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._send_request(self._connection)
            watcher = self._await_hello(self._connection)
        except (OSError, ConnectionError) as error:
            name = self._server.environment.name
            raise InfrastructureError(f"the warm server of {name} does not answer: {error}") from error
        # Linux takes up to 30 ms to move the first process into a group; the kernel begins meanwhile.
        self._grouped = _in_background(lambda: self._group.add(watcher))

    def _send_request(self, connection: socket.socket) -> None:
        listening = [self._listen(number) for number in range(1, len(CHANNELS) + 1)]
        self.evidence, writing = os.pipe()
        request = {
            "plan": msgspec.to_builtins(self.plan),
            "inputs": self._inputs,
            "key": self.key,
            "seed": self._seed,
            "limits": {
                "processes": self._limits.processes,
                "disk_mib": self._limits.disk_mib,
                "data_mib": self._data_mib(),
                "open_files": 512,
                "output_bytes": int(self._limits.output_mib * (1 << 20)),
                "cpu_seconds": int(self._limits.seconds) * (os.cpu_count() or 1)
                + 10,  # a backstop to our clock
            },
        }
        try:
            self._send(connection, request, [*(channel.fileno() for channel in listening), writing])
        finally:
            os.close(writing)
            for channel in listening:
                channel.close()

    def _data_mib(self) -> int:
        """What one process may allocate beyond what it begins with; 0: no bound, the group's is exact.

        The watchdog looks ten times a second; this bounds what is taken between two looks. Twice the limit,
        for much that is allocated is never touched.
        """
        return 2 * self._limits.memory_mib if self._server.driver.name == "watchdog" else 0

    def _listen(self, number: int) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX)
        channel.bind(f"{self._folder / 'c'}-{number}")
        channel.listen(8)
        return channel

    @staticmethod
    def _send(connection: socket.socket, message: dict[str, Any], fds: list[int]) -> None:
        body = json.dumps(message).encode()
        head = _LENGTH.pack(len(body))
        socket.send_fds(connection, [head], fds)
        connection.sendall(body)

    def _await_hello(self, connection: socket.socket) -> int:
        """The watcher's pid on this host: Linux writes it on the message, and nobody else can."""
        head, ancillary, _, _ = connection.recvmsg(_LENGTH.size, socket.CMSG_SPACE(_CREDENTIALS.size))
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and len(head) == _LENGTH.size:
                message = self._read_body(connection, head)
                if message.get("type") != "hello":
                    raise InfrastructureError(f"the sandbox could not begin: {message.get('why', message)}")
                self.environment = str(message["environment"])
                pid, _, _ = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])
                return int(pid)
        raise InfrastructureError("the sandbox closed the connection before it began")

    def _read_body(self, connection: socket.socket, head: bytes) -> dict[str, Any]:
        (length,) = _LENGTH.unpack(head)
        body = b""
        while len(body) < length:
            chunk = connection.recv(min(65536, length - len(body)))
            if not chunk:
                raise InfrastructureError("the sandbox ended in the middle of a message")
            body += chunk
        message: dict[str, Any] = json.loads(body)
        return message

    def _read_ending(self) -> Ending:
        assert self._connection is not None
        head = self._connection.recv(_LENGTH.size)
        self._connection.settimeout(_TIMEOUT)
        if len(head) < _LENGTH.size:
            raise InfrastructureError("the warm server died")
        message = self._read_body(self._connection, head)
        if message.get("type") != "exit":
            raise InfrastructureError(f"the sandbox could not be sealed: {message.get('why', message)}")
        status = int(message["status"])
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        return Ending(code=code, signal=killed, out_of_memory=self._group.out_of_memory())


def _in_background(work: Callable[[], None]) -> Future[None]:
    """Do ``work`` in a thread of its own."""
    future: Future[None] = Future()

    def run() -> None:
        if future.set_running_or_notify_cancel():
            try:
                work()
                future.set_result(None)
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
                future.set_exception(error)

    threading.Thread(target=run, name="group", daemon=True).start()
    return future


class WarmProvisioner(KernelProvisionerBase):
    """Jupyter's seam: lets a kernel manager start, poll and kill a :class:`SealedKernel`."""

    sealed: SealedKernel | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel."""
        return self.sealed is not None

    async def poll(self) -> int | None:
        """None while the kernel runs."""
        ending = None if self.sealed is None else self.sealed.poll()
        return None if ending is None and self.sealed is not None else 1

    async def wait(self) -> int | None:
        """Kill what still runs; there is nothing that would end by itself."""
        await self.kill()
        return 0

    async def send_signal(self, signum: int) -> None:
        """Only an end can be sent: a student's code may ignore any other signal."""
        del signum
        await self.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the kernel."""
        del restart
        if self.sealed is not None:
            self.sealed.kill()

    async def terminate(self, restart: bool = False) -> None:
        """End the kernel."""
        await self.kill(restart)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """The kernel was started with its sandbox; say how to reach it."""
        del cmd, kwargs
        assert self.sealed is not None
        return self.sealed.connection_info()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """There is no command to prepare."""
        return {**kwargs, "cmd": []}

    async def cleanup(self, restart: bool = False) -> None:
        """Nothing is left after :meth:`kill`."""


def kernel_manager(sealed: SealedKernel) -> AsyncKernelManager:
    """A kernel manager around a kernel in its sandbox; its sockets take no message above MAX_MESSAGE."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
    context.setsockopt(zmq.RCVHWM, _RECEIVE_QUEUE)
    manager = AsyncKernelManager(transport="ipc", transport_encryption="disabled", context=context)
    provisioner = WarmProvisioner(parent=manager)
    provisioner.sealed = sealed
    manager.provisioner = provisioner
    manager.load_connection_info(sealed.connection_info())
    return manager


def kernel_client(manager: AsyncKernelManager) -> AsyncKernelClient:
    """The manager's client, with its channels open but for the heartbeat: the lifeline tells more."""
    client = manager.client(context=manager.context)
    client.start_channels(hb=False)
    client.allow_stdin = False
    return client
