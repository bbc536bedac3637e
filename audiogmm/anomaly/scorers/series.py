"""Series of frame scores, pooled over windows; and several series as one score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.pools import Pool


@dataclass(frozen=True)
class ScoreSeries:
    """The scores of frames, and how they are pooled."""

    base: FrameScorer
    pool: Pool | None = None

    @property
    def latency(self) -> int:
        """Frames by which a value comes later than its frame."""
        return self.base.latency + (self.pool.latency if self.pool else 0)


@dataclass(frozen=True)
class SeriesGroup:
    """The series of one score, put on one scale and combined.

    Attributes
    ----------
    parts : tuple of ScoreSeries
        Its series.
    scaled : bool
        Whether each is put on the scale of normal audio; one series alone may keep its unit.
    how : {"lowest", "mean"}
        How several are combined.
    after : Pool or None
        What the combined scores are pooled by.
    """

    parts: tuple[ScoreSeries, ...]
    scaled: bool = False
    how: Literal["lowest", "mean"] = "lowest"
    after: Pool | None = None
