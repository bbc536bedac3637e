"""Frames on their way: a block of consecutive frames, and a source of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames, Samples


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Consecutive frames of one recording.

    Attributes
    ----------
    frames : ndarray of shape (n_frames, n_features), float32, C-contiguous
        Feature vectors.
    voiced : ndarray of shape (n_frames,), bool
        Which frames the activity detector marked; all True where there is none.
    start : int
        Index of the first frame, counted from the recording's first.
    clock : FrameClock
        Turns indices into seconds.
    levels : ndarray of shape (n_frames,), float32, or None
        Power of each frame before anything was normalised, decibels of unit power; minus infinity where all
        samples are exactly zero. None where frames were not made of audio.
    """

    frames: Frames
    voiced: BoolArray
    start: int
    clock: FrameClock
    levels: Samples | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def times(self) -> FloatArray:
        """Frame centres, shape (n_frames,), seconds on the recording's clock."""
        return self.clock.centre(np.arange(self.start, self.start + len(self.frames)))

    def cut(self, first: int, last: int) -> FrameBlock:
        """The frames from place `first` of the block up to place `last`.

        Examples
        --------
        >>> block = FrameBlock(np.zeros((5, 1), np.float32), np.ones(5, bool), 10, FrameClock(8000, 80, 200))
        >>> block.cut(1, 3).start, len(block.cut(1, 3))
        (11, 2)
        """
        return FrameBlock(
            self.frames[first:last],
            self.voiced[first:last],
            self.start + first,
            self.clock,
            None if self.levels is None else self.levels[first:last],
        )


@runtime_checkable
class Shard(Protocol):
    """A re-iterable, picklable source of the consecutive blocks of one recording.

    Each iteration starts anew and gives the same bytes. An iteration that fails raises an error of
    `audiogmm.errors`; the consumer then sets the whole shard aside.
    """

    @property
    def id(self) -> str:
        """Name of the recording, unique within a job."""
        ...

    def __iter__(self) -> Iterator[FrameBlock]: ...
