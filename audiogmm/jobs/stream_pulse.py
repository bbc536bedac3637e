"""Signs of life: that a stream is heard, how far, how loud, and how normal it sounds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from audiogmm.anomaly.scorer import Scored
from audiogmm.jobs.stream_intervals import Interval, Intervals
from audiogmm.jobs.stream_level import Level
from audiogmm.jobs.stream_line import Line
from audiogmm.timeline import FrameClock
from audiogmm.types import Json, Samples, Seconds


class Pulse:
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
        self._intervals: Intervals | None = None

    def begin(self, clock: FrameClock, sample_rate: int) -> None:
        """A stretch begins, whose samples have this rate and whose frames this clock."""
        self._clock, self._before = clock, self._n_frames
        if self._every:
            count = clock.count(self._every)
            step = Fraction(sample_rate) / Fraction(clock.sample_rate) * clock.hop
            self._level, self._intervals = Level(step * count), Intervals(count)

    def hear(self, samples: Samples) -> None:
        """Take samples, before their frames."""
        if self._level is not None:
            self._level.push(samples)

    def push(self, scored: Scored) -> list[Line]:
        """Take frames as they were scored."""
        self._n_frames += len(scored)
        return [] if self._intervals is None else [self._beat(i) for i in self._intervals.push(scored)]

    def _beat(self, found: Interval) -> Line:
        assert self._clock is not None and self._level is not None
        frames = self._before + found.last + 1
        body = {
            "frames": frames,
            "hours": frames / self._clock.frame_rate / 3600,
            "level_db": self._level.take(),
            "score": found.mean,
        }
        return Line("heartbeat", self._clock.end(found.last), body | self._facts())
