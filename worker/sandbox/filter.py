"""The system-call filter: a default-deny list, compiled here by libseccomp and installed inside by ``prctl``.

What is not named answers EPERM. Namespaces, mounts, tracing, kernel keys, modules, io_uring, bpf and
userfaultfd are left out on purpose; ``clone3`` answers ENOSYS, so that the C library falls back to ``clone``,
whose flags a filter can read.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import tempfile
from functools import cache

from worker.errors import SandboxUnavailable

_ALLOWED = """
accept accept4 access alarm arch_prctl bind brk capget chdir chmod clock_getres clock_gettime clock_nanosleep
close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait
epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64
fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat chown lchown fcntl fdatasync fgetxattr flistxattr
flock fork fstat fstatfs fsync ftruncate futex futex_waitv get_robust_list get_thread_area getcpu getcwd
getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid
getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid
gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioprio_get kill
lgetxattr link linkat listen listxattr llistxattr lseek lstat madvise membarrier memfd_create mincore mkdir
mkdirat mlock mlock2 mmap mprotect mremap msync munlock munmap nanosleep newfstatat open openat openat2 pause
pidfd_open pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64
pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg rename renameat renameat2
restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
sendfile sendmmsg sendmsg sendto set_robust_list set_tid_address setitimer setpgid setpriority setrlimit
setsid setsockopt shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat
statfs statx symlink symlinkat sync_file_range sysinfo tee tgkill time timer_create timer_delete
timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill
truncate umask uname unlink unlinkat utime utimensat utimes vfork wait4 waitid write writev
"""

_NEW_NAMESPACES = 0x7E020080  # CLONE_NEW{CGROUP,UTS,IPC,USER,PID,NET,TIME} and CLONE_NEWNS
_TIOCSTI = 0x5412
_ALLOW = 0x7FFF0000
_EQ, _MASKED_EQ = 4, 7


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


@cache
def compile_filter() -> bytes:
    """The filter for this machine as BPF instructions, 8 bytes each; raises SandboxUnavailable."""
    library = _library()
    context = library.seccomp_init(_error(errno.EPERM))
    if not context:
        raise SandboxUnavailable("libseccomp could not begin a filter")
    try:
        for name in _ALLOWED.split():
            _rule(library, context, _ALLOW, name)
        _rules_with_arguments(library, context)
        return _export(library, context)
    finally:
        library.seccomp_release(context)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as error:
        raise SandboxUnavailable("libseccomp is missing: apt-get install libseccomp2") from error
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Comparison),
    ]  # fmt: skip
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


def _error(number: int) -> int:
    return 0x00050000 | number


def _rule(library: ctypes.CDLL, context: int, action: int, name: str, *comparisons: _Comparison) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:  # this architecture, or this libseccomp, does not know the call: it stays denied
        return
    array = (_Comparison * len(comparisons))(*comparisons)
    result = library.seccomp_rule_add_array(context, action, number, len(comparisons), array)
    if result != 0:
        raise SandboxUnavailable(f"libseccomp refused the rule for {name}: {os.strerror(-result)}")


def _rules_with_arguments(library: ctypes.CDLL, context: int) -> None:
    _rule(library, context, _error(errno.ENOSYS), "clone3")
    _rule(library, context, _ALLOW, "clone", _Comparison(0, _MASKED_EQ, _NEW_NAMESPACES, 0))
    _rule(library, context, _ALLOW, "socket", _Comparison(0, _EQ, socket.AF_UNIX, 0))
    # libzmq aborts the kernel on any other answer than this one.
    _rule(library, context, _error(errno.EOPNOTSUPP), "socket", _Comparison(0, _EQ, socket.AF_NETLINK, 0))
    # Any request that differs from TIOCSTI in one of the 32 bits that the kernel reads: a plain "not equal"
    # compares 64 bits, and a set bit above them would slip through.
    for bit in (1 << number for number in range(32)):
        _rule(library, context, _ALLOW, "ioctl", _Comparison(1, _MASKED_EQ, bit, bit & ~_TIOCSTI))


def _export(library: ctypes.CDLL, context: int) -> bytes:
    with tempfile.TemporaryFile() as file:
        if library.seccomp_export_bpf(context, file.fileno()) != 0:
            raise SandboxUnavailable("libseccomp could not write the filter")
        file.seek(0)
        return file.read()
