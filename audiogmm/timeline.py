"""From samples to frames to seconds: the one place where frames are counted and timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray, Seconds


@dataclass(frozen=True, slots=True)
class FrameClock:
    """Where each frame lies in its recording.

    Frame `i` spans the samples `[i * hop, i * hop + length)` of what was read, and the first sample read
    lies `offset` seconds into the recording. A frame exists only when all of its samples do (Kaldi's
    `snip-edges`, librosa's `center=False`).

    Parameters
    ----------
    sample_rate : float
        Samples a second, after resampling.
    hop : int
        Samples from one frame's start to the next.
    length : int
        Samples that a frame spans.
    offset : Seconds
        Time of the first sample on the recording's own clock (a manifest entry's `offset`).

    Raises
    ------
    ChoiceError
        If the rate, the hop or the length is not positive, or the offset is negative.

    Examples
    --------
    >>> clock = FrameClock(sample_rate=16000, hop=160, length=400)
    >>> clock.n_frames(16000), clock.n_frames(399)
    (98, 0)
    >>> clock.center(0), clock.start(100)
    (0.0125, 1.0)
    """

    sample_rate: float
    hop: int
    length: int
    offset: Seconds = 0.0

    def __post_init__(self) -> None:
        if not (self.sample_rate > 0 and self.hop > 0 and self.length > 0 and self.offset >= 0):
            raise ChoiceError(
                f"frame clock with sample_rate={self.sample_rate}, hop={self.hop}, length={self.length}, "
                f"offset={self.offset}",
                needed="a positive rate, hop and length, and an offset of at least 0",
            )

    @classmethod
    def for_rows(cls, frame_rate: float | None = None) -> FrameClock:
        """Make the clock of a feature matrix: `frame_rate` rows a second, or row numbers in place of seconds.

        Examples
        --------
        >>> FrameClock.for_rows(50.0).start(100)
        2.0
        """
        return cls(sample_rate=1.0 if frame_rate is None else frame_rate, hop=1, length=1)

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.hop

    def n_frames(self, n_samples: int) -> int:
        """Return the number of whole frames in `n_samples` samples."""
        return 0 if n_samples < self.length else 1 + (n_samples - self.length) // self.hop

    def first_sample(self, frame: int) -> int:
        """Return the index of a frame's first sample, counted from the first sample read."""
        return frame * self.hop

    @overload
    def start(self, frame: int) -> Seconds: ...
    @overload
    def start(self, frame: np.ndarray) -> FloatArray: ...
    def start(self, frame: int | np.ndarray) -> Seconds | FloatArray:
        """Return the time at which a frame begins, seconds on the recording's clock."""
        return self.offset + frame * self.hop / self.sample_rate

    @overload
    def center(self, frame: int) -> Seconds: ...
    @overload
    def center(self, frame: np.ndarray) -> FloatArray: ...
    def center(self, frame: int | np.ndarray) -> Seconds | FloatArray:
        """Return the time of a frame's center, seconds on the recording's clock."""
        return self.offset + (frame * self.hop + self.length / 2) / self.sample_rate

    centre = center  # the spelling of version 0.1

    def end(self, frame: int) -> Seconds:
        """Return the time at which a frame ends, seconds on the recording's clock."""
        return self.offset + (frame * self.hop + self.length) / self.sample_rate

    def span(self, first: int, last: int) -> Segment:
        """Return the time of frames `first` to `last`, of which each has the hop around its center.

        Segments of consecutive frames touch, and hold the centers of their own frames only, as labels do.

        Examples
        --------
        >>> clock = FrameClock(16000, 160, 400)
        >>> clock.span(0, 99), clock.span(100, 100), FrameClock.for_rows().span(3, 4)
        (Segment(start=0.0075, end=1.0075), Segment(start=1.0075, end=1.0175), Segment(start=3.0, end=5.0))
        """
        edge = (self.length - self.hop) / 2
        start, end = ((frame * self.hop + edge) / self.sample_rate for frame in (first, last + 1))
        return Segment(self.offset + max(0.0, start), self.offset + end)

    def count(self, duration: Seconds) -> int:
        """Return the number of frames whose hops fill `duration` seconds, rounded, at least one.

        Examples
        --------
        >>> FrameClock(16000, 160, 400).count(0.5)
        50
        """
        return max(1, round(duration * self.frame_rate))


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A stretch of a recording, `start` up to `end`, in seconds on the recording's clock.

    Raises
    ------
    ChoiceError
        If it ends before it starts, or a bound is not finite.

    Examples
    --------
    >>> Segment(1.0, 2.5).duration, Segment(1.0, 2.5).overlap(Segment(2.0, 4.0))
    (1.5, 0.5)
    """

    start: Seconds
    end: Seconds

    def __post_init__(self) -> None:
        if not (np.isfinite(self.start) and np.isfinite(self.end) and self.end >= self.start):
            raise ChoiceError(
                f"a segment from {self.start} s to {self.end} s", needed="finite times, start <= end"
            )

    @property
    def duration(self) -> Seconds:
        """Length in seconds."""
        return self.end - self.start

    def overlap(self, other: Segment) -> Seconds:
        """Return the seconds that the two segments share."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))
