"""Feedback as files for students: a folder each, or the download of a learning system, to be uploaded again.

A student gets ``feedback.html``, which opens without a network; ``feedback.ipynb``, the notebook as it ran
with each part's feedback behind its cell; and ``feedback.json``, the ``feedback/1`` document. All of it is as
students see it: what the assignment hides is not in it.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbformat import NotebookNode

from checks.feedback import Feedback
from grader import intake
from grader.annotate import WORDS, annotated
from grader.exporters import ExportError
from grader.markdown import rendered
from grader.notebook_page import highlight_css, notebook_html
from grader.safe_names import plain_names
from grader.zip_names import member_name

EPOCH = (1980, 1, 1, 0, 0, 0)  # equal feedback gives equal bytes
HTML, NOTEBOOK, DOCUMENT = "feedback.html", "feedback.ipynb", "feedback.json"
IN_MEMORY = 8 << 20
MAX_NAMES = 100_000
API = Path(__file__).parent / "api"
STYLES = ("grader.css", "feedback.css", "notebook.css", "handback.css")
_TEMPLATES = Environment(
    loader=FileSystemLoader(API / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)
_TEMPLATES.filters.update(markdown=rendered)


class Handback(msgspec.Struct, frozen=True):
    """One student's feedback as the student sees it, and the executed notebook where there is one."""

    student: str
    feedback: Feedback
    executed: bytes | None


def files_of(one: Handback) -> dict[str, bytes]:
    """What a student gets, by file name."""
    notebook = _annotated(one)
    made = {HTML: _html(one, notebook), DOCUMENT: one.feedback.to_json()}
    if notebook is not None:
        made[NOTEBOOK] = nbformat.writes(notebook).encode()
    return made


def folders(found: Sequence[str], given: Iterable[Handback]) -> IO[bytes]:
    """A zip with a folder for each of the students ``found``, in the order of ``given``."""
    names = dict(zip(found, plain_names(found), strict=True))
    return _zipped(
        (f"{names[one.student]}/{name}", content) for one in given for name, content in files_of(one).items()
    )


class Returned(msgspec.Struct, frozen=True):
    """A zip to be uploaded again, and who is not in it, with the reason."""

    made: IO[bytes]
    remarks: tuple[str, ...]


def returned(download: bytes, given: Iterable[Handback]) -> Returned:
    """A zip with the names of a learning system's own download, so that it takes it for feedback files.

    Canvas knows a file by its name and wants the same one again: there the notebook is replaced. Moodle knows
    the student's folder (or the beginning of a flat name) and takes what is in it. Raises ExportError where
    the download is not of one of them.
    """
    system, places = _places(download)
    remarks: list[str] = []

    def members() -> Iterator[tuple[str, bytes]]:
        for one in given:
            if one.student not in places:
                remarks.append(f"{one.student}: no notebook of this name in the zip; left out")
                continue
            files = files_of(one)
            if system == "Canvas" and NOTEBOOK not in files:
                remarks.append(
                    f"{one.student}: no executed notebook, and Canvas takes nothing else; left out"
                )
            for place in places[one.student]:
                yield from _under(system, place, files).items()

    made = _zipped(members())
    return Returned(made, tuple(remarks))


def _places(download: bytes) -> tuple[str, Mapping[str, list[PurePosixPath]]]:
    """The system's name, and by student where his notebooks lie. Only names are read, no contents."""
    try:
        with zipfile.ZipFile(io.BytesIO(download)) as archive:
            members = [each for each in archive.infolist()[:MAX_NAMES] if not each.is_dir()]
            paths = [PurePosixPath(member_name(each)) for each in members]
    except zipfile.BadZipFile as error:
        raise ExportError(f"the download is no zip: {error}") from error
    paths = [path for path in paths if _is_inside(path)]
    system = intake.recognised(paths)
    if system is None or system.name not in {"Canvas", "Moodle"}:
        raise ExportError("the zip is no download of submissions from Canvas or Moodle")
    places: dict[str, list[PurePosixPath]] = {}
    for path in paths:
        sender = system.sender(path)
        if sender is not None and sender.file.endswith(".ipynb"):
            places.setdefault(sender.student, []).append(path)
    return system.name, places


def _is_inside(path: PurePosixPath) -> bool:
    return not path.is_absolute() and ".." not in path.parts and "\\" not in str(path)


def _under(system: str, place: PurePosixPath, files: Mapping[str, bytes]) -> dict[str, bytes]:
    if system == "Canvas":
        return {str(place): files[NOTEBOOK]} if NOTEBOOK in files else {}
    if "_assignsubmission_file_" in place.name:  # a flat archive
        head = place.name.partition("_assignsubmission_file_")[0] + "_assignsubmission_file_"
        return {str(place.with_name(head + name)): content for name, content in files.items()}
    depth = next(at for at, part in enumerate(place.parts) if "_assignsubmission_" in part)
    folder = PurePosixPath(*place.parts[: depth + 1])
    return {str(folder / name): content for name, content in files.items()}


def _zipped(members: Iterable[tuple[str, bytes]]) -> IO[bytes]:
    target: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller's, to read
    taken: set[str] = set()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            if name in taken:
                continue
            taken.add(name)
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    target.seek(0)
    return target


def pieces(made: IO[bytes], size: int = 1 << 16) -> Iterator[bytes]:
    """The file piece by piece; it is closed at the end."""
    with made:
        while piece := made.read(size):
            yield piece


def _annotated(one: Handback) -> NotebookNode | None:
    if one.executed is None:
        return None
    try:
        return annotated(one.executed, one.feedback)
    # What was refused as no notebook is kept as it came.
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError):
        return None


def _html(one: Handback, notebook: NotebookNode | None) -> bytes:
    page = _TEMPLATES.get_template("handback.html").render(
        feedback=one.feedback,
        student=one.student,
        status_words=WORDS,
        notebook=None if notebook is None else notebook_html(notebook),
        css=_css(),
    )
    return page.encode()


@cache
def _css() -> Markup:
    """Ours, from files of this package: nothing of it comes from a notebook."""
    ours = ((API / "static" / name).read_text(encoding="utf-8") for name in STYLES)
    return Markup("\n".join([*ours, highlight_css()]))
