"""A common scale for scores of any unit: the normal deviate of where a score lies among normal audio's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, ndtri_exp

from audiogmm.anomaly.threshold import TAIL
from audiogmm.errors import MismatchError
from audiogmm.types import FloatArray

LEVELS: FloatArray = np.concatenate([[TAIL], np.linspace(0.15, 0.999, 18)])
"""Levels of the quantiles that are kept."""

DEVIATES: FloatArray = ndtri(LEVELS)
"""Normal deviates of these levels."""


@dataclass(frozen=True, eq=False)
class NormalScale:
    """Maps a score to the standard normal deviate of its rank among scores of normal audio.

    A score at the median of normal audio becomes 0, one at its quantile p becomes the normal quantile of p:
    so scores of different units and shapes can be compared and averaged (Stouffer's method). Between the
    `LEVELS` it is interpolated; under the lowest one scores are taken to fall off exponentially, as
    `threshold` has it: ``p(score <= q - x) = TAIL * exp(-x / excess)``. Above the highest level it stays at
    its deviate.

    Attributes
    ----------
    quantiles : ndarray of shape (n_levels,), float64
        Of the scores of normal audio, at `LEVELS`.
    excess : float
        Mean distance under the first of them of the scores under it; above 0.

    Examples
    --------
    >>> scale = NormalScale.of(np.random.default_rng(0).normal(-40, 2, 100_000))
    >>> scale(np.array([-46.0, -42.0, -40.0, -38.0])).round(1)
    array([-2.8, -1. ,  0. ,  1. ])
    """

    quantiles: FloatArray
    excess: float

    @classmethod
    def of(cls, scores: FloatArray) -> NormalScale:
        """Fit the scale of scores of normal audio, shape (n,).

        Raises
        ------
        MismatchError
            If there are none.
        """
        if not len(scores):
            raise MismatchError(
                "no frame of the normal recordings counts",
                needed="voiced normal audio, to put scores on one scale",
                remedy="other recordings, or a front end without VAD",
            )
        quantiles = np.quantile(scores, LEVELS)
        excess = float(np.mean(quantiles[0] - scores[scores <= quantiles[0]]))
        return cls(quantiles, max(excess, 1e-9 * (1.0 + abs(float(quantiles[0])))))

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Deviates of scores, the same shape; each by itself, so that chunks do not matter."""
        below = np.clip(np.searchsorted(self.quantiles, scores, side="right") - 1, 0, len(LEVELS) - 2)
        low, high = self.quantiles[below], self.quantiles[below + 1]
        width = np.where(high > low, high - low, 1.0)
        share = np.clip((scores - low) / width, 0.0, 1.0)
        deviates = DEVIATES[below] + share * (DEVIATES[below + 1] - DEVIATES[below])
        tail = scores < self.quantiles[0]
        if tail.any():
            deviates[tail] = ndtri_exp(np.log(TAIL) - (self.quantiles[0] - scores[tail]) / self.excess)
        return deviates
