"""Files of which libsndfile would decode only the first part, and say nothing."""

from __future__ import annotations

import os
import re
from functools import lru_cache

from audiogmm.audio.decoders.mpeg_audio import find_first_frame, frame_length, stated_length, tag_length
from audiogmm.audio.decoders.source import ByteSource
from audiogmm.manifest.entry import display_name

_BLOCK = 1 << 20
_TAGS = 1 << 16
"""Bytes behind the sound of an MP3 that may be tags."""


def partial_kind(stream: ByteSource, size: int) -> str | None:
    """Return what a file is, if libsndfile may stop before its end: chained Ogg, MP3 of unknown length.

    Parameters
    ----------
    stream : seekable binary file
        Left anywhere.
    size : int
        Its bytes.

    Examples
    --------
    >>> import io
    >>> partial_kind(io.BytesIO(b"fLaC" + bytes(100)), 104) is None
    True
    """
    stream.seek(0)
    if stream.read(4) == b"OggS":
        return "an Ogg file of several links" if _is_chained(stream) else None
    start, frame = find_first_frame(stream)
    if not frame:
        return None
    states, stated = stated_length(frame)
    if not states:
        return "an MP3 that does not state its length"
    if stated is not None and _goes_on(stream, size, start + stated):
        return "an MP3 that goes on behind the end that its header states"
    return None


def _goes_on(stream: ByteSource, size: int, at: int) -> bool:
    """Whether more than tags follows the stated end of an MP3: another one, or a long rest."""
    if size - at > _TAGS:
        return True
    while at < size:
        stream.seek(at)
        head = stream.read(10)
        if head.startswith(b"TAG"):
            at += 128
        elif head.startswith(b"ID3") and len(head) == 10:
            at += tag_length(head)
        else:
            return frame_length(head) > 0
    return False


def second_note(path: str) -> tuple[str, ...]:
    """Return a warning if another recording of the same format follows in a local file, as `cat` leaves it.

    All of it is read, once a process. Ogg and MPEG audio may be continued so, and are decoded to their end.
    """
    found = os.stat(path)  # noqa: PTH116 - any name of a file
    at = _find_second(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))
    if at is None:
        return ()
    return (
        f"{display_name(path)} holds a second recording from byte {at} on, "
        "which is not read, or not as sound; split the file there",
    )


@lru_cache(maxsize=1 << 14)
def _find_second(path: str, identity: tuple[int, ...]) -> int | None:
    """Return the byte at which a second recording begins; `identity` is that of the file as it is now."""
    with open(path, "rb") as file:  # noqa: PTH123 - any name of a file
        head = file.read(64)
        pattern = next((mark for mark in _BEGINNINGS if re.match(mark, head, re.DOTALL)), None)
        at, held = 1, b""
        file.seek(at)
        while pattern is not None and (piece := file.read(_BLOCK)):
            data = held + piece
            if found := re.search(pattern, data, re.DOTALL):
                return at + found.start()
            held = data[-16:]
            at += len(data) - len(held)
    return None


_BEGINNINGS = (
    rb"fLaC[\x00\x80]\x00\x00\x22",
    rb"FORM.{4}AIF[FC]",
    rb"\.snd\x00\x00.{2}.{4}\x00\x00\x00",
    rb"\x00\x00\x00.ftyp",
    rb"(RIFF|RIFX|RF64|BW64).{4}WAVE",
    rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb",
    rb"caff\x00\x01\x00\x00desc",
    rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09",
    rb"TTA1\x01\x00",
)
"""Of formats that hold one recording: how they begin."""


def _is_chained(stream: ByteSource) -> bool:
    """Return whether a page that begins a stream follows one that does not (RFC 3533, section 4)."""
    stream.seek(0)
    began, held = False, b""
    while piece := stream.read(_BLOCK):
        data = held + piece
        at = data.find(b"OggS")
        while 0 <= at < len(data) - 6:
            begins = bool(data[at + 5] & 2) and data[at + 4] == 0
            if begins and began:
                return True
            began = began or not begins
            at = data.find(b"OggS", at + 4)
        held = data[at:] if at >= 0 else data[-3:]
    return False
