"""The score `quantile`: how unlikely the less likely frames of a window are."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.anomaly.scorers.part import Arrays, ScoreContext, ScoreSeries, SeriesGroup
from audiogmm.anomaly.scorers.pools import LowQuantile
from audiogmm.types import Seconds

LEVEL = 0.25
"""The lower quartile: half of a window may be normal, and one outlier does not decide."""


@dataclass(frozen=True)
class QuantileScore:
    """The lower quartile of log p(x | model) in a window, nats."""

    name: str = "quantile"
    window: Seconds = 0.25
    learns: bool = False
    needs_bands: int = 0
    unit: str = "nats a frame"

    def group(self, ground: ScoreContext, window: Seconds, learnt: Arrays) -> SeriesGroup:
        """One series."""
        return SeriesGroup((ScoreSeries(ground.likelihoods, LowQuantile(ground.half(window), LEVEL)),))
