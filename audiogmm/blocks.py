"""Frames on their way: a block of consecutive frames, and a source of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames


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
    """

    frames: Frames
    voiced: BoolArray
    start: int
    clock: FrameClock

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def times(self) -> FloatArray:
        """Frame centres, shape (n_frames,), seconds on the recording's clock."""
        return self.clock.centre(np.arange(self.start, self.start + len(self.frames)))


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
