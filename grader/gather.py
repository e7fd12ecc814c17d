"""Notebooks found where a command line points: files, folders, zip archives, learning systems' downloads."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import msgspec

from grader.intake import System, recognised
from grader.zip_names import member_name

SUFFIX = ".ipynb"
CHECKPOINTS = ".ipynb_checkpoints"
# A zip's own table says how large its members are; what says more than this is no class's work.
MAX_ARCHIVE = 4 << 30


class GatherError(Exception):
    """A path holds nothing that can be graded; the text says why."""


class Found(msgspec.Struct, frozen=True):
    """One notebook: whose it is (from its name) and where it was.

    ``refusal``, where not empty, says why it must not be run; ``content`` is then only its beginning.
    ``late`` is what the learning system's archive says of it, ``sender`` whom it names.
    """

    student: str
    place: str
    content: bytes
    refusal: str = ""
    late: bool = False
    sender: str = ""


# A file's place inside what was pointed at, its bytes (no more than one above the bound).
Member = tuple[PurePosixPath, bytes]


Remark = Callable[[str], None]


def silent(_text: str) -> None:
    """For those who want no remarks."""


def gather(paths: Iterable[Path], *, max_bytes: int, remark: Remark = silent) -> list[Found]:
    """Every notebook below the paths, in their order; raises GatherError where a path gives none.

    One larger than ``max_bytes`` is refused, and does not keep the others from being graded.
    In a download of a learning system, a notebook's student is the sender; else it is its file's stem.
    Notebooks of one student are told apart by their folders' names, and where these are equal too, by their
    whole paths; a sender's keep his name before that. ``remark`` is told which system it was, what is late,
    and what could not be matched.
    """
    found = [one for path in paths for one in _below(path, max_bytes, remark)]
    for name_of in (_folder_name, _whole_path):
        names = Counter(one.student for one in found)
        found = [one if names[one.student] == 1 else _renamed(one, name_of(one)) for one in found]
    return found


def _below(path: Path, max_bytes: int, remark: Remark) -> list[Found]:
    if path.is_dir():
        names = [inside for inside, _ in _files(path)]
        members = list(_folder(path, max_bytes))
    elif path.suffix == ".zip":
        members = list(_archive(path, max_bytes))
        names = _names(path)
    elif path.is_file():
        return [_found(path.stem, str(path), _bounded(path, max_bytes), max_bytes)]
    else:
        raise GatherError(f"{path}: there is no such file or folder")
    if not members:
        raise GatherError(f"{path}: no notebooks ({SUFFIX}) in it")
    system = recognised([inside for inside, _ in members])
    if system is None:
        return [_found(inside.stem, f"{path}/{inside}", content, max_bytes) for inside, content in members]
    found = [_sent(system, path, inside, content, max_bytes) for inside, content in members]
    _tell(remark, path, system, names, found)
    return _apart(found)


def _sent(system: System, path: Path, inside: PurePosixPath, content: bytes, max_bytes: int) -> Found:
    sender = system.sender(inside)
    if sender is None:
        return _found(inside.stem, f"{path}/{inside}", content, max_bytes)
    found = _found(sender.student, f"{path}/{inside}", content, max_bytes)
    return msgspec.structs.replace(found, late=sender.late, sender=sender.student)


def _apart(found: list[Found]) -> list[Found]:
    """A sender's several notebooks, each by its own name."""
    counts = Counter(one.student for one in found)
    return [
        one if counts[one.student] == 1 else _renamed(one, f"{one.student}/{_stem(one)}") for one in found
    ]


def _stem(one: Found) -> str:
    return PurePosixPath(one.place).stem


def _tell(remark: Remark, path: Path, system: System, names: list[PurePosixPath], found: list[Found]) -> None:
    """What a person has to know of a download: nothing in it may be lost silently."""
    remark(f"{path}: a download from {system.name}")
    unknown = [one for one in found if system.sender(PurePosixPath(one.place).relative_to(path)) is None]
    for one in unknown:
        remark(f"{one.place}: not matched to a student by {system.name}'s rule; graded as {one.student}")
    with_notebook = {one.student for one in found}
    senders = {inside: system.sender(inside) for inside in names}
    without = {each.student for each in senders.values() if each is not None} - with_notebook
    for student in sorted(without):
        files = ", ".join(each.file for each in senders.values() if each and each.student == student)
        remark(f"{path}: no notebook from {student}, only {files}")
    for inside, sender in senders.items():
        if sender is None and inside.suffix != SUFFIX:
            remark(f"{path}/{inside}: not matched to a student, not a notebook; left alone")
    late = sorted(one.student for one in found if one.late)
    if late:
        remark(f"{path}: {len(late)} late: {', '.join(late)}")


def _files(folder: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Every file of a folder that is somebody's work, with its place inside."""
    for path in sorted(folder.rglob("*")):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if CHECKPOINTS not in inside.parts and path.is_file():
            yield inside, path


def _folder(folder: Path, max_bytes: int) -> Iterator[Member]:
    for inside, path in _files(folder):
        if inside.suffix == SUFFIX:
            yield inside, _bounded(path, max_bytes)


def _names(path: Path) -> list[PurePosixPath]:
    """Every file in an archive, by the archive's own table."""
    with zipfile.ZipFile(path) as archive:
        members = [PurePosixPath(member_name(each)) for each in archive.infolist() if not each.is_dir()]
    return [inside for inside in members if not {CHECKPOINTS, "__MACOSX"} & set(inside.parts)]


def _archive(path: Path, max_bytes: int) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            if sum(member.file_size for member in members) > MAX_ARCHIVE:
                raise GatherError(f"{path}: larger than {MAX_ARCHIVE >> 30} GiB when unpacked")
            for member in members:
                inside = PurePosixPath(member_name(member))
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
        raise GatherError(f"{archive.filename}: {member_name(member)} cannot be unpacked: {error}") from error


def _folder_name(one: Found) -> str:
    folder = PurePosixPath(one.place).parent.name
    return f"{one.sender}/{folder}/{_stem(one)}" if one.sender else folder


def _whole_path(one: Found) -> str:
    path = one.place.removesuffix(SUFFIX)
    return f"{one.sender}/{path.lstrip('/')}" if one.sender else path


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
