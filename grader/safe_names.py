"""File names for students: a student is named by somebody else's file, with slashes, ``.`` or anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

MAX_NAME = 100
NAMELESS = "notebook"


def plain_names(students: Sequence[str]) -> list[str]:
    """A file name for each student: letters, digits, ``.``, ``_``, ``-``; no two alike, in any case."""
    names: list[str] = []
    taken: set[str] = set()
    for student in students:
        plain = _plain(student)
        name, count = plain, 1
        while name.casefold() in taken:
            count += 1
            name = f"{plain}-{count}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _plain(student: str) -> str:
    text = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", student)).lstrip("._-")
    # Cut in bytes, which is what file systems count.
    return text.encode()[:MAX_NAME].decode(errors="ignore") or NAMELESS
