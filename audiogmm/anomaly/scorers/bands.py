"""The score `bands`: how likely each frequency band is by itself, and the least likely one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.scorer import LogLikelihoodScorer
from audiogmm.anomaly.scorers.pools import Box
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.marginal import marginal
from audiogmm.types import FloatArray, Frames, Seconds

BANDS = 3
"""Low, middle and high, each of as many sub-bands as the features resolve."""


@dataclass(frozen=True)
class BandDensity:
    """log density of the levels of some bands (and of their deltas), nats.

    Attributes
    ----------
    maps : tuple of BandMap
        From features to levels, one after the other.
    evaluator : Evaluator
        The marginal of the model, see `audiogmm.mixture.marginal`.
    """

    maps: tuple[BandMap, ...]
    evaluator: Evaluator

    def log_likelihood(self, frames: Frames) -> FloatArray:
        """Evaluate every frame, shape (n,), each row's value its own."""
        levels = np.concatenate([bands.levels(frames) for bands in self.maps], axis=1)
        return self.evaluator.log_likelihood(levels.astype(np.float32))


def bands_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Take the lowest mean log-likelihood of several bands, each on the scale of normal audio.

    A change in one band is not hidden by what happens in the others.
    """
    orders = context.require_bands("bands", BANDS)
    size = context.n_bands // BANDS
    orders = tuple(bands.grouped(BANDS * size) for bands in orders)
    pool = Box(context.half(window))
    parts = []
    for band in range(BANDS):
        maps = tuple(bands.part(band * size, (band + 1) * size) for bands in orders)
        matrix = np.concatenate([bands.matrix for bands in maps])
        offset = np.concatenate([bands.offset for bands in maps])
        density = BandDensity(maps, Evaluator(marginal(context.evaluator.mixture, matrix, offset)))
        parts.append(ScoreSeries(LogLikelihoodScorer(density, context.every_frame), pool))
    return SeriesGroup(tuple(parts), scaled=True, how="lowest")
