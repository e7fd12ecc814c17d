"""An assignment's inputs as a folder: complete or not there, readable by the jail, and nowhere else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from worker.errors import InfrastructureError
from worker.sandbox.inputs import materialise

FILES = {
    "../input/ratings.csv": b"a,b\n",
    "../input/deep/movies.csv": b"c\n",
    "model.h5": b"\x89HDF",
    "data/x": b"",
}
PLACES = {
    "beside/input/ratings.csv": b"a,b\n",
    "beside/input/deep/movies.csv": b"c\n",
    "working/model.h5": b"\x89HDF",
    "working/data/x": b"",
}


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_inputs_stand_beside_or_in_the_working_folder(tmp_path: Path) -> None:
    name = materialise(tmp_path / "inputs", "sha256:12ab", FILES)
    assert name == "sha256-12ab"
    assert contents(tmp_path / "inputs" / name) == PLACES


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_another_user_can_read_them_and_nobody_but_the_owner_write(tmp_path: Path) -> None:
    folder = tmp_path / "inputs" / materialise(tmp_path / "inputs", "v", FILES)
    for path in (folder, *folder.rglob("*")):
        expected = 0o755 if path.is_dir() else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_version_is_written_once(tmp_path: Path) -> None:
    folder = tmp_path / materialise(tmp_path, "v", FILES)
    before = (folder / "working/model.h5").stat()
    materialise(tmp_path, "v", FILES)
    assert (folder / "working/model.h5").stat() == before


@pytest.mark.parametrize(
    "target",
    ["", ".", "..", "../", "/etc/passwd", "../../x", "../a/../../x", "a/../../x", "a/..", "//x"],
)
def test_an_unsafe_target_is_refused_and_leaves_nothing(tmp_path: Path, target: str) -> None:
    root = tmp_path / "inputs"
    with pytest.raises(InfrastructureError, match="cannot be shown at"):
        materialise(root, "v", {"fine": b"1", target: b"2"})
    assert list(root.iterdir()) == []
    assert list(tmp_path.iterdir()) == [root]


RACER = """
import sys
from pathlib import Path
from worker.sandbox.inputs import materialise
files = {f"../input/{number}.csv": b"x" * 2000 for number in range(150)}
print("ready", flush=True)
sys.stdin.readline()
folder = Path(sys.argv[1]) / materialise(Path(sys.argv[1]), "v", files)
print(sum(1 for _ in (folder / "beside/input").iterdir()), flush=True)
"""


def test_processes_that_begin_at_once_all_get_the_whole_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    racers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [racer.communicate(timeout=30)[0] for racer in racers] == ["150\n"] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_a_failure_that_is_no_race_is_told(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("a file is in the way")
    with pytest.raises(OSError, match="v"):
        materialise(tmp_path, "v", FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["v"]
