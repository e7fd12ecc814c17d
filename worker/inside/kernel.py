"""The kernel of one submission: an ordinary ipykernel on sockets that the trusted side made.

It initialises itself before its submission is there, with sockets that are bound to nothing, and waits. The
request names the plan and brings the listening descriptors; each socket is then bound in the thread that owns
it (a zmq socket belongs to one thread).
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import socket
import sys
import traceback
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TextIO, TypedDict, cast

import zmq
from ipykernel.control import ControlThread
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.shellchannel import ShellChannelThread
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets import Float, Type
from traitlets.config import Config

from . import compat, inline, learntools, seal
from .messages import receive
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import ModuleType

# The debugger would want sockets and threads, and costs every kernel a tenth of a second; without debugpy
# there is none.
sys.modules["debugpy"] = cast("ModuleType", None)  # how Python spells "cannot be imported"
_PRELOADED = [
    importlib.import_module(name)
    for name in (
        "ipykernel.debugger", "tornado.platform.asyncio", "IPython.core.debugger", "IPython.core.oinspect",
        "IPython.core.ultratb", "stack_data", "pygments.lexers.python", "pygments.styles.default",
        "pygments.formatters.terminal256", "pygments.formatters.terminal",
    )
]  # fmt: skip
del sys.modules["debugpy"]

READY = b"r"  # what a kernel that stands by tells the server
_PIECE = 1 << 18
_CHANNELS = ("shell", "stdin", "control", "iopub")
_ENVIRONMENT = {
    "HOME": seal.HOME,
    "USER": "student",
    "LOGNAME": "student",
    "TMPDIR": "/tmp",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}


class Request(TypedDict):
    """What the trusted side asks for: ``plan``: ``checks.plan.RunPlan`` as data; ``key`` signs messages."""

    plan: dict[str, Any]
    inputs: str
    key: str
    seed: int
    limits: seal.Limits


class SealedShell(ZMQInteractiveShell):
    """IPython's shell without what a graded notebook has no use for."""

    def ask_exit(self) -> None:
        """Stay: an exit with delay would end the run at a random later cell."""
        print("exit and quit do nothing while a notebook is graded")

    @contextmanager
    def _tee(self, channel: str) -> Generator[None]:
        """Keep no second copy of everything that is printed: it would grow without bound."""
        del channel
        yield


class SealedKernel(IPythonKernel):
    """An IPython kernel with that shell."""

    shell_class = Type(SealedShell)
    _execute_sleep = Float(0.0)  # the trusted side waits for ``idle``, not for the output to settle


