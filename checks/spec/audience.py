"""Who may see a check, a message, a part, and from when."""

from __future__ import annotations

from typing import Literal

Visible = Literal["always", "after_due", "instructors"]
# What stands in the place of a message that is not shown.
HIDDEN = "A check that is not shown did not pass."
_OPENNESS = {"always": 2, "after_due": 1, "instructors": 0}


def shown(visible: Visible, *, due_is_past: bool) -> bool:
    """Whether students see it now."""
    return visible == "always" or (visible == "after_due" and due_is_past)


def narrower(*visible: Visible) -> Visible:
    """The one that fewer may see."""
    return min(visible, key=_OPENNESS.__getitem__)
