"""The score `mean`: the mean log-likelihood of a window."""

from __future__ import annotations

from audiogmm.anomaly.scorers.pools import Box
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.types import Seconds


def mean_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Average log p(x | model), nats, over a window."""
    return SeriesGroup((ScoreSeries(context.likelihoods, Box(context.half(window))),))