class SealedKernelApp(IPKernelApp):
    """An ipykernel whose channels listen on descriptors that come later; it knows no path, writes no file."""

    kernel_class = Type(SealedKernel)

    def _bind_socket(self, s: zmq.Socket[bytes], port: int) -> int:
        """Later: see :meth:`listen`."""
        self._unbound = {**getattr(self, "_unbound", {}), _CHANNELS[port - 1]: s}
        return port

    def listen(self, descriptors: dict[str, int]) -> None:
        """Bind every channel's socket to its listening descriptor, in the thread that owns the socket."""
        owners: dict[str, Callable[[Callable[[], None]], object]] = {
            "shell": self.shell_channel_thread.io_loop.add_callback,
            "control": self.control_thread.io_loop.add_callback,
            "iopub": self.iopub_thread.schedule,
            "stdin": lambda bind: bind(),
        }
        for channel, unbound in self._unbound.items():
            owners[channel](partial(_bind, unbound, channel, descriptors[channel]))

    def init_connection_file(self) -> None:
        """There is none: the trusted side owns the sockets."""

    def write_connection_file(self, **kwargs: object) -> None:
        """There is none to write."""

    def cleanup_connection_file(self) -> None:
        """There is none to clean up."""

    def init_heartbeat(self) -> None:
        """The trusted side sees the process itself; no heart needs to beat."""
        self.heartbeat = None

    def log_connection_info(self) -> None:
        """Nobody reads it; only the ports are noted, as the base class does."""
        self._ports = {name: getattr(self, f"{name}_port") for name in _CHANNELS}

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """The output channel: it waits for a slow reader instead of dropping messages; no second socket."""
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = IOPubThread(self.iopub_socket, pipe=False, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_control(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """The control channel, without the debugger's sockets."""
        self.control_socket = context.socket(zmq.ROUTER)
        self.control_socket.linger = 1000
        self.control_port = self._bind_socket(self.control_socket, self.control_port)
        self.debugpy_socket = context.socket(zmq.STREAM)
        self.debug_shell_socket = context.socket(zmq.DEALER)
        self.control_socket.router_handover = 1
        self.control_thread = ControlThread(daemon=True)
        self.shell_channel_thread = ShellChannelThread(context, daemon=True)


class BoundedStream(OutStream):
    """Standard output that stops keeping text beyond a bound, which is above the trusted side's limit.

    That side ends the run when it has counted that much; without a bound here, a fast writer would fill the
    memory first.
    """

    left: ClassVar[int] = 0

    def _flush_buffers(self) -> Iterator[tuple[Any, str]]:
        """What waits to be sent, in pieces that no bound on a single message concerns."""
        for parent, text in super()._flush_buffers():
            for start in range(0, len(text), _PIECE):
                yield parent, text[start : start + _PIECE]

    def write(self, string: str) -> int:
        """Keep ``string`` while there is room."""
        length = len(string)
        if BoundedStream.left <= 0:
            return length
        kept = string[: BoundedStream.left]
        BoundedStream.left -= len(kept)
        super().write(kept)
        return length


def run(channel: socket.socket, control: socket.socket, program: bytes) -> NoReturn:
    """Become a kernel, say so on ``control``, wait for the request on ``channel``, serve it; never returns.

    With the request come descriptors: shell, stdin, control, iopub, evidence, in this order.
    """
    code, log = 1, None
    try:
        seal.give_up_rights(program)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.environ.update(_ENVIRONMENT)
        log = _leave_standard_streams()
        app = start_app()
        tell_ready(control)
        with channel:
            request, fds = receive(channel)
        begin(app, request, fds)
        log.close()
        app.start()
        code = 0
    except (SystemExit, ConnectionError):  # the latter: nobody needed this kernel
        code = 0
    except BaseException:  # noqa: BLE001 - a forked child: nothing may unwind; the log gets the reason
        if log is not None and not log.closed:
            traceback.print_exc(file=log)
    finally:
        os._exit(code)


def tell_ready(control: socket.socket) -> None:
    """Tell the server; it does not listen any more where a submission is waiting for this kernel already."""
    with control, suppress(BrokenPipeError):
        control.send(READY, socket.MSG_NOSIGNAL)


def seed(number: int) -> None:
    """Seed the global generators: a fork would otherwise give every student the same random numbers."""
    random.seed(number)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(number % 2**32)


def start_app() -> SealedKernelApp:
    """The initialised application: its threads run, its sockets are not bound, its loop does not run."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.IPKernelApp.outstream_class = f"{__name__}.BoundedStream"
    app: SealedKernelApp = SealedKernelApp.instance(config=config)
    app.transport, app.ip = "ipc", "kernel"
    app.shell_port, app.stdin_port, app.control_port, app.iopub_port = 1, 2, 3, 4
    app.initialize([])
    return app


def begin(app: SealedKernelApp, request: Request, fds: list[int]) -> None:
    """Make the kernel that stands by the kernel of ``request``, and let it listen."""
    seed(request["seed"])
    app.session.key = request["key"].encode("ascii")
    BoundedStream.left = request["limits"]["output_bytes"] + (1 << 20)
    prepare(request, fds, app.shell)
    app.listen(dict(zip(_CHANNELS, fds, strict=False)))


def _bind(unbound: zmq.Socket[bytes], channel: str, descriptor: int) -> None:
    unbound.setsockopt(zmq.USE_FD, descriptor)
    unbound.bind(f"ipc://{channel}")


def prepare(request: Request, fds: list[int], shell: Any) -> None:
    """Give the notebook what its assignment names: shims, the parts' module, the watch over its variables."""
    plan = request["plan"]
    compat.apply(plan["compat"])
    inline.show_figures(shell)
    watch = Watch(shell, plan, fds[len(_CHANNELS)], request["seed"])
    watch.install()
    if plan["module"]:
        learntools.install(json.loads(json.dumps(plan)), watch.take)


def _leave_standard_streams() -> TextIO:
    """Point the standard streams at nothing; return what was behind them, the host's log, for start-up."""
    log = os.fdopen(os.dup(2), "w", buffering=1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return log
