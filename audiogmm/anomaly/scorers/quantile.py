"""The score `quantile`: how unlikely the less likely frames of a window are."""

from __future__ import annotations

from audiogmm.anomaly.scorers.pools import LowQuantile
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.types import Seconds

LEVEL = 0.25
"""The lower quartile: half of a window may be normal, and one outlier does not decide."""


def quantile_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Take the lower quartile of log p(x | model) in a window, nats."""
    return SeriesGroup((ScoreSeries(context.likelihoods, LowQuantile(context.half(window), LEVEL)),))
