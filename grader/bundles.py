"""Bundle folders: an assignment as its author keeps it, read into the files that make its version."""

from __future__ import annotations

from pathlib import Path

from checks.bundle import REFERENCE, SPEC, STARTER, input_key
from checks.errors import BundleError, Problem, SpecError
from checks.spec.reading import Document, read_yaml
from grader.authoring.publish import MasterError, publish

SOURCE = "source.ipynb"
MAX_INPUT = 256 << 20


def read_bundle(folder: Path) -> dict[str, bytes]:
    """The files of the assignment in ``folder``, by bundle key (see ``checks.bundle``).

    ``assignment.yaml`` as it is, starter and reference derived from ``source.ipynb``, and the inputs that
    the spec names: files of the assignment's folder or, as ``../…``, of the course's folder around it.
    Symbolic links may not lead out of the course. Raises SpecError with every file that is missing or out
    of bounds.
    """
    spec = _read(folder, SPEC)
    source = _read(folder, SOURCE)
    files = {SPEC: spec} | _notebooks(source) | _inputs(folder, read_yaml(spec, SPEC))
    return dict(sorted(files.items()))


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        where = str(folder / name)
        raise SpecError([Problem(where, 0, 0, "", f"cannot be read: {error.strerror}")]) from error


def _notebooks(source: bytes) -> dict[str, bytes]:
    try:
        return {STARTER: publish(source, "student"), REFERENCE: publish(source, "reference")}
    except MasterError as error:
        raise SpecError(Problem(SOURCE, 0, 0, "", problem) for problem in error.problems) from error


def _inputs(folder: Path, spec: Document) -> dict[str, bytes]:
    named = spec.data.get("inputs") if isinstance(spec.data, dict) else None
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    # Anything that is no map of texts is for the spec's own checker to name.
    for target, source in named.items() if isinstance(named, dict) else ():
        if isinstance(source, str):
            try:
                files[input_key(source)] = _input(folder, source)
            except (BundleError, OSError) as error:
                what = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
                problems.append(spec.problem(("inputs", target), f"{source}: {what}"))
    if problems:
        raise SpecError(problems)
    return files


def _input(folder: Path, source: str) -> bytes:
    course = folder.resolve().parent
    path = (folder.resolve() / source).resolve()
    if not path.is_relative_to(course):
        raise BundleError("leads out of the course's folder")
    if path.is_file() and path.stat().st_size > MAX_INPUT:
        raise BundleError(f"is larger than {MAX_INPUT >> 20} MiB")
    return path.read_bytes()
