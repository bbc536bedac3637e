"""The steps of EM that an online learner repeats, and the usual ones, with floored variances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.expected import expected_statistics
from audiogmm.mixture.floor import RELATIVE_FLOOR, variance_floor
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.layout import is_low
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.seeding import FrameSample, cluster_mixture
from audiogmm.types import CovarianceType, FloatArray

Rows = NDArray[Any]
"""Frames (n, n_features), float32 or float64."""

Combine = Callable[[SufficientStats], SufficientStats]
"""From the statistics of a batch to those that the model is estimated from."""


class EMSteps(Protocol):
    """A start, an E-step and M-step, and statistics for a model without any."""

    def start(self, rows: Rows, weights: FloatArray | None) -> Mixture:
        """Return a mixture to begin with, from the first rows (n, n_features)."""
        ...

    def step(
        self, mixture: Mixture, rows: Rows, weights: FloatArray | None, combine: Combine
    ) -> tuple[Mixture, SufficientStats]:
        """Return the mixture estimated from `combine` of the rows' statistics, and those statistics."""
        ...

    def implied_statistics(self, mixture: Mixture) -> SufficientStats:
        """Return statistics per frame from which an M-step estimates this mixture."""
        ...


@dataclass(slots=True)
class FlooredEM:
    """Steps that start from clusters, and floor variances at a share of those of the first frames.

    Parameters
    ----------
    n_components : int
        Components.
    covariance_type : CovarianceType
        Form of the covariances.
    seed : int
        Of the start.
    relative : float
        The floor, as a share of each feature's variance over the frames that the start is found on.
    """

    n_components: int
    covariance_type: CovarianceType = "diag"
    seed: int = 0
    relative: float = RELATIVE_FLOOR
    floor: FloatArray | None = None

    def start(self, rows: Rows, weights: FloatArray | None) -> Mixture:
        """See `EMSteps`; the start does not depend on weights."""
        origin = rows.mean(axis=0, dtype=np.float64)
        moments = SufficientStats.measure(rows, origin=origin, covariance_type="diag")
        self.floor = variance_floor(moments, self.relative).variances
        sample = FrameSample(rows, origin, moments.second[0] / len(rows), self.floor)
        return cluster_mixture(
            sample, self.n_components, self.covariance_type, scale=sample.deviation, seed=self.seed, threads=1
        )

    def step(
        self, mixture: Mixture, rows: Rows, weights: FloatArray | None, combine: Combine
    ) -> tuple[Mixture, SufficientStats]:
        """See `EMSteps`."""
        floor = 0.0 if self.floor is None else self.floor
        float64 = self.floor is not None and is_low(self.floor, mixture)
        part = Evaluator(mixture, float64=float64).accumulate(rows, weights)
        return maximize(combine(part), floor=floor, previous=mixture)[0], part

    def implied_statistics(self, mixture: Mixture) -> SufficientStats:
        """See `EMSteps`."""
        return expected_statistics(mixture)


def blend(old: SufficientStats, batch: SufficientStats, rho: float) -> SufficientStats:
    """Return ``(1 - rho) old + rho batch``, each per frame (Cappe and Moulines 2009).

    About the origin of the batch, which is the center of the present model: it follows what drifts.

    Examples
    --------
    >>> from dataclasses import replace
    >>> old = SufficientStats.zero(1, 1, "diag")
    >>> old = replace(old, counts=[4.0], n_frames=4)
    >>> blend(old, replace(old, counts=[1.0], n_frames=2), 0.5).counts
    array([0.75])
    """
    return rho * per_frame(batch) + (1 - rho) * per_frame(old)


def per_frame(stats: SufficientStats) -> SufficientStats:
    """Return the statistics of the mean frame."""
    return stats if stats.n_frames == 1 else stats * (1 / stats.n_frames)
