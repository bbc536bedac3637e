"""Files whose end is missing, where decoders take what is left for the whole."""

from __future__ import annotations

import struct

from audiogmm.audio.decoders.mpeg_audio import ends_in_frame, find_first_frame, stated_length
from audiogmm.audio.decoders.source import ByteSource, GuardedFile
from audiogmm.errors import AudioFileError

_TAIL = 1 << 17  # more than the longest page of Ogg: 27 + 255 + 255 * 255 bytes

_PACKET = 188  # bytes of a packet of an MPEG transport stream


def refuse_cut(stream: ByteSource, size: int, name: str) -> None:
    """Refuse a file whose own structure says that its end is missing.

    A stream that was cut between two pages, packets or frames cannot be recognized, unless it states its
    length.

    Parameters
    ----------
    stream : seekable binary file
        Left anywhere.
    size : int
        Its bytes.
    name : str
        For messages.

    Raises
    ------
    AudioFileError
        If it is Ogg, and ends in a page; AVI or CAF, and ends in a chunk; FLV, and ends in a tag; an MPEG
        transport stream, and ends in a packet.

    Examples
    --------
    >>> import io
    >>> page = b"OggS" + bytes(22) + bytes([1, 3]) + b"abc"
    >>> refuse_cut(io.BytesIO(page), 32, "a.ogg")
    >>> refuse_cut(io.BytesIO(page[:-1]), 31, "a.ogg")
    Traceback (most recent call last):
    audiogmm.errors.AudioFileError: a.ogg is truncated: its last page is cut off; ...
    """
    stream.seek(0)
    head = stream.read(2 * _PACKET)
    missing = None
    if head.startswith(b"OggS"):
        missing = "its last page is cut off" if _is_cut_ogg(stream, size) else None
    elif head.startswith(b"caff"):
        missing = _compare(size, _end_of_caf(stream, size))
    elif head.startswith(b"FLV\x01"):
        missing = None if _ends_as_flv(stream, size) else "its last tag is cut off"
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        stated = int.from_bytes(head[4:8], "little")
        missing = _compare(size, 8 + stated if 0 < stated < 0xFFFFFF00 else None)
    elif head[:1] == b"G" == head[_PACKET : _PACKET + 1] and size % _PACKET:
        missing = "its last packet is cut off"
    if missing is not None:
        if isinstance(stream, GuardedFile):
            stream.refuse_failed(name)
        raise AudioFileError(
            f"{name} is truncated: {missing}", needed="a whole file", remedy="copy or record it again"
        )


def cut_note(stream: ByteSource, size: int, name: str) -> tuple[str, ...]:
    """Return a warning if MPEG audio ends in a frame, or before the end that its Xing header states.

    Programs that split MP3 leave such files, so that they are used.
    """
    start, frame = find_first_frame(stream)
    if not frame:
        return ()
    stated = stated_length(frame)[1]
    missing = _compare(size, start + stated if stated else None)
    if missing is None and ends_in_frame(stream, size):
        missing = "its last frame is cut off"
    return () if missing is None else (f"{name} may be truncated: {missing}",)


def _compare(size: int, stated: int | None) -> str | None:
    if stated is None or size >= stated:
        return None
    return f"it holds {size} bytes of the {stated} that its header promises"


def _end_of_caf(stream: ByteSource, size: int) -> int | None:
    """Where the last chunk of a CAF ends; None if one of them states no size (it reaches to the end).

    Zeros behind a chunk, and less than the header of another, are padding.
    """
    at = 8
    while at <= size - 12:
        stream.seek(at)
        chunk = stream.read(12)
        if chunk.startswith((b"caff", bytes(4))) or len(chunk) < 12:  # another one, or padding
            return at
        length = struct.unpack(">q", chunk[4:])[0]
        if length < 0:
            return None
        at += 12 + length
    return at


def _ends_as_flv(stream: ByteSource, size: int) -> bool:
    """Whether the last four bytes are the size of the tag before them, which has a header of 11 bytes."""
    stream.seek(size - 4)
    tag = int.from_bytes(stream.read(4), "big")
    stream.seek(max(0, size - 4 - tag))
    return tag > 11 and int.from_bytes(stream.read(4)[1:], "big") + 11 == tag


def _is_cut_ogg(stream: ByteSource, size: int) -> bool:
    """Whether Ogg ends in the middle of a page (RFC 3533, section 6)."""
    stream.seek(max(0, size - _TAIL))
    tail = b"".join(iter(lambda: stream.read(_TAIL), b""))
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27:
        return True
    lengths = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(lengths)
