"""Each inner layer of the sandbox with the others off: one attempt succeeds without it and fails with it.

The attempts are made by a program (``one_layer``) that applies a single layer to itself. It has every right
over its own user namespace, no outer jail and none of the other layers, so that what is refused is refused by
that layer alone.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conftest import ROOT
from worker.environment import INSIDE
from worker.sandbox.filter import compile_filter
from worker.sandbox.inputs import materialise

pytestmark = pytest.mark.sandbox

PROGRAM = Path(__file__).with_name("one_layer.py")
PYTHON = str(
    Path(sys.executable).resolve()
)  # the system's own, below /usr: an environment has no part in this
NOBODY = 61841
LIMITS = {
    "processes": 20, "disk_mib": 2, "data_mib": 100, "cpu_seconds": 1, "open_files": 64, "output_bytes": 0,
}  # fmt: skip
RIGHTS = ("user", "mount")


def settings(
    layer: str, attempt: str, argument: object = None, namespaces: tuple[str, ...] = RIGHTS
) -> dict[str, Any]:
    return {
        "uid": NOBODY,
        "namespaces": namespaces,
        "layer": layer,
        "attempt": attempt,
        "argument": argument,
        "limits": LIMITS,
        "inputs": "mine",
        "program": base64.b64encode(compile_filter()).decode(),
    }


def answer(command: list[str], **options: Any) -> object:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def import_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder in which ``_grader_inside`` is what it is in the jail."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "_grader_inside").symlink_to(INSIDE)
    return str(folder)


def bare(import_path: str, **fields: Any) -> object:
    """What the attempt comes to on this host, without any jail."""
    variables = {"PYTHONPATH": import_path, "PYTHONDONTWRITEBYTECODE": "1"}
    return answer([PYTHON, str(PROGRAM), json.dumps(settings(**fields))], env=variables)


ALONE = [
    ("filter", "mount", None, "EPERM"),
    ("filter", "unshare", "user", "EPERM"),
    ("filter", "unshare", "net", "EPERM"),
    ("filter", "trace", None, "EPERM"),
    ("filter", "socket", "AF_INET", "EPERM"),
    ("filter", "socket", "AF_INET6", "EPERM"),
    ("capabilities", "mount", None, "EPERM"),
    ("capabilities", "unshare", "net", "EPERM"),
    ("no user namespaces", "unshare", "user", "ENOSPC"),
    ("limits", "open files", 100, "EMFILE"),
    ("limits", "take memory", 200, "MemoryError"),
    ("limits", "write a file", 4, "EFBIG"),
    ("limits", "start processes", 40, "EAGAIN"),
    ("limits", "spin", 1.3, "SIGXCPU"),
]


@pytest.mark.parametrize(("layer", "attempt", "argument", "refusal"), ALONE)
def test_a_layer_holds_alone(
    import_path: str, layer: str, attempt: str, argument: object, refusal: str
) -> None:
    assert bare(import_path, layer="none", attempt=attempt, argument=argument) == "done"
    assert bare(import_path, layer=layer, attempt=attempt, argument=argument) == refusal


def test_the_capabilities_alone_leave_no_right_in_any_set(import_path: str) -> None:
    fields = {"attempt": "status", "argument": ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]}
    _, *before, _ambient = cast("list[int]", bare(import_path, layer="none", **fields))
    assert 0 not in before
    assert bare(import_path, layer="capabilities", **fields) == [0] * 5


def test_the_filter_comes_with_the_promise_of_no_new_rights(import_path: str) -> None:
    fields = {"attempt": "status", "argument": ["NoNewPrivs", "Seccomp"]}
    assert bare(import_path, layer="none", **fields) == [0, 0]
    assert bare(import_path, layer="filter", **fields) == [1, 2]


def test_the_limits_alone_forbid_core_files(import_path: str) -> None:
    assert bare(import_path, layer="limits", attempt="ask for cores") == "refused"


def test_the_pid_namespace_alone_puts_other_processes_out_of_reach(import_path: str) -> None:
    fields = {"layer": "none", "attempt": "signal", "argument": "bystander"}
    assert bare(import_path, **fields, namespaces=("user",)) == "done"
    assert bare(import_path, **fields, namespaces=("user", "pid")) == "ESRCH"


@pytest.fixture
def listening_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_net_namespace_alone_has_a_loopback_and_reaches_nobody(
    import_path: str, listening_port: int
) -> None:
    fields = {"layer": "none", "attempt": "connect", "argument": listening_port}
    assert bare(import_path, **fields, namespaces=("user",)) == "done"
    assert bare(import_path, **fields, namespaces=("user", "net")) == "ENETUNREACH"
    assert bare(import_path, layer="none", attempt="list devices", namespaces=("user", "net")) == ["lo"]


@pytest.fixture
def shared_memory_key() -> Iterator[int]:
    """The key of a segment of this host that everybody may use."""
    libc = ctypes.CDLL(None, use_errno=True)
    key = 0x6772 << 16 | os.getpid() & 0xFFFF
    segment = libc.shmget(key, 4096, 0o1666)  # made new
    assert segment >= 0, os.strerror(ctypes.get_errno())
    yield key
    libc.shmctl(segment, 0, None)  # removed


def test_the_ipc_namespace_alone_hides_shared_memory(import_path: str, shared_memory_key: int) -> None:
    fields = {"layer": "none", "attempt": "find shared memory", "argument": shared_memory_key}
    assert bare(import_path, **fields, namespaces=("user",)) == "done"
    assert bare(import_path, **fields, namespaces=("user", "ipc")) == "ENOENT"


def test_the_host_keeps_its_name(import_path: str) -> None:
    name = socket.gethostname()
    fields = {"layer": "none", "attempt": "name the host", "argument": "mine"}
    assert bare(import_path, **fields, namespaces=("user", "host name")) == "done"
    assert socket.gethostname() == name


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs as the warm server's jail shows them, but of a careless host: anybody may write."""
    root = tmp_path_factory.mktemp("inputs")
    materialise(root, "mine", {"../input/data.csv": b"1", "model.h5": b"2"})
    materialise(root, "others", {"../input/secret.csv": b"3"})
    for path in (root, *root.rglob("*")):
        path.chmod(0o777)
    return root


