"""The score `cusum`: slow change, which no single window shows."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.anomaly.scorers.part import Arrays, ScoreContext, ScoreSeries, SeriesGroup
from audiogmm.anomaly.scorers.pools import Box, CusumPool
from audiogmm.types import Seconds

REFERENCE, LIMIT = 0.5, 30.0
"""Deviates: a change of one standard deviation is found soonest; the sum is capped at 30."""


@dataclass(frozen=True)
class CusumScore:
    """CusumPool's test on the mean log-likelihood of windows, in normal deviates: see `pools.CusumPool`.

    The scale comes from normal audio; so does the decision interval, which is the detector's threshold.
    """

    name: str = "cusum"
    window: Seconds = 1.0
    learns: bool = False
    needs_bands: int = 0
    unit: str = "normal deviates"

    def group(self, ground: ScoreContext, window: Seconds, learnt: Arrays) -> SeriesGroup:
        """One series, and its cumulative sum."""
        half = ground.half(window)
        return SeriesGroup(
            (ScoreSeries(ground.likelihoods, Box(half)),),
            scaled=True,
            after=CusumPool(half, REFERENCE, LIMIT),
        )
