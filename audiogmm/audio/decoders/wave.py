"""The RIFF WAVE format: its header, and its samples from bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.audio.decoders.source import ByteSource
from audiogmm.errors import AudioFileError

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
"""Format tags of mmreg.h; every other one is left to libsndfile."""

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
        Bytes of one sample of one channel, its padding included (block align / channels).
    data_start : int
        Offset of the first sample, bytes.
    data_size : int or None
        Bytes of samples that the header promises; None if it was written before they were known.
    """

    tag: int
    sample_rate: int
    channels: int
    width: int
    data_start: int
    data_size: int | None

    @property
    def n_samples(self) -> int | None:
        """Samples of each channel that the header promises, for formats of fixed width."""
        return None if self.data_size is None else self.data_size // (self.width * self.channels)

    @property
    def subtype(self) -> str:
        """libsndfile's name for the sample format, or "" for those that are left to it."""
        return _SUBTYPES.get((self.tag, self.width), "")


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
        None if this is not a RIFF, RF64 or BW64 WAVE stream; up to 12 bytes have then been read.

    Raises
    ------
    AudioFileError
        If the stream ends, or is damaged, before the first sample.
    """
    magic = _read_exactly(stream, 12)
    if len(magic) < 12 or magic[:4] not in (b"RIFF", b"RF64", b"BW64") or magic[8:] != b"WAVE":
        return None
    position = 12
    long_size: int | None = None
    form: tuple[int, int, int, int] | None = None
    while position < _HEADER_LIMIT:
        chunk = _read_exactly(stream, 8)
        position += 8
        if len(chunk) < 8:
            raise _ends_early(name, position - 8 + len(chunk))
        kind, size = struct.unpack("<4sI", chunk)
        if kind == b"data":
            if form is None:
                raise AudioFileError(
                    f"{name} is not a usable wav: its samples come before their format",
                    needed="a fmt chunk first",
                )
            if size == 0xFFFFFFFF and long_size is not None:
                size = long_size
            promised = None if _is_unknown(size) else size
            return WaveHeader(*form, data_start=position, data_size=promised)
        body = _read_exactly(stream, min(size + (size & 1), _HEADER_LIMIT))
        position += len(body)
        if len(body) < min(size, _HEADER_LIMIT):
            raise _ends_early(name, position)
        if kind == b"ds64" and len(body) >= 16:
            long_size = struct.unpack_from("<Q", body, 8)[0]
        elif kind == b"fmt ":
            form = _parse_format(body, name)
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

    ffmpeg leaves 0xFFFFFFFF (all ones in RF64), sox 0x7FFFFFFF less its header, GStreamer 0.
    """
    return (
        size == 0 or 0x7FFF0000 <= size <= 0x7FFFFFFF or 0xFFFFFF00 <= size <= 0xFFFFFFFF or size >= 1 << 63
    )


def _parse_format(body: bytes, name: str) -> tuple[int, int, int, int]:
    """The fmt chunk: tag, sample rate, channels, bytes of one sample of one channel."""
    if len(body) < 16:
        raise AudioFileError(
            f"{name} is not a usable wav: its fmt chunk has {len(body)} bytes", needed="16 or more"
        )
    tag, channels, sample_rate, _, align, _ = struct.unpack_from("<HHIIHH", body)
    if tag == EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    if not (channels and sample_rate and align):
        raise AudioFileError(
            f"{name} is not a usable wav: {channels} channels, {sample_rate} Hz, {align} bytes a sample",
            needed="at least 1 of each",
        )
    return tag, sample_rate, channels, align // channels


def _read_exactly(stream: ByteSource, size: int) -> bytes:
    """Up to `size` bytes; fewer only at the end of the stream."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def decode_samples(subtype: str, data: bytes) -> NDArray[Any]:
    """Decode whole bytes of one sample format, named as in libsndfile, low byte first.

    Returns
    -------
    ndarray of shape (n,), int16 or float32
        int16 for the formats that it holds exactly (8 and 16 bit, A-law, mu-law), else float32. Full scale
        and rounding are libsndfile's.

    Examples
    --------
    >>> decode_samples("PCM_S8", bytes([1, 0xFF]))
    array([ 256, -256], dtype=int16)
    """
    return _DECODERS[subtype](data)


def _decode_u8(data: bytes) -> NDArray[Any]:
    return (np.frombuffer(data, np.uint8).astype(np.int16) - np.int16(128)) << np.int16(8)


def _decode_24(data: bytes) -> NDArray[Any]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4")[:, 0].astype(np.float32) * np.float32(2.0**-31)


def _decode_32(data: bytes) -> NDArray[Any]:
    return np.frombuffer(data, "<i4").astype(np.float32) * np.float32(2.0**-31)


def _alaw_table() -> NDArray[np.int16]:
    """ITU-T G.711, table 1a: even bits inverted; sign, three bits of exponent, four of mantissa."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _mulaw_table() -> NDArray[np.int16]:
    """ITU-T G.711, table 2a: all bits inverted; sign, three bits of exponent, four of mantissa, bias 132."""
    code = ~np.arange(256) & 0xFF
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -size, size).astype(np.int16)


_ALAW, _MULAW = _alaw_table(), _mulaw_table()

_DECODERS: dict[str, Callable[[bytes], NDArray[Any]]] = {
    "PCM_U8": _decode_u8,
    "PCM_S8": lambda data: np.frombuffer(data, np.int8).astype(np.int16) << np.int16(8),
    "PCM_16": lambda data: np.frombuffer(data, "<i2"),
    "PCM_24": _decode_24,
    "PCM_32": _decode_32,
    "FLOAT": lambda data: np.frombuffer(data, "<f4"),
    "DOUBLE": lambda data: _narrowed(np.frombuffer(data, "<f8")),
    "ALAW": lambda data: _ALAW[np.frombuffer(data, np.uint8)],
    "ULAW": lambda data: _MULAW[np.frombuffer(data, np.uint8)],
}
"""From bytes to samples, by libsndfile's name of the format."""


def _narrowed(samples: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and named as such later
        return samples.astype(np.float32)
