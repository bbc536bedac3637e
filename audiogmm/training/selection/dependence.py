"""Dependence between frames: how many are worth one independent frame to a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import Reducer
from audiogmm.threads import one_blas_thread
from audiogmm.training.first_pass import TrainingData
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.training.frames.spool import SpoolSlice
from audiogmm.training.selection.segments import split_recordings
from audiogmm.types import FloatArray, Frames, IntArray

LONGEST_BATCH = 2048
"""Frames of a batch at most: a dependence over more than these is not measured."""

LOOKED_AT = 1 << 15
"""About so many frames are used, evenly spread over all."""


@dataclass(frozen=True, eq=False)
class ScoreVariance:
    """Squared scores of the means, summed batch by batch and frame by frame; they add up.

    The score of a mean is the derivative of the log-likelihood, ``r_nk (x_n - mu_k)`` but for a matrix that
    is the same in both sums.

    Attributes
    ----------
    batches : ndarray of shape (n_components, n_features), float64
        Sum over batches of the square of the sum over their frames.
    frames : ndarray of shape (n_components, n_features), float64
        Sum over frames of the square.
    totals : ndarray of shape (n_components, n_features), float64
        Sum over frames.
    n : int
        Batches.
    """

    batches: FloatArray
    frames: FloatArray
    totals: FloatArray
    n: int

    @classmethod
    def of(cls, evaluator: Evaluator, frames: Frames) -> ScoreVariance:
        """Measure one batch, shape (n, n_features)."""
        mixture = evaluator.mixture
        r = evaluator.posteriors(frames)
        x = frames.astype(np.float64) - mixture.center
        means = mixture.means - mixture.center
        total = r.T @ x - r.sum(axis=0)[:, None] * means
        r *= r
        squares = r.T @ (x * x) - 2 * means * (r.T @ x) + r.sum(axis=0)[:, None] * means**2
        return cls(total**2, np.maximum(squares, 0), total, 1)

    def __add__(self, other: Self) -> ScoreVariance:
        return ScoreVariance(
            self.batches + other.batches,
            self.frames + other.frames,
            self.totals + other.totals,
            self.n + other.n,
        )

    @property
    def time(self) -> float:
        """Frames that are worth one independent frame, averaged over the parameters; at least 1."""
        if self.n < 2:
            return 1.0
        known = self.frames > 0
        among = (self.batches[known] - self.totals[known] ** 2 / self.n) * (self.n / (self.n - 1))
        return max(1.0, float(np.mean(among / self.frames[known]))) if known.any() else 1.0


@dataclass(frozen=True, slots=True)
class ScoreVariances:
    """One `ScoreVariance` a mixture; none where a slice is left out."""

    values: tuple[ScoreVariance, ...] = ()

    def __add__(self, other: Self) -> ScoreVariances:
        if not (self.values and other.values):
            return self if self.values else other
        return ScoreVariances(tuple(a + b for a, b in zip(self.values, other.values, strict=True)))


@dataclass(frozen=True, eq=False)
class ScoreBatches:
    """The squared scores of a slice of a pass: of its first frames, and of every few slices only.

    Parameters
    ----------
    evaluators : tuple of Evaluator
        The mixtures.
    ends : ndarray of shape (n_recordings,), int64
        As for `split_recordings`.
    length : int
        Frames of a batch, at most: it ends with its recording.
    stride : int
        One slice in so many of the spool is used.
    """

    evaluators: tuple[Evaluator, ...]
    ends: IntArray
    length: int
    stride: int

    def __call__(self, shard: Shard) -> ScoreVariances:
        total, left = ScoreVariances(), SLICE_ROWS
        if isinstance(shard, SpoolSlice) and shard.first // SLICE_ROWS % self.stride:
            return total
        for _, frames in split_recordings(shard, self.ends):
            for first in range(0, min(len(frames), left), self.length):
                batch = frames[first : first + self.length]
                total = total + ScoreVariances(tuple(ScoreVariance.of(e, batch) for e in self.evaluators))
            left -= len(frames)
            if left <= 0:
                break
        return total


def dependence_times(found: TrainingData, mixtures: Sequence[Mixture], reducer: Reducer) -> list[float]:
    """Measure how many frames are worth one independent frame to each mixture's parameters, at least 1.

    Frames of audio overlap, deltas reach over several, and a speaker stays the same: so the score functions
    of successive frames are correlated, and their sum varies more than independent frames would have it. The
    factor is that of batch means (Flegal and Jones 2010) for the score of every mean, averaged over all of
    them: ``tr(J H^-1) / p`` of composite likelihoods (Varin, Reid and Firth 2011), by its diagonals alone.
    A batch is a recording, or ``n^(2/3)`` successive frames of it, at most `LONGEST_BATCH`. It is not the
    time over which the likelihood itself drifts, which is far longer: the finer the mixture, the less its
    parameters depend on that.

    Parameters
    ----------
    found : TrainingData
        The frames; some `LOOKED_AT` of them are used.
    mixtures : sequence of Mixture
        Estimated from them.
    reducer : Reducer
        Threads and workers.

    Returns
    -------
    list of float
        One a mixture; n frames are worth n divided by this.
    """
    n = found.moments.n
    length = min(max(int(n ** (2 / 3)), 1), LONGEST_BATCH)
    statistic = ScoreBatches(
        tuple(Evaluator(mixture) for mixture in mixtures), found.ends, length, -(-n // LOOKED_AT)
    )
    with one_blas_thread():  # beside the threads of the reducer
        return [value.time for value in found.source.reduce(reducer, statistic).values]
