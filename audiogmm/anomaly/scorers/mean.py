"""The score `mean`: the mean log-likelihood of a window."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.anomaly.scorers.part import Arrays, ScoreContext, ScoreSeries, SeriesGroup
from audiogmm.anomaly.scorers.pools import Box
from audiogmm.types import Seconds


@dataclass(frozen=True)
class MeanScore:
    """log p(x | model), nats, averaged over a window."""

    name: str = "mean"
    window: Seconds = 0.25
    learns: bool = False
    needs_bands: int = 0
    unit: str = "nats a frame"

    def group(self, ground: ScoreContext, window: Seconds, learnt: Arrays) -> SeriesGroup:
        """One series."""
        return SeriesGroup((ScoreSeries(ground.likelihoods, Box(ground.half(window))),))
