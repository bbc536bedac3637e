"""The score `scales`: the worst of windows of several lengths."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.anomaly.scorers.part import Arrays, ScoreContext, ScoreSeries, SeriesGroup
from audiogmm.anomaly.scorers.pools import Box
from audiogmm.types import Seconds

LENGTHS = (0.25, 0.5, 1.0, 2.0)
"""Of the windows, as multiples of the score's own."""


@dataclass(frozen=True)
class ScalesScore:
    """Mean log-likelihoods of windows from short to long, each on the scale of normal audio: the lowest.

    A click shows in the short ones, a hum in the long ones; which of them will matter, normal audio cannot
    say.
    """

    name: str = "scales"
    window: Seconds = 0.5
    learns: bool = False
    needs_bands: int = 0
    unit: str = "normal deviates"

    def group(self, ground: ScoreContext, window: Seconds, learnt: Arrays) -> SeriesGroup:
        """A series for each length; the likelihoods are computed once."""
        parts = tuple(
            ScoreSeries(ground.likelihoods, Box(ground.half(window * length))) for length in LENGTHS
        )
        return SeriesGroup(parts, scaled=True, how="lowest")
