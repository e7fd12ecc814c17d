"""Due dates as people write and read them, and feedback as a student may see it by the clock."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from checks.assignment import Assignment
from checks.feedback import Feedback, student_view
from grader.store.due import Dates, Due

_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):(?P<minutes>[0-5]\d)")
MAX_ZONE = 64
# A day before and after these, ``datetime`` can still count in every zone.
YEARS = range(1971, 9999)


class DueError(ValueError):
    """This is no due date; the text says why and what would be one."""


def read_due(text: str, zone: str | None = None) -> Due:
    """A due date from ISO 8601, with an offset or in the IANA ``zone`` (told to people in that zone).

    Raises DueError.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise DueError(f"{text!r} is no moment: write it like 2026-12-01T23:59:00+01:00") from error
    if moment.year not in YEARS:
        raise DueError(f"{text!r} is too far away")
    if zone is not None:
        found = zone_of(zone)
        moment = moment.replace(tzinfo=found) if moment.tzinfo is None else moment.astimezone(found)
        told = zone.strip()
    elif moment.tzinfo is None:
        raise DueError(f"{text!r} has no time zone: add an offset (+01:00, Z) or name a zone (Europe/Vienna)")
    else:
        told = _offset(moment)
    return Due(moment.timestamp(), told)


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name, ``UTC`` or an offset like ``+01:00``; raises DueError."""
    name = name.strip()
    match = _OFFSET.fullmatch(name)
    if match is not None:
        ahead = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        if ahead < timedelta(hours=24):
            return timezone(ahead if match["sign"] == "+" else -ahead)
    elif name and len(name) <= MAX_ZONE:
        try:
            return ZoneInfo(name)
        except (
            KeyError,
            ValueError,
            OSError,
        ):  # what is no key, what is a folder of the data, what is not there
            pass
    raise DueError(f"{name!r} is no time zone: use a name like Europe/Vienna, UTC, or an offset like +01:00")


def local(due: Due) -> datetime:
    """The moment in its own zone."""
    return datetime.fromtimestamp(due.at, zone_of(due.zone))


def iso(due: Due) -> str:
    """The moment for programs, with its offset."""
    return local(due).isoformat(timespec="seconds")


def words(due: Due) -> str:
    """The moment for people: ``Tue 1 Dec 2026, 23:59 (Europe/Vienna)``."""
    moment = local(due)
    zone = due.zone if due.zone[0] not in "+-" else f"UTC{due.zone}"
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M} ({zone})"


def seen(feedback: Feedback, assignment: Assignment, dates: Dates, *, now: float | None = None) -> Feedback:
    """The feedback as its student may see it ``now`` (seconds since 1970; else at this moment)."""
    due = dates.of(feedback.submission.student)
    if due is None:
        return student_view(feedback, assignment)
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    return student_view(feedback, assignment, now=moment, due=datetime.fromtimestamp(due.at, UTC))


def is_past(due: Due | None, *, now: float | None = None) -> bool:
    """Whether the due date is over; never without one."""
    return due is not None and (time.time() if now is None else now) >= due.at


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset()
    assert offset is not None
    if not offset:
        return "UTC"
    if offset.seconds % 60 or offset.microseconds:
        raise DueError("an offset counts whole minutes")
    return f"{moment:%z}"[:3] + ":" + f"{moment:%z}"[3:5]
