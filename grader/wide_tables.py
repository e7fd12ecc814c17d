"""Tables of cleaned HTML that scroll by themselves instead of widening the page."""

from __future__ import annotations

import re

_TABLE = re.compile(r"<table\b[^>]*>")
_FRAME = '<div class="wide" role="group" aria-label="Table" tabindex="0">'


def in_frames(cleaned: str) -> str:
    """Every table in a frame that the keyboard reaches.

    ``cleaned`` comes from nh3, where every element is closed and a value of an attribute holds no ``<`` or
    ``>``: what looks like a table is one.
    """
    return _TABLE.sub(lambda table: _FRAME + table[0], cleaned).replace("</table>", "</table></div>")
