"""Moments and spans of time: Python's, pandas' scalars. Each becomes an array without axes, as NumPy's do.

A moment of a time zone is in UTC, with the zone's name beside it.
"""

from __future__ import annotations

import struct
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from . import ancestry, class_name
from .instances import described, is_from

if TYPE_CHECKING:
    from . import Node, Taker

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400_000_000
_NOT_A_TIME = -(2**63)
_get = {
    name: datetime.__dict__[name].__get__ for name in ("hour", "minute", "second", "microsecond", "tzinfo")
}
_part = {name: time.__dict__[name].__get__ for name in ("hour", "minute", "second", "microsecond")}
_span = {name: timedelta.__dict__[name].__get__ for name in ("days", "seconds", "microseconds")}
_MAX_ZONE = 200
_ZONES = ("zoneinfo", "datetime", "pytz", "dateutil")


def _moment(number: int, dtype: str, cls: str, taker: Taker, zone: str | None = None) -> Node:
    data = taker.blob(struct.pack("<q", number))
    node = {"t": "array", "shape": [], "dtype": dtype, "data": data, "cls": cls}
    return node if zone is None else {**node, "zone": zone}


def take_date(value: date, taker: Taker) -> Node:
    """A day."""
    return _moment(date.toordinal(value) - _EPOCH, "datetime64[D]", class_name(type(value)), taker)


def take_datetime(value: datetime, taker: Taker) -> Node:
    """A moment in microseconds; where it has a time zone, in UTC."""
    hour, minute, second, micro = (_get[name](value) for name in ("hour", "minute", "second", "microsecond"))
    days = date.toordinal(value) - _EPOCH
    number = days * _DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    zone = _get["tzinfo"](value)
    if zone is None:
        return _moment(number, "datetime64[us]", class_name(type(value)), taker)
    if not known_zone(zone):
        raise TypeError("a time zone of an unknown class")
    offset = datetime.utcoffset(value) or timedelta()
    utc = number - _microseconds(offset)
    return _moment(utc, "datetime64[us]", class_name(type(value)), taker, zone_name(zone))


def take_timedelta(value: timedelta, taker: Taker) -> Node:
    """A span in microseconds."""
    return _moment(_microseconds(value), "timedelta64[us]", class_name(type(value)), taker)


def _microseconds(value: timedelta) -> int:
    days, seconds, micro = (_span[name](value) for name in ("days", "seconds", "microseconds"))
    return int((days * 86_400 + seconds) * 1_000_000 + micro)


def take_time(value: time, taker: Taker) -> Node:
    """A time of day, by its parts."""
    return described(value, "time", {name: get(value) for name, get in _part.items()}, taker)


def known_zone(zone: object) -> bool:
    """Whether a zone is the standard library's or a known package's: asking it runs no student's code."""
    kind = type(zone)
    return isinstance(zone, tzinfo) and any(is_from(kind, name) for name in _ZONES)


def zone_name(zone: object) -> str:
    """``Europe/Berlin``, ``UTC``, ``UTC+02:00``: what a known zone is called."""
    if type(zone) is ZoneInfo:
        return str(zone.key)
    if type(zone) is timezone:
        return str(timezone.tzname(zone, None))[:_MAX_ZONE]
    return str(zone)[:_MAX_ZONE] if known_zone(zone) else "unknown"


def _base(value: object, name: str) -> Any:
    """The class of ``value``'s ancestry with this full name: its methods are the library's own."""
    return next(kind for kind in ancestry(value) if class_name(kind) == name)


def take_timestamp(value: Any, taker: Taker) -> Node:
    """pandas' moment, in its own unit."""
    own = _base(value, "pandas._libs.tslibs.timestamps._Timestamp")
    found = own.to_datetime64(value)
    zone = _get["tzinfo"](value)
    name = None if zone is None else zone_name(zone)
    return _moment(int(found.view("int64")), str(found.dtype), class_name(type(value)), taker, name)


def take_pandas_timedelta(value: Any, taker: Taker) -> Node:
    """pandas' span, in its own unit."""
    found = _base(value, "pandas._libs.tslibs.timedeltas._Timedelta").to_timedelta64(value)
    return _moment(int(found.view("int64")), str(found.dtype), class_name(type(value)), taker)


def take_nothing(value: object, taker: Taker) -> Node:
    """pandas' NaT."""
    return _moment(_NOT_A_TIME, "datetime64[ns]", class_name(type(value)), taker)


def take_period(value: Any, taker: Taker) -> Node:
    """pandas' period: its number since 1970 in its own frequency."""
    own = _base(value, "pandas._libs.tslibs.period._Period")
    attributes = {name: own.__dict__[name].__get__(value) for name in ("ordinal", "freqstr")}
    return described(value, "period", attributes, taker)


def take_interval(value: Any, taker: Taker) -> Node:
    """pandas' interval: both ends, and which of them belong to it."""
    own = _base(value, "pandas.Interval")
    attributes = {name: own.__dict__[name].__get__(value) for name in ("left", "right", "closed")}
    return described(value, "interval", attributes, taker)


TAKES = {
    "datetime.date": take_date,
    "datetime.datetime": take_datetime,
    "datetime.timedelta": take_timedelta,
    "datetime.time": take_time,
    "pandas._libs.tslibs.timestamps._Timestamp": take_timestamp,
    "pandas._libs.tslibs.timedeltas._Timedelta": take_pandas_timedelta,
    "pandas._libs.tslibs.nattype._NaT": take_nothing,
    "pandas._libs.tslibs.period._Period": take_period,
    "pandas.Interval": take_interval,
}
