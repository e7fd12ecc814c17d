"""The parts of the host that the sandbox is made of: which are there, and what brings a missing one.

All but one must be there, and nothing runs without them. The exception is a control group: without a writable
one the watchdog limits the memory, less exactly, and every result says so; the setting ``require_cgroup``
refuses that, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from worker.errors import SandboxUnavailable
from worker.sandbox.cgroups import Watchdog, choose_driver
from worker.sandbox.filter import compile_filter

PROC = Path("/proc")


class Layer(NamedTuple):
    """One part: whether it is there, and what was found or what would bring it."""

    name: str
    present: bool
    detail: str


def layers(*, require_cgroup: bool = False, proc: Path = PROC) -> Iterator[Layer]:
    """Every part of the sandbox on this host. ``proc``: where its kernel's settings are read."""
    yield _bubblewrap()
    yield _user_namespaces(proc)
    yield _filter(proc)
    yield _control_groups(required=require_cgroup)


def require_layers(*, require_cgroup: bool = False, proc: Path = PROC) -> None:
    """Raise SandboxUnavailable naming every part of the sandbox that this host lacks."""
    missing = [layer for layer in layers(require_cgroup=require_cgroup, proc=proc) if not layer.present]
    if missing:
        raise SandboxUnavailable("; ".join(f"{layer.name}: {layer.detail}" for layer in missing))


def _bubblewrap() -> Layer:
    found = shutil.which("bwrap")
    return Layer("bubblewrap", found is not None, found or "missing: apt-get install bubblewrap")


def _user_namespaces(proc: Path) -> Layer:
    name = "user namespaces"
    if not (proc / "self/ns/user").exists():
        return Layer(name, False, "this kernel has none: CONFIG_USER_NS")
    if _number(proc / "sys/user/max_user_namespaces") == 0:
        return Layer(name, False, "switched off: sysctl user.max_user_namespaces=15000")
    if _number(proc / "sys/kernel/unprivileged_userns_clone") == 0:
        return Layer(name, False, "switched off: sysctl kernel.unprivileged_userns_clone=1")
    if _number(proc / "sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        remedy = "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for bwrap"
        return Layer(name, True, f"allowed, but AppArmor restricts them; if the sandbox fails: {remedy}")
    return Layer(name, True, "allowed")


def _filter(proc: Path) -> Layer:
    name = "system-call filter"
    if not (proc / "sys/kernel/seccomp/actions_avail").exists():
        return Layer(name, False, "this kernel has none: CONFIG_SECCOMP_FILTER")
    try:
        size = len(compile_filter()) // 8
    except SandboxUnavailable as error:
        return Layer(name, False, str(error))
    return Layer(name, True, f"libseccomp is there; {size} instructions")


def _control_groups(*, required: bool) -> Layer:
    driver = choose_driver()
    if not isinstance(driver, Watchdog):
        return Layer("memory limit", True, f"{driver.name} ({driver.version})")
    remedy = "no control group can be written: delegate one (systemd: Delegate=yes), or start as root"
    if required:
        return Layer("memory limit", False, f"{remedy}; or set GRADER_REQUIRE_CGROUP=false")
    return Layer("memory limit", True, f"watchdog, as every result will say; {remedy}")


def _number(path: Path) -> int | None:
    """A kernel setting; None where this kernel does not have it."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
