"""The time of day as seconds: read and written in one way everywhere, in UTC.

A time is a number of seconds. From `UNIX` on it counts from 1970-01-01 in UTC; below, from an unnamed start
(bearings log "seconds since the start"). So relative and absolute times are told apart by their size alone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from audiogmm.errors import ChoiceError
from audiogmm.types import Seconds

UNIX: Seconds = 1e8
"""Numbers from here on (1973-03-03) are Unix times; smaller ones are seconds since a start without a name."""

LATEST: Seconds = 4102444800.0
"""2100-01-01: what lies beyond is milliseconds, or damage."""

NEEDED = "ISO 8601 with a zone (2024-05-01T12:00:00Z, ...+02:00), or seconds (Unix time from 1e8 on)"
"""What a time is, for messages."""


def parse_time(value: Any, zone: tzinfo | None = None) -> Seconds:
    """Read a time: ISO 8601 with a zone, or a number of seconds.

    Parameters
    ----------
    value : str, int or float
        A text without a zone is an error, unless `zone` says which it is in.
    zone : tzinfo, optional
        Of texts that name none.

    Returns
    -------
    float
        Seconds since 1970 in UTC; or since a start without a name, for numbers below `UNIX`.

    Raises
    ------
    ValueError
        With what came, "; needed: ", and what was needed.

    Examples
    --------
    >>> parse_time("2024-05-01T12:00:00+02:00"), parse_time("2024-05-01T10:00:00.250Z"), parse_time(30)
    (1714557600.0, 1714557600.25, 30.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.60} is no time; needed: {NEEDED}")
    if not isinstance(value, str):
        return _within(value, value)
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"{value!r:.60} is no time; needed: {NEEDED}") from None
        return _within(number, value)
    if found.tzinfo is None:
        if zone is None:
            raise ValueError(f"{value!r} names no time zone; needed: {NEEDED}: append Z if it is UTC")
        found = found.replace(tzinfo=zone)
    try:
        seconds = found.timestamp()
    except (OverflowError, ValueError):  # the year 1, in a zone east of Greenwich
        seconds = 0.0
    if seconds < UNIX:
        raise ValueError(f"{value!r} lies before 1973: a clock that was not set; needed: {NEEDED}")
    return _within(seconds, value)


def _within(seconds: float, value: Any) -> Seconds:
    if seconds > LATEST:
        hint = ": divide milliseconds by 1000" if seconds > 1e11 else ""
        raise ValueError(f"{value!r:.60} lies after 2100; needed: {NEEDED}{hint}")
    if not seconds >= 0:
        raise ValueError(f"{value!r:.60} is below 0 or no number; needed: {NEEDED}")
    return float(seconds)


def is_absolute(time: Seconds) -> bool:
    """Return whether a time has a date, and does not count from a start without a name."""
    return time >= UNIX


def format_time(time: Seconds) -> str | float:
    """Return a time as it is written: ISO 8601 in UTC with milliseconds, or the seconds of a relative time.

    Examples
    --------
    >>> format_time(1714557600.25), format_time(30.1234567)
    ('2024-05-01T10:00:00.250Z', 30.123457)
    """
    if not is_absolute(time):
        return round(time, 6)
    whole, milliseconds = divmod(round(time * 1000), 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def exact_time(time: Seconds) -> str | float:
    """Return a time as a manifest holds it: as `format_time`, unless that does not read as the same time."""
    text = format_time(time)
    return text if parse_time(text) == time else time


def find_zone(name: str | None) -> tzinfo:
    """Return the time zone of a name, as ``Europe/Berlin`` or ``+02:00``; UTC by default.

    Raises
    ------
    ChoiceError
        If there is none.

    Examples
    --------
    >>> str(find_zone("+02:00")), str(find_zone(None))
    ('UTC+02:00', 'UTC')
    """
    if name is None or name.upper() in ("UTC", "Z"):
        return UTC
    if re.fullmatch(r"[+-]\d\d:?\d\d", name):
        found = datetime.strptime(f"2000 {name}", "%Y %z").tzinfo
        assert found is not None
        return found
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ChoiceError(
            f"the time zone {name!r}",
            needed="a name of the IANA database, or hours from UTC",
            remedy="Europe/Berlin, or +02:00",
        ) from None


def local_time(time: Seconds, zone: tzinfo) -> datetime:
    """Return an absolute time as the clocks of a zone show it.

    Examples
    --------
    >>> local_time(1714557600.0, find_zone("Europe/Berlin")).hour
    12
    """
    return datetime.fromtimestamp(time, zone)
