"""What scores are made of: a series of frame scores, pooled; and several series as one group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.scorer import FrameScorer, LogLikelihoodScorer
from audiogmm.anomaly.scorers.pools import Pool
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.types import Seconds

Arrays = Mapping[str, np.ndarray]
"""What a score has learnt, by name: kept as tensors of the model."""


@dataclass(frozen=True)
class ScoreSeries:
    """One series: the scores of frames, and how they are pooled."""

    base: FrameScorer
    pool: Pool | None = None

    @property
    def latency(self) -> int:
        """Frames by which a value comes later than its frame."""
        return self.base.latency + (self.pool.latency if self.pool else 0)


@dataclass(frozen=True)
class SeriesGroup:
    """The series of one score, put on one scale and taken together.

    Attributes
    ----------
    parts : tuple of ScoreSeries
        Its series.
    scaled : bool
        Whether each is put on the scale of normal audio; one series alone may keep its unit.
    how : {"lowest", "mean"}
        What several become.
    after : Pool or None
        What then becomes of their scores.
    """

    parts: tuple[ScoreSeries, ...]
    scaled: bool = False
    how: Literal["lowest", "mean"] = "lowest"
    after: Pool | None = None


@dataclass(frozen=True, eq=False)
class ScoreContext:
    """What every score may be built on.

    Attributes
    ----------
    evaluator : Evaluator
        The model.
    every_frame : bool
        Whether frames of exact silence count.
    frame_rate : float
        Frames a second.
    bands : tuple of BandMap
        From features to the levels of frequency bands, a map for each order of deltas; none where the
        features are not of known bands.
    against : Evaluator or None
        Another background model than the one that is made of the model itself.
    """

    evaluator: Evaluator
    every_frame: bool
    frame_rate: float
    bands: tuple[BandMap, ...] = field(default=())
    against: Evaluator | None = None

    @cached_property
    def likelihoods(self) -> LogLikelihoodScorer:
        """The model's log-likelihoods: one object, so that all who pool them share what they cost."""
        return LogLikelihoodScorer(self.evaluator, self.every_frame)

    def half(self, window: Seconds) -> int:
        """Frames on either side of the middle of a window of so many seconds."""
        return round(window * self.frame_rate / 2)

    def require_bands(self, name: str, least: int) -> tuple[BandMap, ...]:
        """The band maps, if the features can tell `least` bands apart.

        Raises
        ------
        MismatchError
            If there are no maps, or fewer bands.
        """
        if not self.bands or self.n_bands < least:
            raise MismatchError(
                f"the score {name!r} and features that tell {self.n_bands} frequency bands apart",
                needed=f"a model of cepstra or log-mel energies, of {least} bands or more",
                remedy="another score, or a front end without warping and with more cepstra",
            )
        return self.bands

    @property
    def n_bands(self) -> int:
        """Frequency bands that the features tell apart: no more than there are cepstra, 0 if unknown."""
        if not self.bands:
            return 0
        matrix = self.bands[0].matrix
        return min(int(np.linalg.matrix_rank(matrix)), MOST_BANDS)


MOST_BANDS = 12
"""Bands that windows and band models have at most: as finely as the usual 13 cepstra resolve."""


class Score(Protocol):
    """A row of the table: how a score of that name is made."""

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...

    @property
    def window(self) -> Seconds:
        """Over which it pools, unless told otherwise."""
        ...

    @property
    def learns(self) -> bool:
        """Whether it has to learn from other frames than those that put it on a scale."""
        ...

    @property
    def unit(self) -> str:
        """What follows one of its values."""
        ...

    @property
    def needs_bands(self) -> int:
        """Frequency bands that the features must tell apart; 0 where any features do."""
        ...

    def group(self, ground: ScoreContext, window: Seconds, learnt: Arrays) -> SeriesGroup:
        """Its series.

        Raises
        ------
        MismatchError
            If the model's features do not allow it.
        """
        ...
