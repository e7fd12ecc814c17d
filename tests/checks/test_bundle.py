"""Bundles: deterministic archives, strict reading, safe names."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from checks import bundle
from checks.errors import BundleError

FILES = {"assignment.yaml": b"id: a", "inputs/data/ä.csv": b"1,2", "starter.ipynb": b""}


def test_what_was_packed_comes_out_again() -> None:
    assert bundle.unpack(bundle.pack(FILES)) == FILES


def test_order_of_files_changes_nothing() -> None:
    turned = dict(reversed(FILES.items()))
    assert bundle.pack(turned) == bundle.pack(FILES)
    assert bundle.digest(turned) == bundle.digest(FILES)


@pytest.mark.parametrize(
    "files", [{**FILES, "b": b""}, {**FILES, "starter.ipynb": b" "}, {"a": b"bc"}, {"ab": b"c"}]
)
def test_every_change_changes_the_digest(files: dict[str, bytes]) -> None:
    digests = {bundle.digest(each) for each in (FILES, files, {"a": b"b", "c": b""})}
    assert len(digests) == 3


@pytest.mark.parametrize(
    "name", ["", ".", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a/", "a\\b", "a\nb", "x" * 513]
)
def test_unsafe_name_is_neither_packed_nor_unpacked(name: str) -> None:
    with pytest.raises(BundleError):
        bundle.pack({name: b""})
    with pytest.raises(BundleError):
        bundle.unpack(archive(lambda member: setattr(member, "name", name)))


def archive(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        member = tarfile.TarInfo("a")
        change(member)
        made.addfile(member, io.BytesIO(b""))
    return stream.getvalue()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE],
)
def test_only_regular_files_are_unpacked(kind: bytes) -> None:
    with pytest.raises(BundleError):
        bundle.unpack(archive(lambda member: setattr(member, "type", kind)))


@pytest.mark.parametrize(
    "raw", [b"", b"no archive", b"\0" * 10, bundle.pack(FILES)[:700]], ids=["empty", "text", "zeros", "cut"]
)
def test_what_is_no_archive_is_refused(raw: bytes) -> None:
    with pytest.raises(BundleError):
        bundle.unpack(raw)


def test_same_name_twice_is_refused() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for _ in range(2):
            made.addfile(tarfile.TarInfo("a"), io.BytesIO(b""))
    with pytest.raises(BundleError, match="twice"):
        bundle.unpack(stream.getvalue())


def test_too_large_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bundle.pack(FILES)
    monkeypatch.setattr(bundle, "MAX_TOTAL", 5)
    for attempt in (lambda: bundle.pack(FILES), lambda: bundle.unpack(raw)):
        with pytest.raises(BundleError, match="too large"):
            attempt()


@pytest.mark.parametrize(
    ("source", "key"),
    [("../data/x.csv", "inputs/data/x.csv"), ("x.csv", "inputs/x.csv"), ("data/x.h5", "inputs/data/x.h5")],
)
def test_input_key(source: str, key: str) -> None:
    assert bundle.input_key(source) == key


@pytest.mark.parametrize("source", ["../../x", "/x", "..", "../", "", "a/../../x"])
def test_input_outside_the_course_is_refused(source: str) -> None:
    with pytest.raises(BundleError):
        bundle.input_key(source)
