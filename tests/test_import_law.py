"""The import law of docs/architecture.md: who may import whom, and no cycles."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROOMS = ("checks", "worker", "grader", "fixtures")
STANDARD = sys.stdlib_module_names
PURE = {"numpy", "pydantic", "pydantic_core", "msgspec", "yaml"}
FORBIDDEN_IN_CHECKS = {
    "os", "subprocess", "socket", "time", "threading", "multiprocessing", "tempfile", "shutil", "random",
}  # fmt: skip
WORKER_MAY_IMPORT = ("worker", "checks", "grader.store", "grader.settings", "grader.logs", "grader.regrade")
MAY_IMPORT_WORKER = {"grader/cli.py", "grader/local.py"}
INSIDE_MAY_IMPORT = {
    "numpy", "pandas", "keras", "tensorflow", "gensim", "h5py", "scipy", "matplotlib",
    "IPython", "ipykernel", "zmq", "traitlets",
}  # fmt: skip


def modules(room: str) -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py") if "migrations/versions" not in str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Full names of what a module imports (relative imports resolved), with their lines."""
    package = list(path.relative_to(ROOT).with_suffix("").parts)
    if package[-1] == "__init__":
        package.append("")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{origin}.{alias.name}", node.lineno) for alias in node.names)


def room_of(name: str) -> str:
    return name.split(".", 1)[0]


def breaches(room: str, allowed: Callable[[str, str], bool]) -> list[str]:
    found = []
    for path in modules(room):
        where = path.relative_to(ROOT).as_posix()
        broken = [(name, line) for name, line in imports(path) if not allowed(where, name)]
        found += [f"{where}:{line} imports {name}" for name, line in broken]
    return found


def is_within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def test_checks_import_nothing_that_does_anything() -> None:
    def allowed(_where: str, name: str) -> bool:
        top = room_of(name)
        return top == "checks" or top in PURE or (top in STANDARD and top not in FORBIDDEN_IN_CHECKS)

    assert breaches("checks", allowed) == []


def test_worker_imports_checks_and_of_the_service_only_store_and_settings() -> None:
    def allowed(where: str, name: str) -> bool:
        if where.startswith("worker/inside/") or room_of(name) not in ROOMS:
            return True
        return is_within(name, WORKER_MAY_IMPORT)

    assert breaches("worker", allowed) == []


def test_what_runs_inside_the_sandbox_knows_nothing_of_us() -> None:
    def allowed(_where: str, name: str) -> bool:
        top = room_of(name)
        return is_within(name, ("worker.inside",)) or top in STANDARD or top in INSIDE_MAY_IMPORT

    assert breaches("worker/inside", allowed) == []


def test_only_the_command_line_and_the_local_grader_import_the_worker() -> None:
    def allowed(where: str, name: str) -> bool:
        return room_of(name) not in ("worker", "fixtures", "tests") or where in MAY_IMPORT_WORKER

    assert breaches("grader", allowed) == []


def test_fixtures_import_nothing_of_ours() -> None:
    assert breaches("fixtures", lambda _where, name: room_of(name) not in ROOMS) == []


@pytest.mark.parametrize("room", ["checks", "worker", "grader"])
def test_there_are_no_import_cycles(room: str) -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules(room)
    }
    graph = {
        name: {owner for target, _ in _top_level(path) if (owner := _owner(target, names)) and owner != name}
        for name, path in names.items()
    }
    assert _cycle(graph) == []


def _top_level(path: Path) -> Iterator[tuple[str, int]]:
    typing_only = {
        node.lineno
        for block in ast.walk(ast.parse(path.read_text()))
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    return ((name, line) for name, line in imports(path) if line not in typing_only)


def _owner(target: str, names: dict[str, Path]) -> str | None:
    """The module that an import reaches: ``a.b.c`` may be the module or a name in ``a.b``."""
    while target:
        if target in names:
            return target
        target = target.rpartition(".")[0]
    return None


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph.get(name, ())):
            if found := walk(target, [*way, name]):
                return found
        done.add(name)
        return []

    for name in sorted(graph):
        if found := walk(name, []):
            return found
    return []
