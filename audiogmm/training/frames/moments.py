"""Count, mean and spread of frames, merged exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray, Frames


@dataclass(frozen=True, slots=True)
class FrameMoments:
    """Count, mean and sum of squared deviations of frames, merged by Chan, Golub and LeVeque (1983), eq. 2.1.

    Examples
    --------
    >>> half = FrameMoments.of(np.array([[0.0], [2.0]], np.float32))
    >>> total = half + FrameMoments.of(np.array([[4.0]], np.float32))
    >>> total.n, total.mean, total.variance
    (3, array([2.]), array([2.66666667]))
    """

    n: int
    mean: FloatArray
    deviations: FloatArray

    @classmethod
    def of(cls, frames: Frames) -> FrameMoments:
        """Measure frames of shape (n, n_features), n at least 1; exact where a feature is constant."""
        origin = frames[0].astype(np.float64)
        centered = frames - origin
        shift = centered.mean(axis=0)
        centered -= shift
        return cls(len(frames), origin + shift, np.einsum("nd,nd->d", centered, centered))

    def __add__(self, other: Self) -> FrameMoments:
        n = self.n + other.n
        delta = other.mean - self.mean
        return FrameMoments(
            n,
            self.mean + delta * (other.n / n),
            self.deviations + other.deviations + delta**2 * (self.n * other.n / n),
        )

    @property
    def statistics(self) -> SufficientStats:
        """The same as statistics of one diagonal component, about the mean."""
        return SufficientStats(
            "diag", self.mean, np.array([self.n]), 0 * self.mean[None], self.deviations[None], self.n
        )

    @property
    def variance(self) -> FloatArray:
        """Maximum-likelihood variance of each feature, shape (n_features,)."""
        return self.deviations / self.n
