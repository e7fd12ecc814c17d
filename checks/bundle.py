"""Bundles: an assignment's files as one map, as one archive, and as one digest (the assignment's version).

The archive is an uncompressed tar (ustar with PAX names) whose members are sorted regular files with all
metadata set to zero, so that equal files give equal bytes on every machine.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from checks.errors import BundleError

SPEC = "assignment.yaml"
STARTER = "starter.ipynb"
REFERENCE = "reference.ipynb"
INPUTS = "inputs/"
MAX_FILES = 1_000
MAX_NAME = 512
MAX_FILE = 256 << 20
MAX_TOTAL = 1 << 30


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of ``files`` (safe relative name -> content); raises BundleError for an unsafe name."""
    _check_sizes([len(content) for content in files.values()])
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            _check_name(name)
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return stream.getvalue()


def unpack(raw: bytes) -> dict[str, bytes]:
    """The files of an archive; raises BundleError unless every member is a regular file with a safe name."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for member in archive:
                _check_member(member, files)
                content = archive.extractfile(member)
                files[member.name] = content.read() if content else b""
                _check_sizes([len(content) for content in files.values()])
    except (tarfile.TarError, UnicodeDecodeError, ValueError, EOFError) as error:
        raise BundleError(f"not a bundle: {error}") from error
    return files


def digest(files: Mapping[str, bytes]) -> str:
    """``sha256:…`` over names and contents: the version of the assignment that the files are."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(hashlib.sha256(name.encode()).digest())
        total.update(hashlib.sha256(files[name]).digest())
    return "sha256:" + total.hexdigest()


def input_key(source: str) -> str:
    """The bundle's key of an input: ``../data/x.csv`` -> ``inputs/data/x.csv``.

    ``source`` is written as the spec writes it, seen from the assignment's folder; it may go up once, into
    the course's folder. Raises BundleError for a path that is absolute or leads elsewhere.
    """
    key = INPUTS + source.removeprefix("../")
    try:
        _check_name(key)
    except BundleError as error:
        raise BundleError(f"{source!r} is no file of the course's folder") from error
    return key


def _check_member(member: tarfile.TarInfo, files: Mapping[str, bytes]) -> None:
    if not member.isreg() or member.sparse is not None:
        raise BundleError(f"{member.name!r} is not a regular file")
    if member.name in files:
        raise BundleError(f"{member.name!r} comes twice")
    if member.size > MAX_FILE:
        raise BundleError(f"{member.name!r} has {member.size} bytes, the limit is {MAX_FILE}")
    _check_name(member.name)


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if not name or len(name) > MAX_NAME or str(path) != name or path.is_absolute() or name == ".":
        raise BundleError(f"{name!r} is no plain relative name")
    if ".." in path.parts or "\\" in name or not name.isprintable():
        raise BundleError(f"{name!r} is no safe name")


def _check_sizes(sizes: list[int]) -> None:
    if len(sizes) > MAX_FILES:
        raise BundleError(f"{len(sizes)} files, the limit is {MAX_FILES}")
    if any(size > MAX_FILE for size in sizes) or sum(sizes) > MAX_TOTAL:
        raise BundleError("the files are too large")
