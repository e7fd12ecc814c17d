"""Notebooks found where a command line points: files, folders, zip archives."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import msgspec

SUFFIX = ".ipynb"
CHECKPOINTS = ".ipynb_checkpoints"
# A zip's own table says how large its members are; what says more than this is no class's work.
MAX_ARCHIVE = 4 << 30


class GatherError(Exception):
    """A path holds nothing that can be graded; the text says why."""


class Found(msgspec.Struct, frozen=True):
    """One notebook: whose it is (from its name) and where it was."""

    student: str
    place: str
    content: bytes


def gather(paths: Iterable[Path], *, max_bytes: int) -> list[Found]:
    """Every notebook below the paths, in their order; raises GatherError where a path gives none.

    A notebook's student is its file's stem; notebooks of one stem are told apart by their folders' names,
    and where these are equal too, by their whole paths.
    """
    found = [one for path in paths for one in _below(path, max_bytes)]
    for name_of in (_folder_name, _whole_path):
        names = Counter(one.student for one in found)
        found = [one if names[one.student] == 1 else _renamed(one, name_of(one)) for one in found]
    return found


def _below(path: Path, max_bytes: int) -> list[Found]:
    if path.is_dir():
        members = list(_folder(path, max_bytes))
    elif path.suffix == ".zip":
        members = list(_archive(path, max_bytes))
    elif path.is_file():
        return [Found(path.stem, str(path), _bounded(path, max_bytes))]
    else:
        raise GatherError(f"{path}: there is no such file or folder")
    if not members:
        raise GatherError(f"{path}: no notebooks ({SUFFIX}) in it")
    return [Found(inside.stem, f"{path}/{inside}", content) for inside, content in members]


def _folder(folder: Path, max_bytes: int) -> Iterator[tuple[PurePosixPath, bytes]]:
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if CHECKPOINTS not in inside.parts and path.is_file():
            yield inside, _bounded(path, max_bytes)


def _archive(path: Path, max_bytes: int) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            if sum(member.file_size for member in members) > MAX_ARCHIVE:
                raise GatherError(f"{path}: larger than {MAX_ARCHIVE >> 30} GiB when unpacked")
            for member in members:
                inside = PurePosixPath(member.filename)
                if inside.suffix == SUFFIX and not {CHECKPOINTS, "__MACOSX"} & set(inside.parts):
                    with archive.open(member) as file:
                        yield inside, _cut(file.read(max_bytes + 1), f"{path}:{inside}", max_bytes)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        # The last two: an encrypted member, a compression that this Python does not know.
        raise GatherError(f"{path}: {error}") from error


def _folder_name(one: Found) -> str:
    return PurePosixPath(one.place).parent.name


def _whole_path(one: Found) -> str:
    return one.place.removesuffix(SUFFIX)


def _renamed(one: Found, student: str) -> Found:
    return msgspec.structs.replace(one, student=student)


def _bounded(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return _cut(file.read(max_bytes + 1), str(path), max_bytes)
    except OSError as error:
        raise GatherError(f"{path}: {error.strerror}") from error


def _cut(content: bytes, place: str, max_bytes: int) -> bytes:
    if len(content) > max_bytes:
        raise GatherError(f"{place}: larger than {max_bytes / (1 << 20):g} MiB")
    return content
