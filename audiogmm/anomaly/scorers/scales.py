"""The score `scales`: the lowest of windows of several lengths."""

from __future__ import annotations

from audiogmm.anomaly.scorers.pools import Box
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import ScoreSeries, SeriesGroup
from audiogmm.types import Seconds

LENGTHS = (0.25, 0.5, 1.0, 2.0)
"""Of the windows, as multiples of the score's own."""


def scales_series(context: ScoreContext, window: Seconds, learned: Arrays) -> SeriesGroup:
    """Take the lowest mean log-likelihood of windows from short to long, each on the scale of normal audio.

    A click shows in the short windows, a hum in the long ones; normal audio cannot say which will matter.
    """
    parts = tuple(ScoreSeries(context.likelihoods, Box(context.half(window * length))) for length in LENGTHS)
    return SeriesGroup(parts, scaled=True, how="lowest")
