"""Hosts that lack a part of the sandbox: nothing runs there, but for the memory limit, which is then told."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.plan import Limits
from tests.conftest import ROOT, need
from tests.worker.runs import run_cells
from worker.environment import load_environment
from worker.errors import InfrastructureError, SandboxUnavailable
from worker.inventory import prove
from worker.sandbox import filter as system_calls
from worker.sandbox.cgroups import Watchdog
from worker.sandbox.layers import layers, require_layers
from worker.warm import WarmServer, require_sandbox


def proc(folder: Path, **settings: str) -> Path:
    """A ``/proc`` of a host that has everything but for ``settings`` (``__`` for ``/``; empty: not there)."""
    files = {
        "self/ns/user": "x",
        "sys/user/max_user_namespaces": "15000\n",
        "sys/kernel/seccomp/actions_avail": "allow errno\n",
        **{name.replace("__", "/"): content for name, content in settings.items()},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if content:
            (folder / name).write_text(content)
    return folder


LACKING = {
    "no user namespaces in the kernel": ({"self__ns__user": ""}, "user namespaces.*CONFIG_USER_NS"),
    "user namespaces off": ({"sys__user__max_user_namespaces": "0\n"}, "user.max_user_namespaces=15000"),
    "Debian's switch": (
        {"sys__kernel__unprivileged_userns_clone": "0\n"},
        "kernel.unprivileged_userns_clone=1",
    ),
    "no filters in the kernel": ({"sys__kernel__seccomp__actions_avail": ""}, "system-call filter.*SECCOMP"),
}


@pytest.mark.parametrize(("settings", "named"), LACKING.values(), ids=LACKING.keys())
def test_what_the_kernel_lacks_is_named_with_a_remedy(
    tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    require_layers(proc=proc(tmp_path / "whole"))
    with pytest.raises(SandboxUnavailable, match=named):
        require_layers(proc=proc(tmp_path / "lacking", **settings))


def test_apparmors_restriction_is_told_and_left_to_the_proof(tmp_path: Path) -> None:
    host = proc(tmp_path, sys__kernel__apparmor_restrict_unprivileged_userns="1\n")
    (layer,) = [layer for layer in layers(proc=host) if layer.name == "user namespaces"]
    assert layer.present
    assert "AppArmor" in layer.detail


def test_missing_programs_and_libraries_are_named_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str, **_: object) -> object:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(system_calls.ctypes, "CDLL", load)
    system_calls.compile_filter.cache_clear()
    with pytest.raises(SandboxUnavailable, match=r"install bubblewrap.*install libseccomp2"):
        require_sandbox()


def test_a_host_without_control_groups_may_be_refused_and_is_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.sandbox.layers.choose_driver", Watchdog)
    (layer,) = [layer for layer in layers() if layer.name == "memory limit"]
    assert layer.present
    assert "watchdog, as every result will say" in layer.detail
    with pytest.raises(SandboxUnavailable, match="memory limit: no control group can be written"):
        require_sandbox(require_cgroup=True)


@pytest.mark.parametrize(
    "command",
    [
        ["celery", "-A", "worker.app", "worker", "--concurrency", "1"],
        ["grader", "grade", "fixtures/embeddings/ex3_gensim/submissions/right/submission.ipynb", "-a",
         "fixtures/embeddings/ex3_gensim"],
    ],
    ids=["service", "grade"],
)  # fmt: skip
def test_neither_the_service_nor_a_grade_begins_without_a_layer(tmp_path: Path, command: list[str]) -> None:
    lacking = {**os.environ, "PATH": str(tmp_path), "GRADER_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=lacking,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    assert "bubblewrap: missing: apt-get install bubblewrap" in done.stdout + done.stderr


@pytest.fixture
def environment() -> str:
    problem = ""
    try:
        require_sandbox()
        load_environment("python")
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox ({problem})")
    return "python"


@pytest.fixture
def hidden() -> Iterator[Path]:
    """A folder for programs that the launcher finds as any user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.sandbox
def test_a_layer_that_is_there_and_does_not_work_is_found_by_the_proof(
    tmp_path: Path, hidden: Path, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    shim = hidden / "bwrap"
    shim.write_text('#!/bin/sh\nexec /usr/bin/bwrap --disable-userns "$@"\n')  # as a hardened host behaves
    shim.chmod(0o755)
    with WarmServer(load_environment(environment), tmp_path / "whole") as server:
        prove(server)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    with (
        WarmServer(load_environment(environment), tmp_path / "run") as server,
        pytest.raises(InfrastructureError, match="unshare"),
    ):
        prove(server)


@pytest.mark.sandbox
def test_without_a_control_group_the_watchdog_limits_and_every_result_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    with WarmServer(load_environment(environment), tmp_path) as server:
        monkeypatch.setattr(server, "driver", Watchdog())
        limits = Limits(seconds=30, cell_seconds=20, memory_mib=300)
        modest = run_cells(server, "held = b'x' * (100 << 20)", limits=limits)
        slow = run_cells(
            server,
            "held = []\nimport time\nwhile True:\n    held.append(b'x' * (10 << 20))\n    time.sleep(0.02)",
            limits=limits,
        )
        sudden = run_cells(server, "held = b'x' * (900 << 20)", "print('on')", limits=limits)
    assert (modest.status, slow.status) == ("completed", "out_of_memory")
    assert sudden.status == "cell_error"  # refused at once: no look of the watchdog could come in time
    assert sudden.evidence.cells[0].error is not None
    assert sudden.evidence.cells[0].error.name == "MemoryError"
    assert {one.evidence.run.memory_limit for one in (modest, slow, sudden)} == {"watchdog"}
