"""Control groups: the memory and process limits of one submission, and the truth about who broke them.

Three drivers, tried in this order: version 2, version 1, and a watchdog that samples the resident set where
neither hierarchy can be written (``memory_limit`` in every result names the driver). Each makes one group a
submission. Where processor time can be controlled, too, a submission has a bounded share of it, however many
processes it starts: its neighbours and the service go on beside it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import Protocol

import psutil

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
_MIB = 1 << 20
_PROCESSORS = 2  # whose time one submission may use
_PERIOD = 100_000  # microseconds, in which that is counted
_REMOVE_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Group(Protocol):
    """One submission's group."""

    def add(self, pid: int) -> None:
        """Put a process, all that it has started and all that these will start, into the group."""

    def out_of_memory(self) -> bool:
        """Whether the memory limit killed anything."""

    def peak_bytes(self) -> int | None:
        """The most memory that the group has held at once so far; None where nobody counted."""

    def close(self) -> None:
        """Kill what is left in the group and remove it."""


class Driver(Protocol):
    """Makes groups; ``name`` is what results call it, ``version`` tells more."""

    name: str
    version: str

    def sweep(self) -> None:
        """Remove what owners left behind that are gone."""

    def create(self, label: str, memory_mib: int, processes: int) -> Group:
        """A new group named ``label``."""


def choose_driver(root: Path = ROOT, membership: Path = MEMBERSHIP) -> Driver:
    """The best driver that works here. ``root`` has the hierarchies, ``membership`` our place in them."""
    groups = membership.read_text()
    return _version_2(root, groups) or _version_1(root, groups) or Watchdog()


def _own_path(groups: str, controller: str) -> str | None:
    """This process's group in the hierarchy of ``controller`` (empty: the unified one)."""
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return None


def _usable(folder: Path) -> bool:
    probe = folder / f"grader-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _version_2(root: Path, groups: str) -> Driver | None:
    path = _own_path(groups, "")
    if path is None or not (root / "cgroup.controllers").exists():
        return None
    own = root / path.lstrip("/")
    for base in (own, own.parent):
        if base.is_relative_to(root) and _delegated(base):
            return Version2(base)
    return None


def _delegated(base: Path) -> bool:
    """Whether groups that we make below ``base`` count memory and processes; switches that on if need be."""
    control = base / "cgroup.subtree_control"
    if not _usable(base):
        return False
    if not _counts_both(control):
        with contextlib.suppress(OSError):  # refused where processes sit in the group itself
            control.write_text("+memory +pids")
    if not _counts_both(control):
        return False
    if "cpu" not in _switched_on(control):
        with contextlib.suppress(OSError):  # not every owner hands it on
            control.write_text("+cpu")
    return True


def _counts_both(control: Path) -> bool:
    return {"memory", "pids"} <= _switched_on(control)


def _switched_on(control: Path) -> set[str]:
    return set(control.read_text().split()) if control.exists() else set()


def _version_1(root: Path, groups: str) -> Driver | None:
    memory, pids, cpu = (_separate(root, groups, name) for name in ("memory", "pids", "cpu"))
    return None if memory is None or pids is None else Version1(memory, pids, cpu)


def _separate(root: Path, groups: str, controller: str) -> Path | None:
    """Where groups can be made that ``controller`` alone looks at; None where that is nowhere."""
    path = _own_path(groups, controller)
    folder = root / controller / (path or "").lstrip("/")
    return folder if path is not None and folder.is_dir() and _usable(folder) else None


class Version2:
    """The unified hierarchy, where our own group is delegated to us."""

    name = "cgroup"
    version = "version 2"

    def __init__(self, base: Path) -> None:
        self._base = base

    def sweep(self) -> None:
        """See :class:`Driver`."""
        _sweep(self._base)

    def create(self, label: str, memory_mib: int, processes: int) -> Group:
        """See :class:`Driver`."""
        folder = self._base / _group_name(label)
        folder.mkdir()
        (folder / "memory.max").write_text(str(memory_mib * _MIB))
        with contextlib.suppress(OSError):  # a kernel without swap accounting
            (folder / "memory.swap.max").write_text("0")
        (folder / "memory.oom.group").write_text("1")
        (folder / "pids.max").write_text(str(processes))
        if "cpu" in _switched_on(self._base / "cgroup.subtree_control"):
            (folder / "cpu.max").write_text(f"{_PROCESSORS * _PERIOD} {_PERIOD}")
        return _Group2(folder)


class _Group2:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, pid: int) -> None:
        _move_family(pid, self._folder)

    def out_of_memory(self) -> bool:
        return _counter(self._folder / "memory.events", "oom_kill") > 0

    def peak_bytes(self) -> int | None:
        return _number(self._folder / "memory.peak")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            (self._folder / "cgroup.kill").write_text("1")
        _remove(self._folder)


