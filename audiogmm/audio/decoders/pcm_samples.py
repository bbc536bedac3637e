"""Bytes of PCM, A-law and mu-law as samples, with the full scale and rounding of libsndfile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def decode_samples(subtype: str, data: bytes, swap: int = 0) -> NDArray[Any]:
    """Decode whole samples of one format, named as in libsndfile, low byte first.

    Parameters
    ----------
    subtype : str
        libsndfile's name; ``PCM_24_LOW`` is 24 bits at the low end of 4 bytes.
    data : bytes
    swap : int
        Bytes of a sample that has its high byte first; 0: the low byte is first.

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
    if swap > 1:
        data = np.frombuffer(data, np.uint8).reshape(-1, swap)[:, ::-1].tobytes()
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
    "PCM_24_LOW": lambda data: (np.frombuffer(data, "<i4") << 8).astype(np.float32) * np.float32(2.0**-31),
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
