"""Blackboard, "Assignment File Download": ``<assignment>_<user>_attempt_<moment>[_<file>].<suffix>``.

The word ``attempt`` is in the language of whoever downloaded the files (``poging``, ``Versuch``,
``tentative de remise``). The file's name is the student's own and may look like another's: the first user
counts. A user name is what stands behind the last ``_`` before that word.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from grader.intake import Sender

SYSTEM = "Blackboard"

_NAME = re.compile(
    r"(?>(?P<assignment>.+?)_(?P<user>[^_]+)_[^\W\d_]+(?: [^\W\d_]+)*_\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)"
    r"(?:_(?P<file>.+))?(?P<suffix>\.\w+)",
    re.DOTALL,
)


def sender(path: PurePosixPath) -> Sender | None:
    """Who handed ``path`` in: the user name; None where the name is not Blackboard's."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return Sender(match["user"], (match["file"] or match["assignment"]) + match["suffix"])
