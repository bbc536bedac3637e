"""SPIDER-EM: stepwise EM whose steps are corrected for the chance of their batches."""

from __future__ import annotations

from audiogmm.errors import MixtureError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximisation import maximise
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.schedule.stepwise_pass import Measure
from audiogmm.types import FloatArray, Frames

SHARE = 0.0156
"""Frames of a batch at least, of all: a pass is 64 steps at most."""

STEP = 0.1
"""Step size, the same throughout."""

KEPT = 0.5
"""Share of a covariance, in any direction, that one step leaves of it at least: of statistics that frames can
have, a step of `STEP` leaves more of a component that does not grow to six times its weight at once."""


class Spider:
    """The steps of one epoch, after an exact pass has given the statistics S_0 of all frames.

    For each batch B, per frame, with s_B(theta) the statistics of B under theta, and T the M-step,

    ``S_k+1 = S_k + s_B(T(S^_k)) - s_B(T(S^_k-1))``,  ``S^_k+1 = S^_k + gamma (S_k+1 - S^_k)``

    (Fort, Moulines and Wai 2020, algorithm 1): S follows the statistics of ALL frames under the present
    mixture, by differences that are small where the mixture has moved little, so that their noise is too.
    A pass costs two E-steps a frame.

    A difference of moments is no moment: by chance it may ask for less than no frames of a component, or
    for less than no variance, the likelier the fewer the frames and the larger the matrices. A step that
    leaves less than `KEPT` of a covariance, or one more variance below the floor, is left out with its batch
    (`lost`), and the next batch estimates the same difference anew.

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
        self.n_floored = maximise(self.statistics, floor=floor, previous=before)[1].n_floored

    def take(self, frames: Frames) -> None:
        """One step."""
        part, past = self.measure(self.mixture, frames), self.measure(self.before, frames)
        self.n_frames += len(frames)
        self.log_likelihood += part.log_likelihood
        self.skipped += part.skipped
        target = self.target + (1 / len(frames)) * (part - past)
        gamma = STEP * len(frames) / self.batch
        stepped = (1 - gamma) * self.statistics + gamma * target
        after = self._sound(stepped)
        if after is None:
            self.lost += 1
            return
        self.before, self.mixture = self.mixture, after
        self.target, self.statistics = target, stepped

    def _sound(self, stepped: SufficientStats) -> Mixture | None:
        """The mixture of these statistics; None if frames could hardly have them."""
        if (stepped.counts <= 0).any():
            return None
        try:
            after, update = maximise(stepped, floor=self.floor, previous=self.mixture)
        except MixtureError:  # a negative variance, without a floor
            return None
        left = after.covariances - KEPT * self.mixture.covariances
        if update.n_floored > self.n_floored or form_of(after.covariance_type).fault(left):
            return None
        self.n_floored = update.n_floored
        return after

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        """See `walk.Pass`."""
        statistics = self.statistics * (self.n_frames / self.statistics.n_frames)
        mixture, update = maximise(statistics, floor=self.floor, previous=self.mixture)
        return mixture, statistics, update.emptied, update.n_floored
