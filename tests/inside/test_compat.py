"""How shims are found and applied."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT, need
from tests.inside.scenarios import PYTHON
from worker.inside import compat

ALL_SHIMS = ["gensim3", "tensorflow1"]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path with the package ``oldlib`` and its module ``oldlib.part``."""
    package = tmp_path / "oldlib"
    package.mkdir()
    (package / "__init__.py").write_text("value = 1\nloader_while_running = __loader__\n")
    (package / "part.py").write_text("from oldlib import value\nseen = value\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield tmp_path
    for name in ("oldlib", "oldlib.part"):
        sys.modules.pop(name, None)


@pytest.fixture
def finder() -> compat.PatchingFinder:
    return compat.PatchingFinder()


def add_ten(module: Any) -> None:
    module.value += 10


@pytest.mark.usefixtures("library")
def test_a_module_is_patched_right_after_its_import(finder: compat.PatchingFinder) -> None:
    finder.patch_when_imported("oldlib", add_ten)
    part: Any = importlib.import_module("oldlib.part")
    assert part.seen == 11


@pytest.mark.usefixtures("library")
def test_a_module_that_is_there_is_patched_at_once(finder: compat.PatchingFinder) -> None:
    module: Any = importlib.import_module("oldlib")
    finder.patch_when_imported("oldlib", add_ten)
    assert module.value == 11


@pytest.mark.usefixtures("library")
def test_patching_imports_nothing(finder: compat.PatchingFinder) -> None:
    finder.patch_when_imported("oldlib", add_ten)
    assert "oldlib" not in sys.modules


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("imported_first", [True, False])
def test_a_patch_is_applied_once(finder: compat.PatchingFinder, imported_first: bool) -> None:
    if imported_first:
        importlib.import_module("oldlib")
    finder.patch_when_imported("oldlib", add_ten)
    finder.patch_when_imported("oldlib", add_ten)
    module: Any = importlib.import_module("oldlib")
    finder.patch_when_imported("oldlib", add_ten)
    assert module.value == 11


@pytest.mark.usefixtures("library")
def test_a_module_that_is_run_again_is_patched_again(finder: compat.PatchingFinder) -> None:
    finder.patch_when_imported("oldlib", add_ten)
    module: Any = importlib.import_module("oldlib")
    assert importlib.reload(module).value == 11
    del sys.modules["oldlib"]
    assert importlib.import_module("oldlib").value == 11


@pytest.mark.usefixtures("library")
def test_one_patch_serves_several_modules(finder: compat.PatchingFinder) -> None:
    def mark(module: Any) -> None:
        module.marked = module.__name__

    finder.patch_when_imported("oldlib", mark)
    finder.patch_when_imported("oldlib.part", mark)
    assert [importlib.import_module(name).marked for name in ("oldlib", "oldlib.part")] == [
        "oldlib",
        "oldlib.part",
    ]


@pytest.mark.usefixtures("library")
def test_loader_and_spec_are_the_real_ones(finder: compat.PatchingFinder) -> None:
    plain = importlib.import_module("oldlib")
    expected = type(plain.__loader__)
    del sys.modules["oldlib"]
    finder.patch_when_imported("oldlib", add_ten)
    module: Any = importlib.import_module("oldlib")
    assert type(module.__loader__) is type(module.loader_while_running) is expected
    assert module.__spec__.loader is module.__loader__
    assert module.__spec__.origin == plain.__file__


@pytest.mark.usefixtures("library")
def test_a_module_that_is_not_there_is_missed_as_ever(finder: compat.PatchingFinder) -> None:
    finder.patch_when_imported("oldlib.missing", add_ten)
    with pytest.raises(ModuleNotFoundError, match=r"oldlib\.missing"):
        importlib.import_module("oldlib.missing")


def test_every_file_is_a_shim_that_names_its_modules() -> None:
    assert list(compat.available()) == ALL_SHIMS
    for name in compat.available():
        shim: ModuleType = importlib.import_module(f"worker.inside.compat.{name}")
        assert all(isinstance(target, str) and callable(patch) for target, patch in shim.MODULES.items())


def test_every_shim_has_its_tests_and_its_section_in_the_docs() -> None:
    headings = (ROOT / "docs" / "compat.md").read_text().splitlines()
    for name in compat.available():
        assert (Path(__file__).parent / f"test_compat_{name}.py").exists()
        assert f"## {name}" in headings


def test_an_unknown_shim_is_named_with_those_that_there_are() -> None:
    before = list(sys.meta_path)
    with pytest.raises(
        compat.UnknownShimError, match="no compatibility shim 'keras9'; there are: gensim3, tensorflow1"
    ):
        compat.apply(["gensim3", "keras9"])
    assert sys.meta_path == before


def test_applying_needs_the_standard_library_alone(tmp_path: Path) -> None:
    need(PYTHON.exists(), "the environment tensorflow")
    (tmp_path / "_grader_inside").symlink_to(ROOT / "worker" / "inside", target_is_directory=True)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from _grader_inside import compat\n"
        f"compat.apply({ALL_SHIMS!r})\n"
        "print([n for n in sys.modules if n in ('numpy', 'keras', 'tensorflow', 'gensim', 'worker')])"
    )
    assert run_as_student(code) == "[]"


def test_shims_that_were_loaded_need_their_folder_no_more(tmp_path: Path) -> None:
    need(PYTHON.exists(), "the environment tensorflow")
    shutil.copytree(ROOT / "worker" / "inside", tmp_path / "_grader_inside")
    code = (
        f"import shutil, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from _grader_inside import compat\n"
        "compat.load_all()\n"
        f"shutil.rmtree({str(tmp_path / '_grader_inside')!r})\n"
        f"compat.apply({ALL_SHIMS!r})\n"
        "from gensim.models.keyedvectors import WordEmbeddingsKeyedVectors\n"
        "print(WordEmbeddingsKeyedVectors(2).index2word)"
    )
    assert run_as_student(code) == "[]"


def run_as_student(code: str) -> str:
    """What the students' interpreter prints."""
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()
