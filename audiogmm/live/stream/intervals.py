"""Scores of a stream, summed up over intervals that lie at multiples of their length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import NO_SCORES, FrameScores


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """Consecutive frames from `first` to `last`, how many count, and their mean score (None if none does)."""

    first: int
    last: int
    voiced: int
    mean: float | None


class ScoreIntervals:
    """Cuts scores into intervals of so many frames; any chunking gives the same bytes.

    Parameters
    ----------
    length : int
        Frames of each.

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
        """Take the next frames; give the intervals that are whole."""
        scores = np.concatenate([self._waiting.scores, scored.scores])
        voiced = np.concatenate([self._waiting.voiced, scored.voiced])
        whole = len(scores) // self.length * self.length
        for at in range(0, whole, self.length):
            yield self._sum(scores[at : at + self.length], voiced[at : at + self.length])
        self._waiting = FrameScores(scores[whole:].copy(), voiced[whole:].copy())

    def flush(self) -> Iterator[ScoreInterval]:
        """The interval that the end has cut short, if there is one."""
        if len(self._waiting):
            yield self._sum(self._waiting.scores, self._waiting.voiced)
            self._waiting = NO_SCORES

    def _sum(self, scores: np.ndarray, voiced: np.ndarray) -> ScoreInterval:
        heard = scores[voiced]
        mean = float(np.cumsum(heard)[-1] / len(heard)) if len(heard) else None
        found = ScoreInterval(self._first, self._first + len(scores) - 1, len(heard), mean)
        self._first += len(scores)
        return found
