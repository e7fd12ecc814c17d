"""What every place for blobs promises, on each driver; and what the folder promises besides."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from checks.evidence import digest
from grader.store import BlobMissingError, Blobs, BlobsAwayError
from grader.store.blobs import FolderBlobs, ObjectBlobs, open_blobs

Open = Callable[[], Blobs]


@pytest.fixture(params=["folder", "memory", "files over fsspec"])
def reopen(request, tmp_path: Path) -> Open:
    """Opens the driver on one place, each time anew."""
    memory = MemoryFileSystem(skip_instance_cache=True)
    memory.store, memory.pseudo_dirs = {}, [""]
    return {
        "folder": lambda: FolderBlobs(tmp_path / "blobs"),
        "memory": lambda: ObjectBlobs(memory, "/bucket/blobs"),
        "files over fsspec": lambda: ObjectBlobs(LocalFileSystem(), str(tmp_path / "blobs")),
    }[request.param]


@pytest.fixture
def blobs(reopen: Open) -> Blobs:
    return reopen()


def replace(blobs: Blobs, name: str, raw: bytes) -> None:
    """Do to a blob what a broken disk does."""
    place = f"{name[7:9]}/{name[9:]}"
    if isinstance(blobs, ObjectBlobs):
        blobs.system.pipe_file(f"{blobs.root}/{place}", raw)
    else:
        (blobs.folder / place).write_bytes(raw)


def stored(blobs: Blobs) -> list[str]:
    if isinstance(blobs, ObjectBlobs):
        return list(blobs.system.find(blobs.root))
    return [str(path) for path in blobs.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("raw", [b"", b"bytes", os.urandom(3 << 20)], ids=["empty", "short", "3 MiB"])
def test_what_was_put_is_got_by_its_digest_also_by_another_process(reopen, raw):
    name = reopen().put(raw)
    assert name == digest(raw)
    assert reopen().get(name) == raw


def test_equal_bytes_are_kept_once_and_no_draft_is_left(blobs):
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: blobs.put(b"same" * 9999), range(32)))
    assert names == {digest(b"same" * 9999)}
    assert len(stored(blobs)) == 1


def test_a_missing_blob_and_a_damaged_one_are_faults_of_the_store(blobs):
    with pytest.raises(BlobMissingError, match="no blob"):
        blobs.get(digest(b"never put"))
    name = blobs.put(b"whole")
    for damage in (b"cut", b"WHOLE", b""):
        replace(blobs, name, damage)
        with pytest.raises(BlobMissingError, match="damaged"):
            blobs.get(name)


def test_what_a_broken_writer_left_is_replaced_by_the_next_one(blobs):
    name = blobs.put(b"whole")
    replace(blobs, name, b"who")
    assert blobs.put(b"whole") == name
    assert blobs.get(name) == b"whole"


@pytest.mark.parametrize(
    "name", ["", "sha256:12", "sha256:../../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "G" * 64]
)
def test_only_a_digest_is_a_name(blobs, name):
    with pytest.raises(ValueError, match="no digest"):
        blobs.get(name)


def test_a_place_that_fails_is_away_and_keeps_no_half_blob(tmp_path):
    blobs = FolderBlobs(tmp_path)
    name = digest(b"whole")
    (tmp_path / name[7:9]).write_bytes(b"no folder")
    with pytest.raises(BlobsAwayError, match="could not be stored"):
        blobs.put(b"whole")
    with pytest.raises(BlobsAwayError, match="could not be read"):
        blobs.get(name)


def test_opening_the_folder_makes_no_folder_for_a_blob_before_there_is_one(tmp_path):
    blobs = FolderBlobs(tmp_path)
    assert list(tmp_path.iterdir()) == []
    name = blobs.put(b"one")
    assert [path.name for path in tmp_path.iterdir()] == [name[7:9]]


def test_the_folder_syncs_bytes_before_their_name_and_the_name_before_it_returns(tmp_path, monkeypatch):
    steps: list[str] = []
    blobs = FolderBlobs(tmp_path)
    sync, rename = os.fsync, Path.replace

    def note_sync(descriptor: int) -> None:
        place = Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
        steps.append("file" if place.is_file() else "top" if place == tmp_path else "folder")
        sync(descriptor)

    def note_rename(self: Path, target: Path) -> Path:
        steps.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_rename)
    blobs.put(b"once")
    blobs.put(b"once")
    assert steps == ["top", "file", "name", "folder", "folder"]
    # Who has made the folder may not have come to sync its name.
    steps.clear()
    FolderBlobs(tmp_path).put(b"once")
    assert steps == ["top", "folder"]


@pytest.mark.parametrize(
    ("url", "driver"),
    [("file://{}/x", FolderBlobs), ("memory://test-blobs", ObjectBlobs)],
)
def test_a_url_says_which_driver(tmp_path, url, driver):
    blobs = open_blobs(url.format(tmp_path))
    assert type(blobs) is driver
    assert blobs.get(blobs.put(b"x")) == b"x"
