"""Notebooks found where a command line points: files, folders, zip archives."""

from __future__ import annotations

import zipfile
import zlib
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
    """One notebook: whose it is (from its name) and where it was.

    ``refusal``, where not empty, says why it must not be run; ``content`` is then only its beginning.
    """

    student: str
    place: str
    content: bytes
    refusal: str = ""


# A file's place inside what was pointed at, its bytes (no more than one above the bound).
Member = tuple[PurePosixPath, bytes]


def gather(paths: Iterable[Path], *, max_bytes: int) -> list[Found]:
    """Every notebook below the paths, in their order; raises GatherError where a path gives none.

    One larger than ``max_bytes`` is refused, and does not keep the others from being graded.
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
        return [_found(path.stem, str(path), _bounded(path, max_bytes), max_bytes)]
    else:
        raise GatherError(f"{path}: there is no such file or folder")
    if not members:
        raise GatherError(f"{path}: no notebooks ({SUFFIX}) in it")
    return [_found(inside.stem, f"{path}/{inside}", content, max_bytes) for inside, content in members]


def _folder(folder: Path, max_bytes: int) -> Iterator[Member]:
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if CHECKPOINTS not in inside.parts and path.is_file():
            yield inside, _bounded(path, max_bytes)


def _archive(path: Path, max_bytes: int) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            if sum(member.file_size for member in members) > MAX_ARCHIVE:
                raise GatherError(f"{path}: larger than {MAX_ARCHIVE >> 30} GiB when unpacked")
            for member in members:
                inside = PurePosixPath(member.filename)
                if inside.suffix == SUFFIX and not {CHECKPOINTS, "__MACOSX"} & set(inside.parts):
                    yield inside, _unpacked(archive, member, max_bytes)
    except zipfile.BadZipFile as error:
        raise GatherError(f"{path}: {error}") from error
    except OSError as error:
        raise GatherError(f"{path}: {error.strerror or error}") from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        # The last two: an encrypted member, a compression that this Python does not know.
        raise GatherError(f"{archive.filename}: {member.filename} cannot be unpacked: {error}") from error


def _folder_name(one: Found) -> str:
    return PurePosixPath(one.place).parent.name


def _whole_path(one: Found) -> str:
    return one.place.removesuffix(SUFFIX)


def _renamed(one: Found, student: str) -> Found:
    return msgspec.structs.replace(one, student=student)


def _bounded(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise GatherError(f"{path}: {error.strerror}") from error


def _found(student: str, place: str, content: bytes, max_bytes: int) -> Found:
    too_large = f"the notebook is larger than {max_bytes / (1 << 20):.3g} MiB, the largest accepted here"
    return Found(student, place, content, too_large if len(content) > max_bytes else "")
