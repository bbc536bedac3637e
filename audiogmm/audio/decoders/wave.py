"""The RIFF WAVE format: its header, and its samples from bytes."""

from __future__ import annotations

import dataclasses
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.pcm_samples import decode_samples
from audiogmm.audio.decoders.source import ByteSource
from audiogmm.errors import AudioFileError

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
"""Format tags of mmreg.h; every other one is left to other decoders."""

_HEADER_LIMIT = 1 << 26
"""Bytes of other chunks that may precede the samples: cover art, not a stream of something else."""


@dataclass(frozen=True, slots=True)
class WaveHeader:
    """What comes before the samples of a wav stream.

    Attributes
    ----------
    tag : int
        Format tag; of WAVE_FORMAT_EXTENSIBLE, the one in its sub-format.
    sample_rate : int
        Hertz.
    channels : int
        Interleaved channels.
    width : int
        Bytes of one sample of one channel, its padding included.
    data_start : int
        Offset of the first sample, bytes.
    data_size : int or None
        Bytes of samples that the header promises; None if it was written before they were known.
    stated : int
        What the header says instead, then.
    padded : bool
        17 to 24 bits in 4 bytes: `locate_bits` finds out at which end.
    low : bool
        They are at the low end.
    extensible : bool
        WAVE_FORMAT_EXTENSIBLE, which says that padding is at the low end of a sample.
    swapped : bool
        High byte first (RIFX).
    """

    tag: int
    sample_rate: int
    channels: int
    width: int
    data_start: int
    data_size: int | None
    stated: int = 0
    padded: bool = False
    low: bool = False
    extensible: bool = False
    swapped: bool = False

    @property
    def unit(self) -> int:
        """Bytes of one sample of all channels."""
        return self.width * self.channels

    @property
    def n_samples(self) -> int | None:
        """Samples of each channel that the header promises, for formats of fixed width."""
        return None if self.data_size is None else self.data_size // self.unit

    @property
    def subtype(self) -> str:
        """libsndfile's name for the sample format, or "" for those that are left to other decoders."""
        return "PCM_24_LOW" if self.low else _SUBTYPES.get((self.tag, self.width), "")

    def continues(self, other: WaveHeader) -> bool:
        """Return whether the samples of another wav stream may be appended to this one's."""
        return (self.sample_rate, self.unit, self.channels, self.subtype, self.swapped) == (
            other.sample_rate,
            other.unit,
            other.channels,
            dataclasses.replace(other, low=self.low and other.padded).subtype,
            other.swapped,
        )

    def decode(self, data: bytes) -> NDArray[Any]:
        """Decode whole units to shape (n, channels), int16 or float32."""
        return decode_samples(self.subtype, data, self.width if self.swapped else 0).reshape(
            -1, self.channels
        )


_SUBTYPES = {
    (PCM, 1): "PCM_U8",
    (PCM, 2): "PCM_16",
    (PCM, 3): "PCM_24",
    (PCM, 4): "PCM_32",
    (FLOAT, 4): "FLOAT",
    (FLOAT, 8): "DOUBLE",
    (ALAW, 1): "ALAW",
    (MULAW, 1): "ULAW",
}

MAGICS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
"""First letters of a wav stream; ``WAVE`` follows after four bytes."""


def begins_wav(head: bytes) -> bool:
    """Return whether at least 12 bytes begin a wav stream."""
    return head[:4] in MAGICS and head[8:12] == b"WAVE"


def begins_chunk(head: bytes, swapped: bool = False) -> bool:
    """Return whether bytes begin a chunk that is not sound, as ``LIST``.

    Examples
    --------
    >>> begins_chunk(b"LIST" + bytes([26, 0, 0, 0])), begins_chunk(bytes([0, 1, 0, 2, 0, 1, 0, 3]))
    (True, False)
    """
    if len(head) < 8 or re.fullmatch(rb"[A-Za-z0-9_ -]{4}", head[:4]) is None or not head[:4].strip():
        return False
    return int.from_bytes(head[4:8], "big" if swapped else "little") <= _HEADER_LIMIT


def begins_tag(head: bytes) -> bool:
    """Return whether bytes begin a tag of MP3, which some programs append to any file."""
    return head.startswith((b"TAG", b"ID3", b"APETAGEX"))


