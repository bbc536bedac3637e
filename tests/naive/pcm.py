"""Samples the slow way: one at a time, in Python's own numbers."""

from __future__ import annotations

import numpy as np


def mix(interleaved: np.ndarray, scale: float) -> list[float]:
    """Average of the channels of each sample, rounded to float32 after each step, in the channels' order."""
    mono = []
    for sample in interleaved:
        total = np.float32(0)
        for value in sample:
            total = np.float32(total + np.float32(np.float32(value) * np.float32(scale)))
        mono.append(float(np.float32(total / np.float32(len(sample)))))
    return mono


def clipped(interleaved: np.ndarray, ceiling: float, shortest: int = 3) -> int:
    """Samples in runs of at least `shortest` at full scale, over all channels."""
    total = 0
    for channel in interleaved.T:
        run = 0
        for value in [*channel, 0]:
            if abs(float(value)) >= ceiling:
                run += 1
            else:
                total += run if run >= shortest else 0
                run = 0
    return total


def mulaw(code: int) -> int:
    """G.711 mu-law to 16 bits, as ITU-T G.191's `ulaw_expand` does it."""
    code = ~code & 0xFF
    sign, exponent, mantissa = code & 0x80, (code >> 4) & 7, code & 15
    size = ((2 * mantissa + 33) << exponent) - 33
    return -4 * size if sign else 4 * size


def alaw(code: int) -> int:
    """G.711 A-law to 16 bits, as ITU-T G.191's `alaw_expand` does it."""
    code ^= 0x55
    sign, exponent, mantissa = code & 0x80, (code >> 4) & 7, code & 15
    size = 2 * mantissa + 1 if exponent == 0 else (2 * mantissa + 33) << (exponent - 1)
    return 8 * size if sign else -8 * size


def energy(samples: np.ndarray) -> float:
    """Sum of squares, one after the other."""
    total = 0.0
    for value in samples:
        total += float(value) * float(value)
    return total


def sample(encoding: str, data: bytes) -> float:
    """One sample of ffmpeg's raw formats, full scale 1.0."""
    if encoding in ("alaw", "mulaw"):
        return (alaw if encoding == "alaw" else mulaw)(data[0]) / 32768
    order = "big" if encoding.endswith("be") else "little"
    if encoding[0] == "f":
        kind = np.dtype(f"{'>' if order == 'big' else '<'}f{len(data)}")
        return float(np.frombuffer(data, kind)[0])
    number = int.from_bytes(data, order, signed=encoding[0] == "s")
    if encoding == "u8":
        number -= 128
    return number / 2.0 ** (8 * len(data) - 1)
