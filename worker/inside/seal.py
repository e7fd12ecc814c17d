"""Sealing: what a forked child does to itself before it runs a line of a student's code.

The order matters. User namespace first (it gives the rights for the rest); the ban on further user namespaces before
the child's own /proc is mounted (in the other order a nested one stays possible); limits and capabilities after the
mounts that need them; the system-call filter last.
"""

import os
import resource
import signal
import socket

from . import linux

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
_ROOT = "/tmp/root"  # noqa: S108 - in this process's own mount namespace


def unshare_namespaces():
    """Leave all namespaces; the next child is pid 1 of its own. Maps the one id that this process has."""
    user, group = os.geteuid(), os.getegid()
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # the files below belong to root otherwise
    linux.unshare(_NAMESPACES)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    linux.prctl(linux.PR_SET_DUMPABLE, 0)


def seal(limits, inputs, program):
    """Close every door: file system, host name, limits, capabilities, system calls.

    ``limits``: ``processes``, ``disk_mib``, ``cpu_seconds``, ``open_files``. ``inputs``: the folder of the assignment's
    inputs, with the subfolders ``beside`` (shown read-only in the home folder) and ``working``. ``program``: the filter.
    """
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    _write("/proc/sys/user/max_user_namespaces", "0")
    _build_root(limits["disk_mib"], inputs)
    _enter_root()
    socket.sethostname("sandbox")
    _limit(limits)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.install_filter(program)


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _build_root(disk_mib, inputs):
    _tmpfs("/tmp", 1, 4096)  # noqa: S108
    os.mkdir(_ROOT)
    _tmpfs(_ROOT, 1, 4096)
    for name in _SHOWN:
        _bind("/" + name, f"{_ROOT}/{name}")
    for name in _LINKS:
        if os.path.islink("/" + name):
            os.symlink(os.readlink("/" + name), f"{_ROOT}/{name}")
        elif os.path.isdir("/" + name):
            _bind("/" + name, f"{_ROOT}/{name}")
    _bind("/dev", _ROOT + "/dev")
    _tmpfs(_ROOT + "/dev/shm", disk_mib, 4096)
    os.mkdir(_ROOT + "/tmp")
    _tmpfs(_ROOT + "/tmp", disk_mib, 16384)
    os.mkdir(_ROOT + "/proc")
    linux.mount("proc", _ROOT + "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    _build_home(_ROOT + HOME, disk_mib, inputs)


def _build_home(home, disk_mib, inputs):
    os.makedirs(home)
    _tmpfs(home, 4, 4096)
    working = home + "/working"
    os.mkdir(working)
    _tmpfs(working, disk_mib, 16384)
    for name in _entries(inputs + "/beside"):
        _bind(f"{inputs}/beside/{name}", f"{home}/{name}")
    for name in _entries(inputs + "/working"):
        _bind(f"{inputs}/working/{name}", f"{working}/{name}")


def _entries(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def _tmpfs(target, size_mib, inodes):
    flags = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("tmpfs", target, "tmpfs", flags, f"mode=0755,size={size_mib}m,nr_inodes={inodes}")


def _bind(source, target):
    """Show ``source`` at ``target`` with all mounted below it; the jail's own mounts are read-only already."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)


def _enter_root():
    os.chdir(_ROOT)
    linux.pivot_root(".", ".")
    linux.detach(".")
    os.chdir("/")
    linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)
    os.chdir(WORKING)


def _limit(limits):
    cpu = int(limits["cpu_seconds"])
    disk = limits["disk_mib"] << 20
    for what, soft, hard in (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, disk, disk),
        (resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
        (resource.RLIMIT_NPROC, limits["processes"], limits["processes"]),
    ):
        resource.setrlimit(what, (soft, hard))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
