"""Frames pooled by time: the mean level of each band over some seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.blocks import FrameBlock, StreamPiece
from audiogmm.types import FloatArray, Seconds

BLOCK: Seconds = 10.0
"""Length of a block: what is shorter is pooled, and a snapshot after a longer gap is a block of its own."""

BANDS = 12
"""Bands at most, from the lowest to the highest: as many as 13 cepstra can tell apart."""

_ROUNDING: Seconds = 1e-3


def drift_bands(bands: BandMap) -> BandMap:
    """Return the bands whose levels are watched."""
    return bands.grouped(min(BANDS, bands.n_bands))


@dataclass(frozen=True, slots=True)
class LevelBlock:
    """The level of each band over some seconds.

    Attributes
    ----------
    last : int
        Index of the last frame of it, counted as `FrameBlock.start`.
    start, end : Seconds
        When it begins and ends: the time of day where that is known, or the recording's clock.
    levels : ndarray of shape (n_bands,), float64
        Means over its voiced frames, decibels.
    piece : StreamPiece or None
        Where it begins, where blocks of frames say so.
    offset : Seconds
        Where it begins on the clock of that recording.
    """

    last: int
    start: Seconds
    end: Seconds
    levels: FloatArray
    piece: StreamPiece | None = None
    offset: Seconds = 0.0


class BlockCutter:
    """Pool the frames of a recording or a stream, in any chunks, into blocks of `BLOCK` seconds of time.

    Parameters
    ----------
    bands : BandMap
        From features to levels.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> bands = BandMap(np.eye(1), np.zeros(1), np.array([[0.0, 1.0, 2.0]]), True)
    >>> frames = np.arange(25, dtype=np.float32)[:, None]
    >>> block = FrameBlock(frames, np.ones(25, bool), 0, FrameClock(1, 1, 1))
    >>> [(one.last, one.start, one.levels.tolist()) for one in BlockCutter(bands).push(block)]
    [(9, 0.0, [4.5]), (19, 10.0, [14.5])]
    """

    def __init__(self, bands: BandMap) -> None:
        self._bands = bands
        self._held: list[np.ndarray] = []  # voiced frames of the block that is not complete
        self._start: Seconds | None = None
        self._end: Seconds = 0.0
        self._last = -1
        self._piece: StreamPiece | None = None
        self._offset: Seconds = 0.0

    def push(self, block: FrameBlock) -> list[LevelBlock]:
        """Take the next frames; return the blocks that are complete."""
        piece, clock = block.piece, block.clock
        begun = clock.start(block.start)
        if piece is not None and piece.time is not None:
            begun = piece.time + clock.start(block.start - piece.first) - clock.start(0)
        step = 1 / clock.frame_rate
        found: list[LevelBlock] = []
        at = 0
        while at < len(block):
            now = begun + at * step
            if self._start is not None and not -BLOCK < now - self._start < BLOCK - _ROUNDING:
                found += self._close()
            if self._start is None:
                self._start, self._piece = now, piece
                self._offset = clock.start(block.start + at)
                if piece is not None:
                    self._offset = piece.offset + clock.start(block.start + at - piece.first) - clock.start(0)
            left = int(np.ceil((self._start + BLOCK - _ROUNDING - now) * clock.frame_rate - 1e-6))
            until = min(len(block), at + max(1, left))
            self._held.append(block.frames[at:until][block.voiced[at:until]].copy())
            self._end, self._last = begun + until * step, block.start + until - 1
            at = until
        return found

    def _close(self) -> list[LevelBlock]:
        frames, start = np.concatenate(self._held), self._start
        self._held, self._start = [], None
        if start is None or not len(frames):
            return []
        levels = self._bands.levels(frames.mean(axis=0, dtype=np.float64)[None])[0]
        return [LevelBlock(self._last, start, max(self._end, start), levels, self._piece, self._offset)]
