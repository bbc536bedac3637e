"""Files of which libsndfile would decode only the first part, and say nothing."""

from __future__ import annotations

from audiogmm.audio.decoders.source import ByteSource

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
    head = stream.read(10)
    if head.startswith(b"OggS"):
        return "an Ogg file of several links" if _is_chained(stream) else None
    start = 0
    if head.startswith(b"ID3") and len(head) == 10:
        a, b, c, d = head[6:10]
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    stream.seek(start)
    frame = stream.read(4096)
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0 or frame[1] & 0x06 == 0:
        return None
    found = max(frame[:256].find(b"Xing"), frame[:256].find(b"Info"))
    if found < 0 or not frame[found + 7] & 1:
        return None if b"VBRI" in frame[:256] else "an MP3 that does not state its length"
    if frame[found + 7] & 2:
        stated = int.from_bytes(frame[found + 12 : found + 16], "big")
        if size - start - stated > _TAGS:
            return "an MP3 that goes on behind the end that its header states"
    return None


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
