"""The warm server: imports an environment's packages once, then forks one child a submission.

Theory of operation. This process is started inside the outer jail. It imports everything that notebooks of
the environment import and uses none of it: after one TensorFlow operation or one zmq context, forked children
hang. It then waits on a listening socket that the trusted side made. Each connection is one submission,
handed to a forked child (``session``) that serves this one and no other. Children are forked ahead and stand
by, sealed and with an initialised kernel, so that a submission waits for none of that; where none stands by,
one is forked at once. The connection is the lifeline: when its other end closes, the child and all that it
started die.

Nothing here may be secret: every child inherits this process's memory.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import compat, linux
from .standby import Standby

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> None:
    """Serve until the parent closes the lifeline. ``argv[1]`` is the configuration as JSON."""
    config = json.loads(sys.argv[1])
    started = time.monotonic()
    preload(config["preload"])
    compat.load_all()
    require_one_thread()
    gc.collect()
    gc.freeze()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    announce(config["status_fd"], time.monotonic() - started)
    program = Path("/seccomp.bpf").read_bytes()
    with socket.socket(fileno=config["listen_fd"]) as listener:
        serve(listener, config, program)
    wait_for_children()


def preload(names: Iterable[str]) -> None:
    """Import ``names``; raises ImportError naming the one that is missing."""
    for name in names:
        importlib.import_module(name)


def require_one_thread() -> None:
    """Refuse to fork with threads: the child would hold their locks and not the threads."""
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        raise SystemExit(f"the preloaded packages started {threads - 1} threads; forking would not be safe")


def announce(fd: int, seconds: float) -> None:
    """Tell the trusted side that the imports are done, and what they took."""
    resident = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    message = {"seconds": round(seconds, 3), "resident_bytes": resident}
    os.write(fd, json.dumps(message).encode() + b"\n")


def serve(listener: socket.socket, config: dict[str, Any], program: bytes) -> None:
    """Hand every connection to a child; reap the finished ones. Returns when asked to drain."""
    served, drain = 0, config["drain_fd"]
    private = (listener.fileno(), drain, config["status_fd"])
    standby = Standby(config["standby"], config["label"], program, private)
    while True:
        readable, _, _ = select.select([listener, drain, *standby], [], [], standby.patience())
        reap()
        standby.listen(readable)
        if drain in readable:
            standby.dismiss()
            return
        if listener not in readable:
            standby.refill()
            continue
        connection, _ = listener.accept()
        with connection:
            standby.hand_over(connection)
        served += 1
        if served == config["recycle_after"]:
            os.write(config["status_fd"], b"tired\n")


def wait_for_children() -> None:
    """Stay until the last session has ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def reap() -> None:
    """Collect finished children, so that none stays as a zombie."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main()
