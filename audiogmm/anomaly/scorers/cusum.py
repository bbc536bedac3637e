"""The score `cusum`: slow change, which no single window shows."""

from __future__ import annotations

from audiogmm.anomaly.scorers.pools import Box, CusumPool
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.types import Seconds

REFERENCE, LIMIT = 0.5, 30.0
"""Deviates: a change of one standard deviation is found soonest; the sum is capped at 30."""


def cusum_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Apply Page's test to the mean log-likelihood of windows, in normal deviates: see `pools.CusumPool`.

    The scale comes from normal audio; so does the decision interval, which is the detector's threshold.
    """
    half = context.half(window)
    after = CusumPool(half, REFERENCE, LIMIT)
    return SeriesGroup((ScoreSeries(context.likelihoods, Box(half)),), scaled=True, after=after)
