"""A program for ``test_layers``: applies one layer of the seal to itself and says what one attempt came to.

It runs on any Python with ``_grader_inside`` on its path. ``argv[1]`` is JSON: ``uid`` (taken when it is
root), ``namespaces`` (those to leave first: rights in one's own user namespace are what a layer has to hold
against), ``layer`` (``none``: the control), ``attempt`` and its ``argument``, and what the layers need.
"""

from __future__ import annotations

import base64
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _grader_inside import linux, seal

NAMESPACES = {
    "user": linux.CLONE_NEWUSER,
    "mount": linux.CLONE_NEWNS,
    "pid": linux.CLONE_NEWPID,
    "net": linux.CLONE_NEWNET,
    "ipc": linux.CLONE_NEWIPC,
    "host name": linux.CLONE_NEWUTS,
}


def own_root(settings: dict[str, Any]) -> None:
    """The layer of the file system, as :mod:`session` puts it together."""
    seal.make_mounts_private()
    seal.enter_own_root()
    seal.show_inputs(settings["limits"]["disk_mib"], settings["inputs"])


LAYERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "none": lambda _settings: None,
    "filter": lambda settings: seal.filter_system_calls(base64.b64decode(settings["program"])),
    "capabilities": lambda _settings: linux.drop_capabilities(),
    "no user namespaces": lambda _settings: seal.forbid_user_namespaces(),
    "limits": lambda settings: seal.limit_resources(settings["limits"]),
    "own root": own_root,
}


def status(names: list[str]) -> list[int]:
    """Numbers of this process's status, by their names there."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return [int(fields[name], 16) for name in names]


def trace_me(_argument: object) -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


def find_shared_memory(key: int) -> None:
    if ctypes.CDLL(None, use_errno=True).shmget(key, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "shmget")


def open_files(number: int) -> None:
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(number)]
    for fd in held:
        os.close(fd)


def take_memory(mebibytes: int) -> str:
    try:
        bytearray(mebibytes << 20)
    except MemoryError:
        return "MemoryError"
    return "done"


def write_file(mebibytes: int) -> None:
    fd = os.memfd_create("large")
    for _ in range(mebibytes):
        os.write(fd, bytes(1 << 20))


def start_processes(number: int) -> None:
    started = []
    try:
        for _ in range(number):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            started.append(pid)
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def spin(seconds: float) -> str:
    """Use so much processor time in a child; what ended it."""
    pid = os.fork()
    if pid == 0:
        while time.process_time() < seconds:
            pass
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "done"


def ask_for_cores(_argument: object) -> str:
    """Whether a core file may be written, now or after asking for it."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except ValueError:
        return "refused"
    return "done"


def connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


def create(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def fill(path: str) -> None:
    """Write 8 MiB."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    for _ in range(8):
        os.write(fd, bytes(1 << 20))
        os.lseek(fd, 0, os.SEEK_END)


ATTEMPTS: dict[str, Callable[[Any], object]] = {
    "status": status,
    "mount": lambda _argument: linux.mount("tmpfs", "/tmp", "tmpfs"),
    "unshare": lambda name: linux.unshare(NAMESPACES[name]),
    "trace": trace_me,
    "socket": lambda family: socket.socket(getattr(socket, family)).close(),
    "open files": open_files,
    "take memory": take_memory,
    "write a file": write_file,
    "start processes": start_processes,
    "spin": spin,
    "ask for cores": ask_for_cores,
    "signal": lambda pid: os.kill(pid, 0),
    "connect": connect,
    "list devices": lambda _argument: [name for _, name in socket.if_nameindex()],
    "list": lambda folder: sorted(entry.name for entry in Path(folder).iterdir()),
    "find shared memory": find_shared_memory,
    "name the host": socket.sethostname,
    "create": create,
    "fill": fill,
}


def become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def attempt(settings: dict[str, Any]) -> object:
    """What came of it: a value, ``done``, or the name of the error."""
    try:
        found = ATTEMPTS[settings["attempt"]](settings["argument"])
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done" if found is None else found


def main() -> None:
    settings = json.loads(sys.argv[1])
    if os.geteuid() == 0:
        become(settings["uid"])
    bystander = os.fork()
    if bystander == 0:
        signal.pause()
    if settings["argument"] == "bystander":
        settings["argument"] = bystander
    seal.unshare_namespaces(sum(NAMESPACES[name] for name in settings["namespaces"]))
    pid = os.fork()  # the first process of a new pid namespace
    if pid == 0:
        try:
            LAYERS[settings["layer"]](settings)
            print(json.dumps(attempt(settings)), flush=True)
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.waitpid(pid, 0)
    os.kill(bystander, signal.SIGKILL)


if __name__ == "__main__":
    main()
