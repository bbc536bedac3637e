"""The score `twfr`: how likely the time-weighted spectrum of a window is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.score import MOST_BANDS, Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import BoolArray, FloatArray, Frames, Seconds

HOP: Seconds = 0.05
"""From one window to the next."""

LEAST_BANDS = 3
"""Bands that the features must resolve."""


@dataclass(frozen=True, eq=False)
class TwfrScorer(WindowScorer):
    """Log density of the time-weighted frequency-domain representation of a window.

    Guan et al. 2023, "Time-weighted frequency domain audio representation with GMM estimator for anomalous
    sound detection", eq. 1 to 3: each band's levels are sorted, the loudest first, and averaged with weights
    ``r^i`` (global weighted ranking pooling). The order of the frames is lost; how loud each band becomes is
    kept.

    Attributes
    ----------
    bands : BandMap
        From features to levels.
    decay : float
        r, in [0, 1].
    evaluator : Evaluator or None
        The mixture of the vectors of normal windows; None while it is being trained.
    half, hop : int
        Frames on either side of a window's middle, and from one window to the next.
    every_frame : bool
        Whether frames of exact silence count.
    """

    bands: BandMap
    decay: float
    evaluator: Evaluator | None
    half: int
    hop: int
    every_frame: bool

    @cached_property
    def weights(self) -> FloatArray:
        """Weights of the ranks where n frames count, shape (width + 1, width); each row but 0 sums to 1."""
        width = 2 * self.half + 1
        weights = np.zeros((width + 1, width))
        for n in range(1, width + 1):
            ranks = np.float64(self.decay) ** np.arange(n)
            weights[n, :n] = ranks / ranks.sum()
        return weights

    def rows(self, frames: Frames) -> FloatArray:
        """Compute the levels of the bands, decibels."""
        return self.bands.levels(frames)

    def vectors(self, rows: FloatArray, counts: BoolArray) -> FloatArray:
        """Pool the levels, shape (n_windows, n_bands), float32, decibels."""
        rows = np.where(counts[:, :, None], rows, -np.inf)
        ordered = np.sort(rows, axis=1)[:, ::-1]
        ordered[np.isneginf(ordered)] = 0.0  # ranks beyond the frames that count, of weight 0
        weights = self.weights[counts.sum(axis=1)]
        pooled = np.zeros((len(rows), rows.shape[2]))
        for rank in range(rows.shape[1]):  # rank by rank: each window's sum is its own
            pooled += weights[:, rank, None] * ordered[:, rank]
        return pooled.astype(np.float32)

    def score(self, vectors: FloatArray) -> FloatArray:
        """Evaluate the log density, nats."""
        assert self.evaluator is not None, "the mixture of windows is trained before windows are scored"
        return self.evaluator.log_likelihood(vectors)


def make_twfr_scorer(
    context: ScoreContext, window: Seconds, decay: float, evaluator: Evaluator | None = None
) -> TwfrScorer:
    """Make the scorer with a given r; without a mixture it gives the vectors to train one on."""
    bands = context.require_bands("twfr", LEAST_BANDS)[0].grouped(min(context.n_bands, MOST_BANDS))
    hop = max(1, round(min(HOP, window / 2) * context.frame_rate))
    half = max(context.half(window), hop)
    return TwfrScorer(bands, decay, evaluator, half, hop, context.every_frame)


def twfr_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Evaluate a mixture of the time-weighted spectra of windows (TWFR-GMM), its r chosen on normal audio."""
    mixture = Mixture(learned["weights"], learned["means"], learned["covariances"], "full")
    decay = float(learned["decay"][0])
    return SeriesGroup((ScoreSeries(make_twfr_scorer(context, window, decay, Evaluator(mixture))),))
