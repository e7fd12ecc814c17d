"""Sealing: what a forked child does to itself before it runs a line of a student's code.

One function a layer, and each holds alone (``tests/worker/test_layers.py``). The order matters. User
namespace first (it gives the rights for the rest); the ban on further user namespaces before the child's own
/proc is mounted (in the other order a nested one stays possible); limits and capabilities after the mounts
that need them; the system-call filter last.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from . import linux

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = "/home/student"
WORKING = HOME + "/working"
_NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
)
_SHOWN = ("usr", "env", "etc")
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ROOT = "/tmp/root"  # in this process's own mount namespace
_INPUTS = "/tmp/inputs"  # everybody's, until the request tells which ones to show
_WRITABLE = {"/dev/shm": 4096, "/tmp": 16384, WORKING: 16384}  # with so many files at most
_WAITING_MIB = 16


class Limits(TypedDict):
    """What a submission may use: disk in MiB, output in bytes, seconds of processor time.

    ``data_mib``: what each process may allocate beyond what the kernel begins with; 0: without a bound.
    """

    processes: int
    disk_mib: int
    data_mib: int
    cpu_seconds: int
    open_files: int
    output_bytes: int


def unshare_namespaces(flags: int = _NAMESPACES) -> None:
    """Leave all namespaces; the next child is pid 1 of its own. Maps the one id that this process has."""
    user, group = os.geteuid(), os.getegid()
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # the files below belong to root otherwise
    linux.unshare(flags)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    linux.prctl(linux.PR_SET_DUMPABLE, 0)


def build() -> None:
    """Make the closed world that every submission gets: file system, host name; what only a request tells is
    left to :func:`complete`. For pid 1 of the new namespaces."""
    make_mounts_private()
    forbid_user_namespaces()
    enter_own_root()
    socket.sethostname("sandbox")
    linux.prctl(linux.PR_SET_DUMPABLE, 0)


def complete(limits: Limits, inputs: str, kernel: int) -> None:
    """Show the inputs ``inputs`` (a folder's name), and set the limits of this process and of ``kernel``."""
    show_inputs(limits["disk_mib"], inputs)
    limit_resources(limits)
    limit_resources(limits, kernel)


def give_up_rights(program: bytes) -> None:
    """No capability and no system call but what the filter ``program`` allows, for good."""
    linux.drop_capabilities()
    filter_system_calls(program)


def make_mounts_private() -> None:
    """Let no mount of this process reach anybody else's mount namespace."""
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)


def forbid_user_namespaces() -> None:
    """No further user namespace in this one, and so no new rights; to be called before a /proc is mounted."""
    _write("/proc/sys/user/max_user_namespaces", "0")


def enter_own_root() -> None:
    """Make a read-only root with fresh writable folders, and forget the old one. Ends in the working folder.

    The folders are small until :func:`show_inputs` has been called.
    """
    _build_root()
    _enter_root()
    os.chdir(WORKING)


def show_inputs(disk_mib: int, inputs: str) -> None:
    """Show the folder ``inputs`` of all inputs, hide the others, and give the writable folders their size.

    Its subfolder ``beside`` is shown read-only in the home folder, ``working`` in the working folder.
    """
    shown = Path(_INPUTS, inputs)
    for place, name in ((HOME, "beside"), (WORKING, "working")):
        for source in _entries(shown / name):
            _bind(source, Path(place, source.name))
    linux.detach(_INPUTS)
    Path(_INPUTS).rmdir()
    for folder, inodes in _WRITABLE.items():
        _tmpfs(Path(folder), disk_mib, inodes, linux.MS_REMOUNT)


def limit_resources(limits: Limits, pid: int = 0) -> None:
    """Set the limits that the system counts a process (a user namespace, for the number of processes).

    ``pid``: whose limits; 0 is this process.
    """
    for what, soft, hard in _resource_limits(limits):
        resource.prlimit(pid, what, (soft, hard))
    if limits["data_mib"]:
        most = _data_bytes(pid) + (limits["data_mib"] << 20)
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a file is an OSError, not the kernel's death


def filter_system_calls(program: bytes) -> None:
    """Refuse what the filter does not allow, and rights gained through programs; nothing takes this back."""
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.install_filter(program)


def _data_bytes(pid: int) -> int:
    """What ``pid`` has allocated, as RLIMIT_DATA counts it: proc(5), VmData, in KiB."""
    status = Path(f"/proc/{pid or 'self'}/status").read_text("ascii", errors="replace")
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmData:"))


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, "ascii")


def _build_root() -> None:
    root = Path(_ROOT)
    _tmpfs(root.parent, 1, 4096)
    root.mkdir()
    _tmpfs(root, 1, 4096)
    for name in _SHOWN:
        _bind(Path("/", name), root / name)
    for name in _LINKS:
        _show_link(Path("/", name), root / name)
    _bind(Path("/dev"), root / "dev")
    (root / "tmp").mkdir()
    (root / "proc").mkdir()
    linux.mount("proc", f"{root}/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    home = root / HOME.lstrip("/")
    home.mkdir(parents=True)
    _tmpfs(home, 4, 4096)
    (home / "working").mkdir()
    for folder, inodes in _WRITABLE.items():
        _tmpfs(root / folder.lstrip("/"), _WAITING_MIB, inodes)
    _bind(Path("/inputs"), root / _INPUTS.lstrip("/"))


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _show_link(source: Path, target: Path) -> None:
    """``/bin`` and its like are links into ``/usr`` on some systems and folders on others."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        _bind(source, target)


def _tmpfs(target: Path, size_mib: int, inodes: int, change: int = 0) -> None:
    flags = linux.MS_NOSUID | linux.MS_NODEV | change
    linux.mount("tmpfs", str(target), "tmpfs", flags, f"mode=0755,size={size_mib}m,nr_inodes={inodes}")


def _bind(source: Path, target: Path) -> None:
    """Show ``source`` at ``target`` with all mounted below it, read-only (as the jail's mounts are, too)."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.touch(0o600)
    linux.mount(str(source), str(target), None, linux.MS_BIND | linux.MS_REC)
    linux.make_read_only(str(target))


def _enter_root() -> None:
    os.chdir(_ROOT)
    linux.pivot_root(".", ".")
    linux.detach(".")
    os.chdir("/")
    linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)


def _resource_limits(limits: Limits) -> Iterator[tuple[int, int, int]]:
    cpu, disk = limits["cpu_seconds"], limits["disk_mib"] << 20
    yield resource.RLIMIT_CPU, cpu, cpu + 1
    yield resource.RLIMIT_CORE, 0, 0
    yield resource.RLIMIT_FSIZE, disk, disk
    yield resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]
    yield resource.RLIMIT_MEMLOCK, 0, 0
    yield resource.RLIMIT_MSGQUEUE, 0, 0
    yield resource.RLIMIT_NPROC, limits["processes"], limits["processes"]
