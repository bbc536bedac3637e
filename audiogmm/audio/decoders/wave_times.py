"""When a wav file was begun, by what recorders write into it: BWF, GUANO, AudioMoth's comment."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from audiogmm.audio.decoders.source import open_source
from audiogmm.audio.decoders.wave import begins_wav
from audiogmm.errors import AudioGMMError
from audiogmm.manifest.clock.names import plausible
from audiogmm.types import Seconds
from audiogmm.wall_clock import parse_time

_LARGEST = 1 << 20
"""Bytes of a chunk that is read: metadata, not sound."""

_COMMENT = re.compile(
    r"Recorded at (\d\d):(\d\d):(\d\d)(?:\.(\d{3}))? (\d\d)/(\d\d)/(\d{4}) "
    r"\(UTC(?:([+-]\d{1,2})(?::(\d\d))?)?\)"
)


def read_wave_times(path: str, zone: tzinfo = UTC) -> dict[str, Seconds]:
    """Return the times at which a wav file says that it was begun.

    Parameters
    ----------
    path : str
        A path or a URL. What is no wav, cannot seek or is damaged has no times.
    zone : tzinfo
        Of what names no zone: BWF never does, GUANO may not.

    Returns
    -------
    dict of str to float
        Unix times: of ``GUANO`` (its Timestamp), ``AudioMoth`` (the comment ICMT), and ``BWF`` (the date and
        time of origination; to the sample, where the time reference agrees).
    """
    found: dict[str, Seconds] = {}
    rate = 0
    try:
        with closing(open_source(path)) as stream:
            for kind, body in _chunks(stream):
                if kind == b"fmt " and len(body) >= 8:
                    rate = struct.unpack_from("<I", body, 4)[0]
                named = {b"guan": ("GUANO", _guano), b"LIST": ("AudioMoth", _comment)}.get(kind)
                time = None
                if kind == b"bext":
                    named, time = ("BWF", _guano), _origination(body, rate, zone)
                elif named is not None:
                    time = named[1](body, zone)
                if named is not None and time is not None:
                    found.setdefault(named[0], time)
    except (AudioGMMError, OSError, ValueError, AttributeError, struct.error):
        return found
    return found


def _chunks(stream: Any) -> Iterator[tuple[bytes, bytes]]:
    """The small chunks of a wav that can seek; the others are passed over."""
    head = stream.read(12)
    if not begins_wav(head) or head[:4] == b"RIFX":
        return
    long_size = 0
    at = 12
    while len(chunk := stream.read(8)) == 8:
        kind, size = struct.unpack("<4sI", chunk)
        at += 8
        if kind == b"data" and size == 0xFFFFFFFF:
            size = long_size
        if size <= _LARGEST and kind != b"data":
            body = stream.read(size)
            if kind == b"ds64" and len(body) >= 16:
                long_size = struct.unpack_from("<Q", body, 8)[0]
            yield kind, body
        at += size + (size & 1)
        stream.seek(at)


def _guano(body: bytes, zone: tzinfo) -> Seconds | None:
    """The Timestamp of GUANO: lines of ``key: value`` in UTF-8."""
    for line in body.decode("utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "timestamp":
            try:
                return plausible(parse_time(value, zone))
            except ValueError:
                return None
    return None


def _comment(body: bytes, zone: tzinfo) -> Seconds | None:
    """``Recorded at 10:15:00 23/05/2021 (UTC+2) by AudioMoth ...`` in a list of INFO."""
    match = _COMMENT.search(body.decode("latin-1")) if body[:4] == b"INFO" else None
    if match is None:
        return None
    hour, minute, second, day, month, year = (int(match[i]) for i in (1, 2, 3, 5, 6, 7))
    hours = int(match[8] or 0)
    minutes = int(match[9] or 0) * (-1 if (match[8] or "").startswith("-") else 1)
    there = timezone(timedelta(hours=hours, minutes=minutes))
    try:
        start = datetime(year, month, day, hour, minute, second, int(match[4] or 0) * 1000, tzinfo=there)
    except ValueError:
        return None
    return plausible(start.timestamp())


def _origination(body: bytes, rate: int, zone: tzinfo) -> Seconds | None:
    """The date and time of a bext chunk (EBU Tech 3285), which are those of the recorder's clock."""
    digits = re.findall(r"\d+", (body[320:330] + b" " + body[330:338]).decode("latin-1"))
    try:
        start = datetime(*map(int, digits[:6]), tzinfo=zone)  # type: ignore[misc, arg-type]
    except (ValueError, TypeError):
        return None
    if len(digits) < 6:
        return None
    midnight = start.replace(hour=0, minute=0, second=0)
    if rate and len(body) >= 346:
        exact = struct.unpack_from("<Q", body, 338)[0] / rate
        if abs(midnight.timestamp() + exact - start.timestamp()) < 1:
            return plausible(midnight.timestamp() + exact)
    return plausible(start.timestamp())
