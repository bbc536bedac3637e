"""SPIDER-EM: stepwise EM whose steps are corrected for the chance of their batches."""

from __future__ import annotations

from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximisation import maximise
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.walk import Measure
from audiogmm.types import FloatArray, Frames

SHARE = 0.0156
"""Frames of a batch, of all: a pass is 64 steps."""

STEP = 0.1
"""Step size, the same throughout."""


class Spider:
    """The steps of one epoch, after an exact pass has given the statistics S_0 of all frames.

    For each batch B, per frame, with s_B(theta) the statistics of B under theta, and T the M-step,

    ``S_k+1 = S_k + s_B(T(S^_k)) - s_B(T(S^_k-1))``,  ``S^_k+1 = S^_k + gamma (S_k+1 - S^_k)``

    (Fort, Moulines and Wai 2020, algorithm 1): S follows the statistics of ALL frames under the present
    mixture, by differences that are small where the mixture has moved little, so that their noise is too.
    A pass costs two E-steps a frame. A difference may ask for less than no frames of a component; such a
    step is left out (`lost`).

    Parameters
    ----------
    measure : Measure
        The E-step.
    floor : ndarray of shape (n_features,), float64
        Variance floor.
    batch : int
        Frames of a full batch.
    before : Mixture
        T(S^_-1): what the exact pass measured with.
    mixture : Mixture
        T(S^_0): what it gave, with step 1.
    statistics : SufficientStats
        S_0, of all frames.
    """

    def __init__(
        self,
        measure: Measure,
        floor: FloatArray,
        batch: int,
        before: Mixture,
        mixture: Mixture,
        statistics: SufficientStats,
    ) -> None:
        self.measure, self.floor, self.batch = measure, floor, batch
        self.before, self.mixture = before, mixture
        self.target = self.statistics = statistics * (1 / statistics.n_frames)
        self.n_frames, self.log_likelihood, self.skipped, self.lost = 0, 0.0, 0.0, 0
        self.rescued: set[int] = set()

    def take(self, frames: Frames) -> None:
        """One step."""
        part, past = self.measure(self.mixture, frames), self.measure(self.before, frames)
        self.n_frames += len(frames)
        self.log_likelihood += part.log_likelihood
        self.skipped += part.skipped
        self.before = self.mixture
        self.target = self.target + (1 / len(frames)) * (part - past)
        gamma = STEP * len(frames) / self.batch
        stepped = (1 - gamma) * self.statistics + gamma * self.target
        if (stepped.counts <= 0).any():
            self.lost += 1
            return
        self.statistics = stepped
        self.mixture = maximise(stepped, floor=self.floor, previous=self.mixture)[0]

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        """See `walk.Pass`."""
        statistics = self.statistics * (self.n_frames / self.statistics.n_frames)
        mixture, update = maximise(statistics, floor=self.floor, previous=self.mixture)
        return mixture, statistics, update.emptied, update.n_floored
