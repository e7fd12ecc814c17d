"""Canvas, "Download Submissions": one flat folder.

``<name>[_LATE]_<user id>_<attachment id>_<file>``, the name in lower case without blanks and marks; for an
anonymous assignment ``[LATE_]anon_<anonymous id>_<attachment id>_<file>``. Text entries and links end in
``_text.html`` and ``_link.html`` and hold no notebook. (``lib/content_zipper.rb`` of canvas-lms)
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from grader.intake import Sender

SYSTEM = "Canvas"

# What Canvas calls letters takes in marks above and below them, as Thai or Hindi names have.
# One class of characters: alternatives that overlap would be tried in every combination.
_NAME = r"(?P<name>[\w\u0080-\U0010ffff]+?)(?P<late>_LATE)?_(?P<user>\d+)"
_NAMED = re.compile(_NAME + r"_\d+_(?P<file>.+)")
_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?anon_(?P<user>[0-9A-Za-z]+)_(?:\d+_(?P<file>.+)|(?P<entry>(?:text|link)\.html))"
)
_ENTRY = re.compile(_NAME + r"_(?P<file>(?:text|link)\.html)")


def sender(path: PurePosixPath) -> Sender | None:
    """Who handed ``path`` in: ``name_id`` or ``anon_id``; None where the name is not Canvas's."""
    if match := _ANONYMOUS.fullmatch(path.name):
        return Sender(
            f"anon_{match['user']}", match["file"] or match["entry"], late=match["late"] is not None
        )
    if match := _NAMED.fullmatch(path.name) or _ENTRY.fullmatch(path.name):
        return Sender(f"{match['name']}_{match['user']}", match["file"], late=match["late"] is not None)
    return None
