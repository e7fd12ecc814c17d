"""The folder of ``grade --out``: what is kept of each notebook, under names that harm nothing.

A student is named by a file of somebody else's: names may hold slashes, be ``.`` or differ in case only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.gather import Found
from grader.local import Graded
from grader.safe_names import plain_names

FEEDBACK, EVIDENCE, EXECUTED = ".feedback.json", ".evidence", ".executed.ipynb"


class OutError(Exception):
    """A folder or file cannot be written; the text says why and what to do."""


def write_file(path: Path, content: bytes) -> None:
    """Write one file that a user asked for; raises OutError."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutError(f"{path}: {error.strerror}") from error


class OutFolder:
    """An existing folder and the names in it of the notebooks ``found``, all known before any is run.

    Raises OutError where it is no folder, or where a notebook to be graded would be overwritten.
    """

    def __init__(self, folder: Path, found: Sequence[Found]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutError(f"--out {folder}: {error.strerror}") from error
        self._stems = dict(
            zip([one.student for one in found], plain_names([one.student for one in found]), strict=True)
        )
        self._folder = folder
        self._spare({Path(one.place).resolve() for one in found})

    def keep(self, student: str, result: Graded) -> None:
        """Write what there is: feedback, evidence, the executed notebook. Raises OutError."""
        files = {
            FEEDBACK: result.feedback.to_json(),
            EVIDENCE: result.evidence.to_bytes() if result.evidence is not None else None,
            EXECUTED: result.executed,
        }
        for suffix, content in files.items():
            if content is not None:
                self._write(self._stems[student] + suffix, content)

    def _write(self, name: str, content: bytes) -> None:
        try:
            (self._folder / name).write_bytes(content)
        except OSError as error:
            raise OutError(f"{self._folder / name}: {error.strerror}") from error

    def _spare(self, inputs: set[Path]) -> None:
        for stem in self._stems.values():
            for suffix in (FEEDBACK, EVIDENCE, EXECUTED):
                if (self._folder / (stem + suffix)).resolve() in inputs:
                    raise OutError(
                        f"{self._folder / (stem + suffix)} is graded and would be overwritten; "
                        "choose another --out"
                    )
