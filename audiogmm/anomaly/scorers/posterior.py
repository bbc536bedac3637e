"""The score `posterior`: how far a window's mixture of components lies from those of normal windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.score import Arrays, NormalRecordings, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.anomaly.scorers.window_sample import sample_windows
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.types import BoolArray, FloatArray, Frames, Seconds

HOP: Seconds = 0.05
"""From one window to the next."""


@dataclass(frozen=True, eq=False)
class PosteriorScorer(WindowScorer):
    """Minus the Hellinger distance to the nearest normal window, in the space of posteriors.

    A window is the mean of its frames' posteriors, a distribution over the components: what it is made of,
    whatever the order. Two of them are compared by ``sqrt(1 - sum_k sqrt(p_k q_k))``, the distance between
    points on a sphere, where rare components weigh more than they do in a plain one.

    Attributes
    ----------
    evaluator : Evaluator
        The model.
    normal : ndarray of shape (n_components, n_windows), float64
        Square roots of the mean posteriors of normal windows; n_windows is 0 while they are being sampled.
    half, hop : int
        Frames on either side of a window's middle, and from one window to the next.
    every_frame : bool
        Whether frames of exact silence count.
    """

    evaluator: Evaluator
    normal: FloatArray
    half: int
    hop: int
    every_frame: bool

    def rows(self, frames: Frames) -> FloatArray:
        """Compute posteriors."""
        return self.evaluator.posteriors(frames)

    def vectors(self, rows: FloatArray, counts: BoolArray) -> FloatArray:
        """Compute the square roots of mean posteriors, shape (n_windows, n_components)."""
        total = np.zeros((len(rows), rows.shape[2]))
        for place in range(rows.shape[1]):  # frame by frame: each window's sum is its own
            total += np.where(counts[:, place, None], rows[:, place], 0.0)
        roots: FloatArray = np.sqrt(total / counts.sum(axis=1)[:, None])
        return roots

    def score(self, vectors: FloatArray) -> FloatArray:
        """Return minus the distance to the nearest normal window, from -1 to 0."""
        affinity = np.zeros((len(vectors), self.normal.shape[1]))
        for component, normal in enumerate(self.normal):  # one by one: each pair's sum is its own
            affinity += vectors[:, component, None] * normal
        distances: FloatArray = np.sqrt(np.maximum(0.0, 1.0 - affinity.max(axis=1)))
        return -distances


def make_posterior_scorer(
    context: ScoreContext, window: Seconds, normal: FloatArray | None = None
) -> PosteriorScorer:
    """Make the scorer with its normal windows, shape (n_windows, K), or without, to sample them."""
    hop = max(1, round(min(HOP, window / 2) * context.frame_rate))
    half = max(context.half(window), hop)
    n_components = context.evaluator.mixture.n_components
    rows = np.empty((0, n_components)) if normal is None else normal
    columns = np.ascontiguousarray(rows.T, dtype=np.float64)
    return PosteriorScorer(context.evaluator, columns, half, hop, context.every_frame)


def posterior_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Find the nearest normal window, in the space of posteriors."""
    return SeriesGroup((ScoreSeries(make_posterior_scorer(context, window, learned["windows"])),))


def learn_posterior(
    context: ScoreContext, window: Seconds, normal: NormalRecordings, before: Arrays | None
) -> Arrays:
    """Sample the windows of normal recordings."""
    sample = sample_windows(make_posterior_scorer(context, window), normal)
    return {"windows": sample.vectors.astype(np.float32)}
