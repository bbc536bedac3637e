"""Log-likelihoods of held-out recordings under each candidate, recording by recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import Reducer
from audiogmm.training.first_pass import TrainingData
from audiogmm.training.selection.segments import RecordingStatistic
from audiogmm.types import FloatArray, Frames


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Log-likelihoods of held-out recordings under one model.

    Attributes
    ----------
    totals : ndarray of shape (n_recordings,), float64
        Sum over the frames of each recording, nats.
    counts : ndarray of shape (n_recordings,), float64
        Frames of each.

    Examples
    --------
    >>> one = HeldOutScores(np.array([-10.0, -30.0]), np.array([10.0, 10.0]))
    >>> two = HeldOutScores(np.array([-20.0, -41.0]), np.array([10.0, 10.0]))
    >>> one.mean, one.error, one.minus(two).mean, round(one.minus(two).error, 3)
    (-2.0, 1.0, 1.05, 0.05)
    """

    totals: FloatArray
    counts: FloatArray

    @property
    def mean(self) -> float:
        """Mean log-likelihood a frame, nats."""
        return float(self.totals.sum() / self.counts.sum())

    @property
    def error(self) -> float | None:
        """Standard error of the mean: recordings are the draws; None where there is only one.

        That of a ratio of sums, whose recordings have unequal lengths (Cochran 1977, equation 6.13).
        """
        n = len(self.totals)
        if n < 2:
            return None
        residuals = self.totals - self.mean * self.counts
        return float(np.sqrt(n / (n - 1) * (residuals @ residuals)) / self.counts.sum())

    def minus(self, other: HeldOutScores) -> HeldOutScores:
        """Subtract recording by recording: most of the spread is common to both, and cancels."""
        return HeldOutScores(self.totals - other.totals, self.counts)


@dataclass(frozen=True, slots=True)
class LogLikelihoods:
    """Sums over frames: of the log-likelihood under each model, and of ones; shape (n_models + 1,)."""

    evaluators: tuple[Evaluator, ...]

    def __call__(self, frames: Frames) -> FloatArray:
        return np.array([*(e.log_likelihood(frames).sum() for e in self.evaluators), len(frames)])


def score_held_out(
    found: TrainingData | None, mixtures: Sequence[Mixture], reducer: Reducer
) -> list[HeldOutScores | None]:
    """Score held-out recordings under each mixture, in one pass over them; None without recordings.

    Parameters
    ----------
    found : TrainingData or None
        The held-out recordings.
    mixtures : sequence of Mixture
        The models.
    reducer : Reducer
        Threads and workers.

    Returns
    -------
    list of HeldOutScores or None
        One a mixture.
    """
    if found is None or not mixtures:
        return [None] * len(mixtures)
    statistic = LogLikelihoods(tuple(Evaluator(mixture) for mixture in mixtures))
    sums = found.source.reduce(reducer, RecordingStatistic(statistic, found.ends)).sums
    table = np.array(list(sums.values()))
    return [HeldOutScores(table[:, place].copy(), table[:, -1].copy()) for place in range(len(mixtures))]
