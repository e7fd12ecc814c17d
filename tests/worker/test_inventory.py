"""What ``grader doctor`` tells of the environments: packages, what the last start took, what stands by."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import worker.environment
from grader.settings import Settings
from tests.conftest import need
from worker import records
from worker.environment import known_environments, load_environment
from worker.errors import SandboxUnavailable
from worker.inventory import inventory
from worker.records import Start
from worker.sandbox.layers import Layer
from worker.warm import require_sandbox


def told(settings: Settings, *, start: bool = False) -> dict[str, Layer]:
    return {layer.name: layer for layer in inventory(settings, start=start)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, serves=("python",), worker_processes=2)


@pytest.fixture
def installed() -> None:
    problem = ""
    try:
        require_sandbox()
        for name in known_environments():
            load_environment(name)
    except SandboxUnavailable as error:
        problem = str(error)
    need(not problem, f"the sandbox and its environments ({problem})")


@pytest.mark.usefixtures("installed")
def test_every_environment_is_told_with_its_packages(settings: Settings) -> None:
    found = told(settings)
    for name in known_environments():
        environment = load_environment(name)
        assert all(package in found[f"environment {name}"].detail for package in environment.packages)
        assert ("not served here" in found[f"environment {name}"].detail) == (name != "python")
        assert "not started yet" in found[f"sandbox of {name}"].detail
    assert {"bubblewrap", "user namespaces", "system-call filter", "memory limit"} <= found.keys()


@pytest.mark.sandbox
@pytest.mark.usefixtures("installed")
def test_a_start_is_measured_and_remembered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.inventory.known_environments", lambda: ["python"])
    now = told(settings, start=True)["sandbox of python"]
    later = told(settings)["sandbox of python"]
    assert now.present
    assert now.detail.endswith("2 kernels standing by")
    assert later.detail == f"last {now.detail}"
    kept = records.last(settings.sandbox_records, "python")
    assert kept is not None
    assert kept.environment == load_environment("python").label
    assert kept.resident_bytes > 50 << 20


@pytest.mark.usefixtures("installed")
def test_a_record_of_another_version_is_told_as_such(settings: Settings) -> None:
    records.keep(settings.sandbox_records, Start("python@sha256:old", 1e9, 1.5, 100 << 20, 2))
    detail = told(settings)["sandbox of python"].detail
    assert "imported in 1.5 s, 100 MiB resident, 2 kernels standing by" in detail
    assert detail.endswith("the environment has changed since")


def test_a_damaged_record_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "python.json").write_text("{")
    assert records.last(tmp_path, "python") is None


@pytest.mark.usefixtures("installed")
def test_an_environment_that_is_not_installed_is_missing_where_it_is_served(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(worker.environment.DEFINITIONS, tmp_path / "definitions")
    for name in ("cobol", "fortran"):
        shutil.copy(tmp_path / "definitions/python.toml", tmp_path / f"definitions/{name}.toml")
    monkeypatch.setattr("worker.environment.DEFINITIONS", tmp_path / "definitions")
    found = told(settings.model_copy(update={"serves": ("python", "cobol")}))
    assert not found["environment cobol"].present
    assert found["environment fortran"].present
    assert "not installed" in found["environment cobol"].detail
