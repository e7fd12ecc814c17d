"""Bundle folders: an assignment as its author keeps it, read into the files that make its version."""

from __future__ import annotations

from pathlib import Path

from checks.assignment import spec_problems
from checks.bundle import REFERENCE, SPEC, STARTER, input_key
from checks.errors import BundleError, Problem, SpecError
from checks.spec.reading import Document, read_yaml
from grader.authoring.publish import MasterError, publish
from grader.offer import offered

SOURCE = "source.ipynb"
MAX_INPUT = 256 << 20


def read_bundle(folder: Path) -> dict[str, bytes]:
    """The files of the assignment in ``folder``, by bundle key (see ``checks.bundle``).

    ``assignment.yaml`` as it is, starter and reference derived from ``source.ipynb``, and the inputs that
    the spec names: files of the assignment's folder or, as ``../…``, of the course's folder around it.
    Symbolic links may not lead out of the course. Where a file is missing, out of bounds or wrong, raises
    SpecError with every mistake of all of them; a spec's own mistakes are for ``Assignment.from_files`` as
    long as the rest is right.
    """
    problems: list[Problem] = []
    files = {**_spec(folder, problems), **_notebooks(folder, problems)}
    files |= _inputs(folder, files, problems)
    if problems:
        found = spec_problems(files, offered()) if SPEC in files else []
        raise SpecError([*problems, *found])
    return dict(sorted(files.items()))


def _read(folder: Path, name: str, problems: list[Problem]) -> bytes | None:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        problems.append(Problem(str(folder / name), 0, 0, "", f"cannot be read: {error.strerror}"))
        return None


def _spec(folder: Path, problems: list[Problem]) -> dict[str, bytes]:
    raw = _read(folder, SPEC, problems)
    return {} if raw is None else {SPEC: raw}


def _notebooks(folder: Path, problems: list[Problem]) -> dict[str, bytes]:
    source = _read(folder, SOURCE, problems)
    if source is None:
        return {}
    try:
        return {STARTER: publish(source, "student"), REFERENCE: publish(source, "reference")}
    except MasterError as error:
        problems += [Problem(SOURCE, 0, 0, "", problem) for problem in error.problems]
        return {}


def _inputs(folder: Path, files: dict[str, bytes], problems: list[Problem]) -> dict[str, bytes]:
    spec = _document(files)
    named = spec.data.get("inputs") if isinstance(spec.data, dict) else None
    found: dict[str, bytes] = {}
    # Anything that is no map of texts is for the spec's own checker to name.
    for target, source in named.items() if isinstance(named, dict) else ():
        if isinstance(source, str):
            try:
                found[input_key(source)] = _input(folder, source)
            except (BundleError, OSError) as error:
                what = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
                problems.append(spec.problem(("inputs", target), f"{source}: {what}"))
    return found


def _document(files: dict[str, bytes]) -> Document:
    try:
        return read_yaml(files[SPEC], SPEC)
    # Absent, or no YAML: its own checker says so.
    except (KeyError, SpecError):
        return Document(SPEC)


def _input(folder: Path, source: str) -> bytes:
    course = folder.resolve().parent
    path = (folder.resolve() / source).resolve()
    if not path.is_relative_to(course):
        raise BundleError("leads out of the course's folder")
    if path.is_file() and path.stat().st_size > MAX_INPUT:
        raise BundleError(f"is larger than {MAX_INPUT >> 20} MiB")
    return path.read_bytes()
