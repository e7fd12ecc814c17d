"""Starts the outer jail: ``python -m worker.sandbox.launch CONFIG`` becomes bubblewrap.

A process of its own, because it changes what a process cannot change back. As root it first makes a mount
namespace in which the few folders that the jail shows stand under names that anybody may walk to (a checkout
below ``/root`` may not), then gives up root for good: bubblewrap launched as root covers parts of ``/proc``,
and the children's own ``/proc`` could not be mounted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from worker.inside import linux

STAGE = "/mnt"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "localtime", "fonts", "mime.types", "alternatives", "ssl/openssl.cnf")


def command(shown: Mapping[str, str], variables: Mapping[str, str], arguments: list[str]) -> list[str]:
    """bubblewrap's command line. ``shown``: path in the jail -> what it shows there, read-only."""
    line = [
        "bwrap", "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session",
        "--clearenv", "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "jail",
        "--proc", "/proc", "--dev", "/dev",
    ]  # fmt: skip
    for path in _SYSTEM:
        line += _system_path(path)
    for name in _ETC:
        line += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for target, source in shown.items():
        line += ["--ro-bind", source, target]
    line += ["--tmpfs", "/tmp", "--dir", "/home", "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/"]
    for name, value in variables.items():
        line += ["--setenv", name, value]
    return [*line, "--", *arguments]


def _system_path(path: str) -> list[str]:
    if Path(path).is_symlink():
        return ["--symlink", str(Path(path).readlink()), path]
    return ["--ro-bind", path, path] if Path(path).is_dir() else []


def stage(shown: Mapping[str, str]) -> dict[str, str]:
    """Bind every source under ``/mnt`` of a new mount namespace that only we and our children see."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", STAGE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755,size=1m")
    staged = {}
    for number, (target, source) in enumerate(shown.items()):
        place = Path(STAGE) / str(number)
        if Path(source).is_dir():
            place.mkdir()
        else:
            place.touch()
        linux.mount(source, str(place), None, linux.MS_BIND | linux.MS_REC)
        staged[target] = str(place)
    return staged


def give_up_root(uid: int) -> None:
    """Become ``uid`` with no groups and no way back."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def main() -> None:
    """Read the configuration (JSON in ``argv[1]``) and become bubblewrap."""
    config = json.loads(sys.argv[1])
    shown = config["shown"]
    os.umask(0o022)
    if os.geteuid() == 0:
        shown = stage(shown)
        give_up_root(config["uid"])
    line = command(shown, config["variables"], config["arguments"])
    os.execvp(line[0], line)


if __name__ == "__main__":
    main()