def jailed(inputs: Path, **fields: Any) -> object:
    """What the attempt comes to in a bare jail: the warm server's, but all that it shows is writable."""
    chosen = settings(**fields, namespaces=(*RIGHTS, "pid"))  # the pid namespace: to mount a /proc
    configuration = {
        "uid": NOBODY,
        "shown": {
            "/opt/grader/_grader_inside": str(INSIDE),
            "/opt/grader/one_layer.py": str(PROGRAM),
            "/inputs": str(inputs),
            "/env": str(inputs),
        },
        "variables": {"PYTHONPATH": "/opt/grader", "PYTHONDONTWRITEBYTECODE": "1"},
        "arguments": [PYTHON, "/opt/grader/one_layer.py", json.dumps(chosen)],
    }
    return answer([sys.executable, "-c", WRITABLE_JAIL, json.dumps(configuration)], cwd=ROOT)


WRITABLE_JAIL = """
from worker.sandbox import launch
line = launch.command
def writable(*arguments):
    found = [word.replace("--ro-bind", "--bind") for word in line(*arguments)]
    places = [number for number, word in enumerate(found) if word == "--remount-ro"]
    return [word for number, word in enumerate(found) if number not in places and number - 1 not in places]
launch.command = writable
launch.main()
"""


@pytest.mark.parametrize("folder", ["/inputs/others", "/opt/grader"])
def test_the_private_root_alone_hides_what_belongs_to_others(inputs: Path, folder: str) -> None:
    assert jailed(inputs, layer="none", attempt="list", argument=folder)
    assert jailed(inputs, layer="own root", attempt="list", argument=folder) == "ENOENT"


def test_the_private_root_alone_shows_the_submissions_own_inputs(inputs: Path) -> None:
    assert jailed(inputs, layer="own root", attempt="list", argument=".") == ["model.h5"]
    assert jailed(inputs, layer="own root", attempt="list", argument="../input") == ["data.csv"]


@pytest.mark.parametrize(
    ("place", "in_the_jail"),
    [("/x", "/x"), ("/dev/x", "/dev/x"), ("/env/x", "/env/x"), ("../input/x", "/inputs/mine/beside/input/x")],
)
def test_the_private_root_alone_is_read_only(inputs: Path, place: str, in_the_jail: str) -> None:
    assert jailed(inputs, layer="none", attempt="create", argument=in_the_jail) == "done"
    assert jailed(inputs, layer="own root", attempt="create", argument=place) == "EROFS"


@pytest.mark.parametrize("folder", [".", "..", "/tmp", "/dev/shm"])
def test_the_private_root_alone_bounds_what_a_notebook_may_write(inputs: Path, folder: str) -> None:
    assert jailed(inputs, layer="own root", attempt="create", argument=f"{folder}/x") == "done"
    assert jailed(inputs, layer="own root", attempt="fill", argument=f"{folder}/x") == "ENOSPC"
