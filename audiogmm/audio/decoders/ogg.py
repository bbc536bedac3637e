"""Ogg files that were cut off: libsndfile takes what is left for the whole."""

from __future__ import annotations

import os

from audiogmm.audio.decoders.source import ByteSource

_TAIL = 1 << 17  # more than the longest page: 27 + 255 + 255 * 255 bytes


def is_cut_off(stream: ByteSource) -> bool:
    """Whether a file is Ogg, and ends in the middle of a page (RFC 3533, section 6).

    A stream that was cut between two pages cannot be told from one that was recorded from the air.

    Parameters
    ----------
    stream : seekable binary file
        Left where it was read last.

    Examples
    --------
    >>> import io
    >>> page = b"OggS" + bytes(22) + bytes([1, 3]) + b"abc"
    >>> is_cut_off(io.BytesIO(page)), is_cut_off(io.BytesIO(page[:-1]))
    (False, True)
    """
    stream.seek(0)
    if stream.read(4) != b"OggS":
        return False
    size = stream.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    stream.seek(start)
    tail = b"".join(iter(lambda: stream.read(_TAIL), b""))
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27:
        return True
    lengths = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(lengths)
