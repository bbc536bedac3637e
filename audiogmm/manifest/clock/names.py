"""The time in the name of a file, as recorders write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from audiogmm.types import Seconds
from audiogmm.wall_clock import LATEST, UNIX

_DATE_AND_TIME = re.compile(
    r"(?<!\d)(\d{4})(?P<a>[-_.]?)(\d\d)(?P=a)(\d\d)"  # 20240501, 2024-05-01
    r"(?:[T_ $-]|(?<=\d)(?=\d))"  # Song Meter has $ before the time of a piece that continues another
    r"(\d\d)(?P<b>[-_.:]?)(\d\d)(?P=b)(\d\d)"
    r"(?:[._,](\d{3})(?!\d))?"
    r"(Z|[+-]\d\d:?\d\d)?(?!\d)"
)
_HEXADECIMAL = re.compile(r"[0-9A-F]{8}")
_FIRST_HEXADECIMAL, _LAST_HEXADECIMAL = 1483228800, 1640995200
"""2017 to 2022: AudioMoth's names before the firmware that writes dates; others of eight digits are none."""


def find_time_in_name(path: str, zone: tzinfo = UTC) -> Seconds | None:
    """Find the time in the name of a file.

    Known are AudioMoth (``20240501_120000.WAV``, ``...T.WAV``, and the hexadecimal seconds of its first
    firmware), Song Meter (``PREFIX_20240501_120000.wav``, ``$`` in place of the second ``_``, milliseconds
    behind), and ISO 8601 with or without its marks. The name of the file counts, not its folders.

    Parameters
    ----------
    path : str
        A path or a URL.
    zone : tzinfo
        Of a name that has none.

    Returns
    -------
    float or None
        Unix time; None where the name has no date, or digits that are none, as ``20249901_120000``.

    Examples
    --------
    >>> find_time_in_name("site/20240501_120000.WAV"), find_time_in_name("S4A_20240501$120000_250.wav")
    (1714564800.0, 1714564800.25)
    >>> find_time_in_name("5CC0A3B0.WAV"), find_time_in_name("2024-05-01T12-00-00+0200.flac")
    (1556128688.0, 1714557600.0)
    >>> find_time_in_name("20249901_120000.wav") is None
    True
    """
    name = path.partition("::")[0].rpartition("/")[2]
    for match in _DATE_AND_TIME.finditer(name):
        year, month, day, hour, minute, second = (int(match[i]) for i in (1, 3, 4, 5, 7, 8))
        try:
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            continue
        if match[10]:
            given = datetime.strptime(match[10].replace("Z", "+0000"), "%z").tzinfo
            found = found.replace(tzinfo=given)
        return plausible((found + timedelta(milliseconds=int(match[9] or 0))).timestamp())
    stem = name.partition(".")[0]
    if _HEXADECIMAL.fullmatch(stem) and _FIRST_HEXADECIMAL <= int(stem, 16) < _LAST_HEXADECIMAL:
        return float(int(stem, 16))
    return None


def plausible(seconds: Seconds) -> Seconds | None:
    """Return a Unix time, or None if it lies before 1973 or after 2100: the clock was not set."""
    return seconds if UNIX <= seconds <= LATEST else None
