"""What a stream scored before it was learned from: the latest of it, in memory that does not grow."""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray

MOST_FRAMES = 360_000
"""Frames kept, 5 bytes each: an hour at a hop of 10 ms."""

FEWEST_SECONDS = 60.0
"""Of the latest sound, so much sets the threshold at least, if there is so much."""


class LatestScores:
    """The scores of the last frames of a stream, each by the model of its time (test, then train).

    Parameters
    ----------
    most : int
        Frames kept.

    Examples
    --------
    >>> latest = LatestScores(most=3)
    >>> latest.push(FrameScores(np.array([1.0, 2.0]), np.ones(2, bool)))
    >>> latest.push(FrameScores(np.array([3.0, 4.0]), np.ones(2, bool)))
    >>> latest.last(9)[0], latest.n_seen
    (array([2., 3., 4.], dtype=float32), 4)
    """

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._scores = np.full(most, 0.0, np.float32)  # written at once, so that memory never grows
        self._voiced = np.full(most, False)
        self.n_seen = 0

    def push(self, scored: FrameScores) -> None:
        """Keep more, and forget the oldest."""
        most = len(self._scores)
        scores, voiced = scored.scores[-most:], scored.voiced[-most:]
        self.n_seen += len(scored)
        places = np.arange(self.n_seen - len(scores), self.n_seen) % most
        largest = float(np.finfo(np.float32).max)
        self._scores[places] = np.clip(scores, -largest, largest)
        self._voiced[places] = voiced

    def last(self, n: int) -> tuple[np.ndarray, BoolArray]:
        """Scores and marks of the last frames, n at most, the oldest first."""
        n = min(n, self.n_seen, len(self._scores))
        places = np.arange(self.n_seen - n, self.n_seen) % len(self._scores)
        return self._scores[places], self._voiced[places]

    def mean(self, n: int) -> float | None:
        """Mean score of the voiced ones of the last n frames, nats; None if none is."""
        scores, voiced = self.last(n)
        return float(scores[voiced].astype(np.float64).mean()) if voiced.any() else None

    def track(self, clock: FrameClock) -> ScoreTrack | None:
        """The later half of all there was, which a better model has scored than the half before it.

        No less than `FEWEST_SECONDS` where there is so much, and no more than is kept. None if nothing is.
        """
        n = max(self.n_seen // 2, round(FEWEST_SECONDS * clock.frame_rate))
        scores, voiced = self.last(n)
        if not len(scores):
            return None
        return ScoreTrack("stream", scores.astype(np.float64), voiced, FrameClock.for_rows(clock.frame_rate))
