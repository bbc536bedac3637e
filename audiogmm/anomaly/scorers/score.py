"""What a score is: a row of the table, made from a model and, where it learns, from normal recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.scorer import LogLikelihoodScorer
from audiogmm.anomaly.scorers.series import SeriesGroup
from audiogmm.blocks import Shard
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reduce import OnError, Reducer
from audiogmm.types import Seconds

Arrays = Mapping[str, np.ndarray]
"""What a score has learned, by name: kept as tensors of the model."""

MOST_BANDS = 12
"""Bands that windows and band models have at most: as finely as the usual 13 cepstra resolve."""


@dataclass(frozen=True, eq=False)
class ScoreContext:
    """What every score is made from.

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
    background : Evaluator or None
        A background model in place of the one that is made of the model itself.
    """

    evaluator: Evaluator
    every_frame: bool
    frame_rate: float
    bands: tuple[BandMap, ...] = field(default=())
    background: Evaluator | None = None

    @cached_property
    def likelihoods(self) -> LogLikelihoodScorer:
        """The model's log-likelihoods: one object, so that all series that pool them share what they cost."""
        return LogLikelihoodScorer(self.evaluator, self.every_frame)

    def half(self, window: Seconds) -> int:
        """Return the frames on either side of the middle of a window of so many seconds."""
        return round(window * self.frame_rate / 2)

    def require_bands(self, name: str, least: int) -> tuple[BandMap, ...]:
        """Return the band maps, if the features resolve `least` bands.

        Raises
        ------
        MismatchError
            If there are no maps, or fewer bands.
        """
        if not self.bands or self.n_bands < least:
            raise MismatchError(
                f"the score {name!r} and features that resolve {self.n_bands} frequency bands",
                needed=f"a model of cepstra or log-mel energies, of {least} bands or more",
                remedy="another score, or a front end without warping and with more cepstra",
            )
        return self.bands

    @property
    def n_bands(self) -> int:
        """Frequency bands that the features resolve: no more than there are cepstra, 0 if unknown."""
        if not self.bands:
            return 0
        matrix = self.bands[0].matrix
        return min(int(np.linalg.matrix_rank(matrix)), MOST_BANDS)


@dataclass(frozen=True, eq=False)
class NormalRecordings:
    """Normal recordings that scores learn from.

    Attributes
    ----------
    fitted : iterable of Shard
        Those that a score learns from; re-iterable.
    held_out : iterable of Shard or None
        Others, to compare with where something is chosen.
    reducer : Reducer
        Reads them.
    on_error : callable or None
        Called for a recording that cannot be used; by default the first one raises.
    """

    fitted: Iterable[Shard]
    held_out: Iterable[Shard] | None
    reducer: Reducer
    on_error: OnError | None


@dataclass(frozen=True)
class Score:
    """A row of the table: how the score of a name is made, and what it learns.

    Attributes
    ----------
    name : str
        By which it is asked for.
    window : Seconds
        Over which it pools, unless another window is asked for.
    unit : str
        Of its values.
    make_series : callable
        From a `ScoreContext`, a window and what was learned (`Arrays`) to a `SeriesGroup`; raises a
        MismatchError if the model's features do not allow the score.
    learn : callable or None
        From a `ScoreContext`, a window, `NormalRecordings` and what was learned before (or None) to
        `Arrays`; None for a score that learns nothing but its scale. Where something was learned before,
        what was chosen then stays, and its parameters are estimated again.
    needs_bands : int
        Frequency bands that the features must resolve; 0 where any features do.
    fused : bool
        Whether `fusion` takes it.
    """

    name: str
    window: Seconds
    unit: str
    make_series: Callable[[ScoreContext, Seconds, Arrays], SeriesGroup]
    learn: Callable[[ScoreContext, Seconds, NormalRecordings, Arrays | None], Arrays] | None = None
    needs_bands: int = 0
    fused: bool = True
