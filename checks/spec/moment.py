"""Dates, moments and spans of time as specs write them: ``{date: 2024-02-29}``, ``{datetime:
2024-02-29T12:30}``, ``{timedelta: {days: 1, hours: 2}}``. They stand for ``datetime``'s own objects.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from checks.evidence import array_node
from checks.evidence import values as v

_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")


def moment_node(word: str, given: Any) -> v.Array:
    """The evidence that such an object leaves; ``word`` is one of ``MOMENTS``. Raises ValueError."""
    found = _MOMENTS[word](given)
    unit = {"date": "datetime64[D]", "datetime": "datetime64[us]", "timedelta": "timedelta64[us]"}[word]
    return msgspec.structs.replace(array_node(np.array(found, dtype=unit)), cls=f"datetime.{word}")


def moment_text(word: str, given: Any) -> str:
    """What the sandbox makes it of: ISO 8601, or for a span its microseconds. Raises ValueError."""
    found = _MOMENTS[word](given)
    return str(found // timedelta(microseconds=1)) if isinstance(found, timedelta) else found.isoformat()


def _date(given: Any) -> date:
    try:
        return date.fromisoformat(_text(given))
    except ValueError as error:
        raise ValueError(f"a date is written as 2024-02-29, not {given!r} ({error})") from error


def _datetime(given: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(given))
    except ValueError as error:
        raise ValueError(f"a moment is written as 2024-02-29T12:30, not {given!r} ({error})") from error
    if found.tzinfo is not None:
        raise ValueError(f"a moment is written without a time zone, not {given!r}")
    return found


def _timedelta(given: Any) -> timedelta:
    if not isinstance(given, dict) or not given or not set(given) <= set(_UNITS):
        raise ValueError(f"a span of time is written as {{days: 1, hours: 2}}; there are {', '.join(_UNITS)}")
    if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number in given.values()):
        raise ValueError("a span of time consists of numbers")
    try:
        return timedelta(**given)
    except OverflowError as error:
        raise ValueError(f"so long a span of time cannot be written ({error})") from error


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("it is no text")
    return given


_MOMENTS: dict[str, Callable[[Any], date | timedelta]] = {
    "date": _date,
    "datetime": _datetime,
    "timedelta": _timedelta,
}
MOMENTS = tuple(_MOMENTS)
