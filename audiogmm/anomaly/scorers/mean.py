"""The score `mean`: the mean log-likelihood of a window."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.anomaly.scorers.part import Arrays, Ground, Group, Part
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

    def group(self, ground: Ground, window: Seconds, learnt: Arrays) -> Group:
        """One series."""
        return Group((Part(ground.likelihoods, Box(ground.half(window))),))
