"""The `heartbeat` lines of a stream: how far it is, how loud, and how normal it sounds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.kernels.front_end.pcm import energy
from audiogmm.live.line import Line
from audiogmm.live.stream.scores import ScoreInterval, ScoreIntervals
from audiogmm.timeline import FrameClock
from audiogmm.types import Json, Samples, Seconds


class Heartbeat:
    """Report the state of an input every so many seconds of sound, by the count of frames, not by wall time.

    Parameters
    ----------
    every : Seconds
        Sound between two heartbeats; 0: none.
    status : callable
        Gives further keys for each heartbeat.
    """

    def __init__(self, every: Seconds, status: Callable[[], Json]) -> None:
        self._every = every
        self._status = status
        self._before = self._n_frames = 0
        self._clock: FrameClock | None = None
        self._level: Level | None = None
        self._intervals: ScoreIntervals | None = None

    def begin(self, clock: FrameClock, sample_rate: int) -> None:
        """Begin a stretch, whose frames have this clock and whose samples this rate, hertz."""
        self._clock, self._before = clock, self._n_frames
        if self._every:
            count = clock.count(self._every)
            step = Fraction(sample_rate) / Fraction(clock.sample_rate) * clock.hop
            self._level, self._intervals = Level(step * count), ScoreIntervals(count)

    def push_samples(self, samples: Samples) -> None:
        """Take samples, before their frames."""
        if self._level is not None:
            self._level.push(samples)

    def push(self, scored: FrameScores) -> list[Line]:
        """Take the scores of the next frames."""
        self._n_frames += len(scored)
        return [] if self._intervals is None else list(map(self._line, self._intervals.push(scored)))

    def _line(self, interval: ScoreInterval) -> Line:
        assert self._clock is not None and self._level is not None
        frames = self._before + interval.last + 1
        body = {
            "frames": frames,
            "hours": frames / self._clock.frame_rate / 3600,
            "level_db": self._level.take(),
            "score": interval.mean,
        }
        return Line("heartbeat", self._clock.end(interval.last), body | self._status())


class Level:
    """Measure the root mean square of consecutive windows of samples, in decibels re full scale.

    Parameters
    ----------
    length : Fraction
        Samples of a window; need not be an integer: each window ends at the next sample.

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
        """Return the level of the next window, decibels; None where every sample of it is zero.

        At the end, where resampling may have rounded up to one more frame, the window may lack a sample.
        """
        if not self._done:
            return _decibels(self._total, max(1, self._n_samples - self._begin))
        return self._done.popleft()


def _decibels(total: float, n_samples: int) -> float | None:
    return 10 * math.log10(total / n_samples) if total > 0 else None
