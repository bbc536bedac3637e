"""Mean scores over intervals that lie at multiples of their length: the `score` lines of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import NO_SCORES, FrameScores
from audiogmm.blocks import FrameBlock
from audiogmm.live.line import Line
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.timeline import FrameClock


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """Frames `first` to `last` (inclusive), how many are voiced, and their mean score (None if none is)."""

    first: int
    last: int
    voiced: int
    mean: float | None


class ScoreIntervals:
    """Average scores over intervals of `length` frames; any chunking gives the same bytes.

    Parameters
    ----------
    length : int
        Frames of an interval.

    Examples
    --------
    >>> intervals = ScoreIntervals(2)
    >>> list(intervals.push(FrameScores(np.array([1.0, 3.0, 5.0]), np.array([True, True, False]))))
    [ScoreInterval(first=0, last=1, voiced=2, mean=2.0)]
    >>> list(intervals.flush())
    [ScoreInterval(first=2, last=2, voiced=0, mean=None)]
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._first = 0
        self._waiting = NO_SCORES

    def push(self, scored: FrameScores) -> Iterator[ScoreInterval]:
        """Take the next frames; give the intervals that are complete."""
        scores = np.concatenate([self._waiting.scores, scored.scores])
        voiced = np.concatenate([self._waiting.voiced, scored.voiced])
        whole = len(scores) // self.length * self.length
        for at in range(0, whole, self.length):
            yield self._average(scores[at : at + self.length], voiced[at : at + self.length])
        self._waiting = FrameScores(scores[whole:].copy(), voiced[whole:].copy())

    def flush(self) -> Iterator[ScoreInterval]:
        """Give the interval that the end cuts short, if there is one."""
        if len(self._waiting):
            yield self._average(self._waiting.scores, self._waiting.voiced)
            self._waiting = NO_SCORES

    def _average(self, scores: np.ndarray, voiced: np.ndarray) -> ScoreInterval:
        kept = scores[voiced]
        mean = float(np.cumsum(kept)[-1] / len(kept)) if len(kept) else None
        interval = ScoreInterval(self._first, self._first + len(scores) - 1, len(kept), mean)
        self._first += len(scores)
        return interval


class ScoreStage:
    """Report the mean score of every `StreamSettings.score_interval`, see `StreamStage`."""

    def __init__(self, plan: StreamPlan, clock: FrameClock) -> None:
        self._clock = clock
        self._intervals = ScoreIntervals(clock.count(plan.settings.score_interval))

    def push(self, block: FrameBlock, scored: FrameScores) -> Iterator[Line]:
        """Report the intervals that are complete."""
        return map(self._line, self._intervals.push(scored))

    def flush(self, scored: FrameScores) -> Iterator[Line]:
        """Report the rest, and the interval that the end cuts short."""
        yield from map(self._line, self._intervals.push(scored))
        yield from map(self._line, self._intervals.flush())

    def _line(self, interval: ScoreInterval) -> Line:
        start, end = self._clock.start(interval.first), self._clock.end(interval.last)
        return Line("score", end, {"start": start, "score": interval.mean, "voiced": interval.voiced})
