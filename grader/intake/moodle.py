"""Moodle, "Download all submissions": one folder a student, or flat.

``<full name>_<number>_assignsubmission_<file|onlinetext>/<path>``; before 4.1 the folder's name ends in
``_``, and flat archives go on with ``_<file>`` instead of a folder. The number is the ``Participant`` number
of the offline grading worksheet; with blind marking the name is ``Participant``. For teams, name and number
are the group's, and those who are in none have a folder without a number; older versions give each member a
folder, ``<group>-<full name>_<number>_…``.
(``mod/assign/classes/downloader.php``, before it ``mod/assign/locallib.php`` of Moodle)
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from grader.intake import Sender

SYSTEM = "Moodle"

_OWNER = re.compile(r"(?P<owner>.+?)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?", re.DOTALL)


def sender(path: PurePosixPath) -> Sender | None:
    """Who handed ``path`` in: ``name_number``, or a team's name; None where the name is not Moodle's."""
    for place, name in enumerate(path.parts):
        if match := _OWNER.fullmatch(name):
            inside = "/".join(path.parts[place + 1 :])
            file = inside or match["file"]
            return Sender(match["owner"], file) if file else None
    return None
