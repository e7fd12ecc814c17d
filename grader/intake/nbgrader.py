"""nbgrader's folders: ``submitted/<student>/<assignment>/…`` and the exchange's ``inbound``.

An inbound folder is named ``<student>+<assignment>+<moment>[+<random>]``.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from grader.intake import Sender

SYSTEM = "nbgrader"

_INBOUND = re.compile(r"(?P<student>[^+]+)\+[^+]+\+\d{4}-\d\d-\d\d [\d:.]+ \w+(?:\+\w+)?")


def sender(path: PurePosixPath) -> Sender | None:
    """Who handed ``path`` in; None where the folders are not nbgrader's."""
    for place, name in enumerate(path.parts[:-1]):
        rest = path.parts[place + 1 :]
        if match := _INBOUND.fullmatch(name):
            return Sender(match["student"], "/".join(rest))
        if name == "submitted" and len(rest) > 2:
            return Sender(rest[0], "/".join(rest[2:]))
    return None
