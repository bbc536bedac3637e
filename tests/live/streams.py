"""Pipes in little pieces, waves of all kinds, and a room's clock that a test sets."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.live.arrival import Arrival, Sound
from audiogmm.live.source import Source, WaitPolicy
from audiogmm.live.stop import Stop


class Pieces(io.RawIOBase):
    """A stream that gives 1 to `most` bytes at a time."""

    def __init__(self, content: bytes, most: int = 5000, seed: int = 0) -> None:
        self._content = io.BytesIO(content)
        self._most = most
        self._rng = np.random.default_rng(seed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(min(len(buffer), int(self._rng.integers(1, self._most + 1))))
        buffer[: len(piece)] = piece
        return len(piece)


class Standard:
    """Stands in for `sys.stdin`."""

    closed = False

    def __init__(self, buffer: io.RawIOBase) -> None:
        self.buffer = buffer


def set_standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes, most: int = 5000) -> None:
    """Let standard input give these bytes, a few at a time."""
    monkeypatch.setattr(sys, "stdin", Standard(Pieces(content, most)))


def arrivals_of(source: Source, stop: Stop | None = None) -> list[Arrival]:
    """All that arrives."""
    stop = stop or Stop()
    try:
        return list(source.arrivals(WaitPolicy(stop, lambda _: None, None)))
    finally:
        stop.close()


def sound_of(arrivals: list[Arrival]) -> np.ndarray:
    """The samples among what arrived."""
    pieces = [arrival.samples for arrival in arrivals if isinstance(arrival, Sound)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def others(arrivals: list[Arrival]) -> list[Arrival]:
    """What arrived besides samples."""
    return [arrival for arrival in arrivals if not isinstance(arrival, Sound)]


def wav(samples: np.ndarray, rate: int = 16000, format: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """A whole file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


def open_ended(content: bytes, size: int = 0xFFFFFFFF) -> bytes:
    """The same with a length that nobody knew, as ffmpeg leaves it in a pipe."""
    at = content.index(b"data") + 4
    return content[:at] + struct.pack("<I", size) + content[at + 4 :]


def noise(n: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise of half the full scale, as 16 bits would have it, so that it survives being written."""
    values = np.random.default_rng(seed).integers(-16384, 16384, (n, channels))
    return (values / 32768).astype(np.float32)


def chunks(samples: np.ndarray, rng: np.random.Generator, most: int) -> Iterator[np.ndarray]:
    """Samples in random chunks."""
    at = 0
    while at < len(samples):
        n = int(rng.integers(1, most + 1))
        yield samples[at : at + n]
        at += n


class FakeClock:
    """A clock that tests set, and that waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def stamp(self) -> str:
        return f"day one, {self.now:g} s"

    def pause(self, stop: Stop, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now += seconds
        return stop.is_set
