"""Signs of life: that a stream is heard, how far, how loud, and how normal it sounds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.kernels.front_end.pcm import energy
from audiogmm.live.stream.intervals import ScoreInterval, ScoreIntervals
from audiogmm.live.stream.line import Line
from audiogmm.timeline import FrameClock
from audiogmm.types import Json, Samples, Seconds


class Heartbeat:
    """Gives a heartbeat for so many seconds of sound; when it comes, frames decide and not the time of day.

    Parameters
    ----------
    every : Seconds
        Sound between two of them; 0: none.
    facts : callable
        What each says besides.
    """

    def __init__(self, every: Seconds, facts: Callable[[], Json]) -> None:
        self._every = every
        self._facts = facts
        self._before = self._n_frames = 0
        self._clock: FrameClock | None = None
        self._level: Level | None = None
        self._intervals: ScoreIntervals | None = None

    def begin(self, clock: FrameClock, sample_rate: int) -> None:
        """A stretch begins, whose samples have this rate and whose frames this clock."""
        self._clock, self._before = clock, self._n_frames
        if self._every:
            count = clock.count(self._every)
            step = Fraction(sample_rate) / Fraction(clock.sample_rate) * clock.hop
            self._level, self._intervals = Level(step * count), ScoreIntervals(count)

    def hear(self, samples: Samples) -> None:
        """Take samples, before their frames."""
        if self._level is not None:
            self._level.push(samples)

    def push(self, scored: FrameScores) -> list[Line]:
        """Take frames as they were scored."""
        self._n_frames += len(scored)
        return [] if self._intervals is None else [self._beat(i) for i in self._intervals.push(scored)]

    def _beat(self, found: ScoreInterval) -> Line:
        assert self._clock is not None and self._level is not None
        frames = self._before + found.last + 1
        body = {
            "frames": frames,
            "hours": frames / self._clock.frame_rate / 3600,
            "level_db": self._level.take(),
            "score": found.mean,
        }
        return Line("heartbeat", self._clock.end(found.last), body | self._facts())


class Level:
    """Root mean square over windows of samples, in decibels below full scale.

    Parameters
    ----------
    length : Fraction
        Samples of a window; need not be whole: each window ends at the next sample.

    Examples
    --------
    >>> import numpy as np
    >>> level = Level(Fraction(2))
    >>> level.push(np.array([1.0, 1.0, 0.25, 0.25, 0.0, 0.0], np.float32))
    >>> level.take(), round(level.take(), 2), level.take()
    (0.0, -12.04, None)
    """

    def __init__(self, length: Fraction) -> None:
        self._length = length
        self._done: deque[float | None] = deque()
        self._total = 0.0
        self._n_samples = self._begin = 0
        self._window = 1

    def push(self, samples: Samples) -> None:
        """Take the next samples."""
        taken = 0
        while taken < len(samples):
            end = math.ceil(self._length * self._window)
            part = samples[taken : taken + end - self._n_samples]
            self._total = energy(part, self._total)
            taken += len(part)
            self._n_samples += len(part)
            if self._n_samples == end:
                self._done.append(_decibels(self._total, end - self._begin))
                self._total, self._begin = 0.0, end
                self._window += 1

    def take(self) -> float | None:
        """The level of the next window, decibels; None where every sample of it is zero.

        Resampling may make a sample more at the end than there was time: the window is then as good as whole.
        """
        if not self._done:
            return _decibels(self._total, max(1, self._n_samples - self._begin))
        return self._done.popleft()


def _decibels(total: float, n_samples: int) -> float | None:
    return 10 * math.log10(total / n_samples) if total > 0 else None
