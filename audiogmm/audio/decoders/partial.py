"""Files of which libsndfile would decode only the first part, and say nothing."""

from __future__ import annotations

from audiogmm.audio.decoders.mpeg_audio import find_first_frame, stated_length
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
    if stream.read(4) == b"OggS":
        return "an Ogg file of several links" if _is_chained(stream) else None
    start, frame = find_first_frame(stream)
    if not frame:
        return None
    states, stated = stated_length(frame)
    if not states:
        return "an MP3 that does not state its length"
    if stated is not None and size - start - stated > _TAGS:
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