def locate_bits(header: WaveHeader, data: bytes) -> tuple[WaveHeader, bool]:
    """Find out at which end of 4 bytes the 24 bits of a sample are, where the header leaves it open.

    `arecord -f S24_LE` writes them at the low end; WAVE_FORMAT_EXTENSIBLE says that they are at the high end.
    Samples that use the lowest byte decide, as do those of which the highest byte is more than a sign.

    Parameters
    ----------
    header : WaveHeader
    data : bytes
        Samples.

    Returns
    -------
    header : WaveHeader
    certain : bool
        Whether the samples decided.
    """
    if not header.padded:
        return header, True
    words = np.frombuffer(data[: len(data) // 4 * 4], ">i4" if header.swapped else "<i4")
    uses_low = bool((words & 0xFF).any())
    fits_low = bool(((words << 8 >> 8) == words).all() or ((words >> 24) == 0).all())
    certain = uses_low or not fits_low
    low = fits_low if certain else not header.extensible
    return dataclasses.replace(header, low=low), certain


def read_header(stream: ByteSource, name: str) -> WaveHeader | None:
    """Read up to the first sample, without seeking.

    Parameters
    ----------
    stream : binary file
        At its first byte; left at the first sample.
    name : str
        For messages.

    Returns
    -------
    WaveHeader or None
        None if this is not a RIFF, RIFX, RF64 or BW64 WAVE stream; up to 12 bytes have then been read.

    Raises
    ------
    AudioFileError
        If the stream ends, or is damaged, before the first sample.
    """
    magic = _read_exactly(stream, 12)
    if not begins_wav(magic):
        return None
    order = ">" if magic[:4] == b"RIFX" else "<"
    position = 12
    long_size: int | None = None
    form: WaveHeader | None = None
    while position < _HEADER_LIMIT:
        chunk = _read_exactly(stream, 8)
        position += 8
        if len(chunk) < 8:
            raise _ends_early(name, position - 8 + len(chunk))
        kind, size = struct.unpack(order + "4sI", chunk)
        if kind == b"data":
            if form is None:
                raise AudioFileError(
                    f"{name} is not a usable wav: its samples come before their format",
                    needed="a fmt chunk first",
                )
            if size == 0xFFFFFFFF and long_size is not None:
                size = long_size
            promised = None if _is_unknown(size) else size
            return dataclasses.replace(form, data_start=position, data_size=promised, stated=size)
        body = _read_exactly(stream, min(size + (size & 1), _HEADER_LIMIT))
        position += len(body)
        if len(body) < min(size, _HEADER_LIMIT):
            raise _ends_early(name, position)
        if kind == b"ds64" and len(body) >= 16:
            long_size = struct.unpack_from("<Q", body, 8)[0]
        elif kind == b"fmt ":
            form = _parse_format(body, name, order)
    raise AudioFileError(
        f"{name} is not a usable wav: no samples in its first {_HEADER_LIMIT >> 20} MiB",
        needed="a data chunk",
    )


def _ends_early(name: str, size: int) -> AudioFileError:
    return AudioFileError(
        f"{name} is truncated: it ends after {size} bytes, before its samples",
        needed="a wav stream with a fmt and a data chunk",
        remedy="copy or record it again",
    )


def _is_unknown(size: int) -> bool:
    """Return whether a data size is what writers leave in a pipe, where they cannot come back to count.

    ffmpeg leaves 0xFFFFFFFF (all ones in RF64), sox 0x7FFFFFFF less its header, arecord 0x80000000 (or
    0x7FFFFF00), GStreamer 0.
    """
    return (
        size == 0 or 0x7FFF0000 <= size <= 0x80000100 or 0xFFFFFF00 <= size <= 0xFFFFFFFF or size >= 1 << 63
    )


def _parse_format(body: bytes, name: str, order: str) -> WaveHeader:
    """The fmt chunk, as a header without data.

    Bits a sample, rounded up to bytes, are its width; block align is often wrong. Only 17 to 24 bits may be
    in 4 bytes, where block align says so.
    """
    if len(body) < 16:
        raise AudioFileError(
            f"{name} is not a usable wav: its fmt chunk has {len(body)} bytes", needed="16 or more"
        )
    tag, channels, sample_rate, _, align, bits = struct.unpack_from(order + "HHIIHH", body)
    if not (channels and sample_rate and (align or bits)):
        raise AudioFileError(
            f"{name} is not a usable wav: {channels} channels, {sample_rate} Hz, {align} bytes a sample",
            needed="at least 1 of each",
        )
    extensible = tag == EXTENSIBLE and len(body) >= 26
    valid = bits
    if extensible:
        valid, _, tag = struct.unpack_from(order + "HIH", body, 18)
        valid = valid if 0 < valid <= bits else bits
    width = -(-bits // 8) or align // channels
    if tag not in (PCM, FLOAT, ALAW, MULAW):
        width = max(align // channels, 1)
    elif width == 3 and align == 4 * channels:
        width = 4
    padded = tag == PCM and width == 4 and 16 < valid <= 24
    return WaveHeader(
        tag,
        sample_rate,
        channels,
        width,
        0,
        None,
        padded=padded,
        extensible=extensible,
        swapped=order == ">",
    )


def _read_exactly(stream: ByteSource, size: int) -> bytes:
    """Up to `size` bytes; fewer only at the end of the stream."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
