"""Every environment of ``worker/environments``: its definition, its pins, its digest, its warm server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import need
from tests.worker.runs import run_cells
from worker.environment import (
    DEFINITIONS,
    INSIDE,
    Environment,
    environments_root,
    known_environments,
    load_environment,
)
from worker.errors import SandboxUnavailable
from worker.warm import WarmServer, require_sandbox

ENVIRONMENTS = known_environments()
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+)$")
MODULES = {"tensorflow-cpu": "tensorflow", "scikit-learn": "sklearn"}  # where a module has another name


def definition(name: str) -> dict[str, Any]:
    return tomllib.loads((DEFINITIONS / f"{name}.toml").read_text())


def normalised(package: str) -> str:
    """PyPI's rule (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


def pins(name: str) -> dict[str, str]:
    lines = [line.strip() for line in (DEFINITIONS / f"{name}.txt").read_text().splitlines()]
    found = [PIN.fullmatch(line) for line in lines if line and not line.startswith("#")]
    assert None not in found, f"{name}.txt has a line that pins nothing"
    return {normalised(pin.group(1)): pin.group(2) for pin in found if pin}


def installed(name: str) -> Environment:
    try:
        require_sandbox()
        return load_environment(name)
    except SandboxUnavailable as error:
        need(False, f"the environment {name} ({error})")
        raise


def test_there_are_environments_with_and_without_a_framework() -> None:
    assert {"python", "tensorflow"} <= set(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_pins_every_package_that_it_promises(name: str) -> None:
    promised = {normalised(package) for package in definition(name)["packages"]}
    assert promised <= pins(name).keys()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_imports_what_it_promises_before_a_student_waits_for_it(name: str) -> None:
    loaded = {module.partition(".")[0] for module in definition(name)["preload"]}
    promised = {MODULES.get(package, package) for package in definition(name)["packages"]}
    assert promised - {"ipykernel"} <= loaded
    assert "_grader_inside.kernel" in definition(name)["preload"]  # and with it ipykernel


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_loads(name: str) -> None:
    environment = installed(name)
    assert environment.label == f"{name}@{environment.digest}"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", environment.digest)
    assert environment.preload == tuple(definition(name)["preload"])
    assert environment.variables["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_is_installed_is_what_is_pinned(name: str) -> None:
    folders = (installed(name).prefix / "lib").glob("python3*/site-packages/*.dist-info")
    found = dict(folder.name.removesuffix(".dist-info").rsplit("-", 1) for folder in folders)
    versions = {normalised(package): version for package, version in found.items()}
    own = {package: versions.get(package) for package in pins(name)}
    assert own == pins(name)


# The digest: feedback names it, and warm servers are replaced when it changes.


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code that runs inside, in the place of the real one."""
    copy = tmp_path / "inside"
    shutil.copytree(INSIDE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("worker.environment.INSIDE", copy)
    return copy


@pytest.fixture
def prefixes(tmp_path: Path) -> Path:
    """Environments that are installed as far as loading looks."""
    for name in ENVIRONMENTS:
        (tmp_path / "environments" / name / "bin").mkdir(parents=True)
        (tmp_path / "environments" / name / "bin/python").touch()
    return tmp_path / "environments"


CHANGES = {
    "a shim's file": lambda inside: (inside / "compat/gensim3.py").write_text("MODULES = {}\n"),
    "a new shim": lambda inside: (inside / "compat/pandas0.py").write_text("MODULES = {}\n"),
    "a shim that is gone": lambda inside: (inside / "compat/gensim3.py").unlink(),
    "a shim that has moved": lambda inside: (inside / "compat/gensim3.py").rename(inside / "gensim3.py"),
    "an extractor": lambda inside: (inside / "values/scalars.py").write_text("TAKES = {}\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_digest_changes_with_the_code_inside(inside: Path, prefixes: Path, change: Any) -> None:
    before = [load_environment(name, prefixes).digest for name in ENVIRONMENTS]
    change(inside)
    after = [load_environment(name, prefixes).digest for name in ENVIRONMENTS]
    assert not set(before) & set(after)


def test_the_digest_stays_when_nothing_changes_that_runs(inside: Path, prefixes: Path) -> None:
    before = load_environment("python", prefixes).digest
    (inside / "compat/__pycache__").mkdir()
    (inside / "compat/__pycache__/gensim3.cpython-311.pyc").write_bytes(b"compiled")
    assert load_environment("python", prefixes).digest == before


@pytest.mark.parametrize("suffix", [".toml", ".txt"])
def test_the_digest_changes_with_the_definition_and_the_versions(
    tmp_path: Path, prefixes: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    before = load_environment("python", prefixes).digest
    copy = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, copy)
    monkeypatch.setattr("worker.environment.DEFINITIONS", copy)
    assert load_environment("python", prefixes).digest == before
    with (copy / f"python{suffix}").open("a") as file:
        file.write("# another day\n")
    assert load_environment("python", prefixes).digest != before


def test_environments_are_looked_for_where_the_setting_says(
    prefixes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_ENVIRONMENTS", str(prefixes))
    assert environments_root() == prefixes
    assert load_environment("python").prefix == prefixes / "python"


# The warm server of each.


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The environment's warm server; TensorFlow's is the session's."""
    if request.param == "tensorflow":
        yield request.getfixturevalue("warm_server")
        return
    with WarmServer(installed(request.param), tmp_path_factory.mktemp("warm")) as started:
        yield started


@pytest.mark.sandbox
def test_the_warm_server_has_one_thread_when_it_is_ready(server: WarmServer) -> None:
    jail = psutil.Process(server.pid)
    tree = [jail, *jail.children(recursive=True)]
    # The first of these is the server itself: what stands by are forks of it.
    serving = next(process for process in tree if "_grader_inside.server" in process.cmdline()[:4])
    assert serving.num_threads() == 1


@pytest.mark.sandbox
def test_a_notebook_has_the_pinned_packages(server: WarmServer) -> None:
    name = server.environment.name
    wanted = {normalised(package) for package in definition(name)["packages"]}
    modules = sorted(MODULES.get(package, package) for package in wanted)
    outcome = run_cells(
        server,
        f"import {', '.join(modules)}",
        f"""
        import json
        from importlib.metadata import version
        print(json.dumps({{package: version(package) for package in {sorted(wanted)}}}))
        """,
    )
    assert outcome.status == "completed", outcome.printed
    assert json.loads(outcome.printed[1]) == {package: pins(name)[package] for package in wanted}


@pytest.mark.sandbox
def test_an_environment_has_nothing_of_another(server: WarmServer) -> None:
    outcome = run_cells(server, "import celery")
    assert outcome.status == "cell_error"
    assert outcome.evidence.cells[0].error is not None
    assert outcome.evidence.cells[0].error.name == "ModuleNotFoundError"


def test_without_any_library_the_plain_values_are_taken_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "_grader_inside").symlink_to(INSIDE)
    program = """
    import json, sys
    sys.path.insert(0, sys.argv[1])
    from _grader_inside.values import Taker
    print(json.dumps(Taker().take({'a': [True]})), 'numpy' in sys.modules)
    """
    lines = "\n".join(line.strip() for line in program.splitlines())
    command = [str(Path(sys.executable).resolve()), "-I", "-S", "-B", "-c", lines, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    node, _, loaded = done.stdout.strip().rpartition(" ")
    assert loaded == "False", done.stderr
    assert json.loads(node)["items"][0][1]["items"] == [{"t": "bool", "v": True}]