class Version1:
    """The separate hierarchies of the first version."""

    name = "cgroup"
    version = "version 1"

    def __init__(self, memory: Path, pids: Path, cpu: Path | None = None) -> None:
        self._memory, self._pids, self._cpu = memory, pids, cpu

    def sweep(self) -> None:
        """See :class:`Driver`."""
        _sweep(*filter(None, (self._memory, self._pids, self._cpu)))

    def create(self, label: str, memory_mib: int, processes: int) -> Group:
        """See :class:`Driver`."""
        memory, pids = self._memory / _group_name(label), self._pids / _group_name(label)
        memory.mkdir()
        pids.mkdir()
        (memory / "memory.limit_in_bytes").write_text(str(memory_mib * _MIB))
        with contextlib.suppress(OSError):  # a kernel without swap accounting
            (memory / "memory.memsw.limit_in_bytes").write_text(str(memory_mib * _MIB))
        (pids / "pids.max").write_text(str(processes))
        return _Group1(memory, pids, None if self._cpu is None else _bounded_time(self._cpu, label))


def _bounded_time(parent: Path, label: str) -> Path:
    """A group that has the time of so many processors at most."""
    folder = parent / _group_name(label)
    folder.mkdir()
    with contextlib.suppress(OSError):  # our own group may have less, which holds for this one, too
        (folder / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (folder / "cpu.cfs_quota_us").write_text(str(_PROCESSORS * _PERIOD))
    return folder


class _Group1:
    def __init__(self, memory: Path, pids: Path, cpu: Path | None) -> None:
        self._memory, self._pids, self._cpu = memory, pids, cpu

    def add(self, pid: int) -> None:
        _move_family(pid, self._memory, self._pids)
        if self._cpu is not None:  # ``pid`` itself has to see the end of the run, and is not held up by it
            for each in _children(pid) or [pid]:
                _move_family(each, self._cpu)

    def out_of_memory(self) -> bool:
        return _counter(self._memory / "memory.oom_control", "oom_kill") > 0

    def peak_bytes(self) -> int | None:
        return _number(self._memory / "memory.max_usage_in_bytes")

    def close(self) -> None:
        for folder in filter(None, (self._memory, self._pids, self._cpu)):
            _remove(folder)


class Watchdog:
    """No hierarchy to write to: sample the resident set of the process tree ten times a second."""

    name = "watchdog"
    version = "no control group"

    def sweep(self) -> None:
        """See :class:`Driver`; there is nothing to leave."""

    def create(self, label: str, memory_mib: int, processes: int) -> Group:
        """See :class:`Driver`; the number of processes is limited inside the sandbox alone."""
        del label, processes
        return _WatchedTree(memory_mib * _MIB)


class _WatchedTree:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._peak: int | None = None
        self._broken = False
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def _watch(self, pid: int) -> None:
        while not self._done.wait(0.1):
            try:
                tree = psutil.Process(pid).children(recursive=True)
                used = sum(process.memory_info().rss for process in tree)
            except psutil.Error:
                continue
            self._peak = max(used, self._peak or 0)
            if used > self._limit:
                self._broken = True
                for process in tree:
                    with contextlib.suppress(psutil.Error):
                        process.kill()
                return

    def out_of_memory(self) -> bool:
        return self._broken

    def peak_bytes(self) -> int | None:
        return self._peak

    def close(self) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()


def _move_family(pid: int, *groups: Path) -> None:
    """Put ``pid`` and its descendants into the groups, whatever they start meanwhile.

    Each is moved before its children are read, by proc(5)'s ``children``: what it starts from then on is born
    in the groups, and what it had started is read. In the other order a child could slip between the two.
    """
    family = [pid]
    for member in family:  # which grows meanwhile
        for group in groups:
            (group / "cgroup.procs").write_text(str(member))
        family += _children(member)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _group_name(label: str) -> str:
    return f"grader-{os.getpid()}-{label}"


def _sweep(*folders: Path) -> None:
    """Remove the groups of owners that are gone, with what is left in them: who was killed could not.

    A process that has no number here (0) belongs to another container, and so may the owner: such are left.
    """
    for folder in folders:
        for group in folder.glob("grader-*-*"):
            owner = group.name.split("-")[1]
            if owner.isdigit() and not psutil.pid_exists(int(owner)) and 0 not in _members(group):
                _remove(group)


def _counter(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _number(file: Path) -> int | None:
    """The number that a file of a group holds; None where this kernel has no such file."""
    try:
        return int(file.read_text())
    except FileNotFoundError:
        return None


def _remove(folder: Path) -> None:
    """Kill what is in the group until it can be removed; what stays is told, and swept at the next start."""
    pause, deadline = 0.0005, time.monotonic() + _REMOVE_SECONDS
    while not _removed(folder):
        if time.monotonic() > deadline:
            _log.error("the control group %s could not be removed: %s", folder, _members(folder) or "busy")
            return
        for pid in filter(None, _members(folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _members(folder: Path) -> list[int]:
    """The processes in a group; none where it is gone."""
    try:
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    except FileNotFoundError:
        return []
