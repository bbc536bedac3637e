"""Shards for the tests of training: picklable, good and bad."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioFileError
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(sample_rate=100.0, hop=1, length=1)


@dataclass(frozen=True)
class Recording:
    """Frames in blocks of `block` rows; fails before row `fails_at`; `voiced` marks, or all."""

    id: str
    frames: np.ndarray
    block: int = 100
    fails_at: int | None = None
    voiced: np.ndarray | None = None
    reads: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[FrameBlock]:
        self.reads.append(1)
        marks = np.ones(len(self.frames), bool) if self.voiced is None else self.voiced
        for start in range(0, len(self.frames), self.block):
            if self.fails_at is not None and start + self.block > self.fails_at:
                raise AudioFileError(f"{self.id}.wav is truncated at row {self.fails_at}")
            rows = slice(start, start + self.block)
            yield FrameBlock(self.frames[rows], marks[rows], start, CLOCK)


def blobs(n: int, D: int = 3, K: int = 4, seed: int = 0, spread: float = 3.0) -> np.ndarray:
    """Frames around K centers, float32."""
    random = np.random.default_rng(seed)
    centers = spread * random.normal(size=(K, D))
    return (centers[random.integers(K, size=n)] + random.normal(size=(n, D))).astype(np.float32)


def recordings(frames: np.ndarray, rows: int, **options: object) -> list[Recording]:
    """The frames cut into recordings of `rows` rows."""
    return [Recording(f"r{i}", frames[i : i + rows], **options) for i in range(0, len(frames), rows)]  # type: ignore[arg-type]
