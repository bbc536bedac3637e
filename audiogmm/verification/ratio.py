"""Log-likelihood ratios of many models against the background model that they were adapted from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.ratios import (
    MODELS,
    PosteriorPairs,
    add_logarithms,
    add_products,
    add_ratios,
    keep_best,
)
from audiogmm.mixture.active_pairs import ActivePairs
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.shifts import check_shape, tabulate_shifts

Scoring = Literal["exact", "top", "linear"]
"""Ways to compute a ratio: see `RatioScorer`."""

TOP = 5
"""Components that `top` evaluates (Reynolds, Quatieri and Dunn 2000, section 3.5)."""

MIN_SHARE = 1e-7
"""Share of the highest posterior below which `top` leaves a component out."""


class RatioScorer:
    """Log-likelihood ratios of frames under many models of one background model, computed together.

    `exact` is the difference of two `Evaluator`s, to 2e-7 nats a frame and float64 rounding; the background
    is evaluated once for all models.

    For the others, with g_k(x) the background's posterior of component k and d_k(x) what adaptation added to
    its log-density, ``log p(x | model) / p(x) = log sum_k g_k(x) exp(d_k(x))``. `top` sums over the
    components of highest posterior under the background, none below `MIN_SHARE` of the highest, with
    posteriors among these: a further model costs a product of a few numbers for each. `linear` is the first
    order in the means, ``sum_k (m'_k - m_k) P_k sum_n g_k(x_n) (x_n - m_k)`` (Glembek et al. 2009,
    equation 8): the statistics of the frames are computed once, and adapted variances and weights have no
    part in it. Both hold coefficients as float32.

    Results do not depend on which other models or frames are scored with them.

    Parameters
    ----------
    background : Mixture
        The background model.
    models : sequence of Mixture
        Adapted from it. `top` takes a model from this sequence again where a frame is so far off that a sum
        overflows.
    scoring : {"exact", "top", "linear"}
    top : int
        Components of `top`.

    Raises
    ------
    ChoiceError
        If there is no such scoring, or `top` is not from 1 to the number of components.
    MismatchError
        If a model has other components than the background.

    Examples
    --------
    >>> background = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> moved = Mixture([0.5, 0.5], [[1.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> frames = np.array([[0.0], [1.0], [10.0]], dtype=np.float32)
    >>> RatioScorer(background, [moved, background]).scores(frames)
    array([0., 0.])
    >>> RatioScorer(background, [moved], "linear").scores(frames[1:2]).round(6)
    array([1.])
    """

    def __init__(
        self, background: Mixture, models: Sequence[Mixture], scoring: Scoring = "exact", top: int = TOP
    ) -> None:
        if scoring not in get_args(Scoring):
            raise ChoiceError(f"scoring={scoring!r}", needed=f"one of {', '.join(get_args(Scoring))}")
        if not top >= 1:
            raise ChoiceError(f"the {top} best components", needed="at least 1")
        self.background = background
        self.models = models
        self.scoring: Scoring = scoring
        self.top = min(top, background.n_components)
        self._evaluator = Evaluator(background)
        if scoring == "exact":
            self._evaluators = [Evaluator(check_shape(background, model)) for model in models]
        else:
            self._table = tabulate_shifts(background, models, means_alone=scoring == "linear")

    def scores(self, frames: AnyFrames, which: Sequence[int] | None = None) -> FloatArray:
        """Return the mean ratio a frame.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features), float32 or float64
            Feature vectors, at least one.
        which : sequence of int, optional
            Indices of the models; all by default.

        Returns
        -------
        ndarray of shape (n_models,), float64
            Nats a frame, in the order of `which`.

        Raises
        ------
        MixtureError
            If frames have another shape or are not finite, naming the first such row.
        """
        means: FloatArray = self.totals(frames, which) / len(frames)
        return means

    def totals(self, frames: AnyFrames, which: Sequence[int] | None = None) -> FloatArray:
        """Return the sums over the frames, of which `scores` returns the means."""
        chosen = np.arange(len(self.models)) if which is None else np.asarray(which, dtype=np.int64)
        if self.scoring == "exact":
            under = self._evaluator.log_likelihood(frames)
            return np.array([np.sum(self._evaluators[m].log_likelihood(frames) - under) for m in chosen])
        blocks = np.unique(chosen // MODELS)
        places = np.searchsorted(blocks, chosen // MODELS) * MODELS + chosen % MODELS
        if self.scoring == "linear":
            linear: FloatArray = self._linear(frames, blocks)[places]
            return linear
        total = np.zeros(len(chosen))
        for rows, found in self._evaluator.active_pairs(frames, float(np.log(MIN_SHARE))):
            tile: AnyFrames = np.ascontiguousarray(frames[rows])  # type: ignore[assignment]
            total += self._top(tile, found, chosen, blocks, places)
        return total

    def _top(
        self, frames: AnyFrames, found: ActivePairs, chosen: IntArray, blocks: IntArray, places: IntArray
    ) -> FloatArray:
        pairs = PosteriorPairs(
            found.component, found.begin.copy(), found.member.copy(), found.posterior.copy()
        )
        n_pairs = keep_best(pairs, self.top, MIN_SHARE, len(frames))
        sums = np.zeros((len(frames), len(blocks) * MODELS))
        add_ratios(frames, pairs, self._table.shifts, blocks.astype(np.int32), sums)
        total, is_finite = np.zeros(sums.shape[1]), np.ones(sums.shape[1], dtype=np.bool_)
        add_logarithms(sums, total, is_finite)
        again = ~is_finite[places] | self._table.plain[chosen]
        result: FloatArray = total[places]
        for i in np.flatnonzero(again).tolist():
            result[i] = self._plain(frames, pairs, n_pairs, int(chosen[i]))
        return result

    def _linear(self, frames: AnyFrames, blocks: IntArray) -> FloatArray:
        stats = self._evaluator.accumulate(frames)
        first = stats.first - stats.counts[:, None] * (self.background.means - stats.origin)
        sums = np.zeros(len(blocks) * MODELS)
        occupied = np.flatnonzero(stats.counts > 0)
        add_products(first, occupied, self._table.shifts, blocks.astype(np.int32), sums)
        return sums

    def _plain(self, frames: AnyFrames, pairs: PosteriorPairs, n_pairs: int, model: int) -> float:
        """Return the sum of one model alone: where exponentials overflow, or there is no shift."""
        chosen = np.zeros((len(frames), self.background.n_components), dtype=bool)
        chosen[pairs.member[:n_pairs], np.repeat(pairs.component, np.diff(pairs.begin))] = True
        theirs, ours = Evaluator(self.models[model]).log_joint(frames), self._evaluator.log_joint(frames)
        return float(np.sum(_log_sum(theirs, chosen) - _log_sum(ours, chosen)))


def _log_sum(joint: FloatArray, chosen: BoolArray) -> FloatArray:
    joint = np.where(chosen, joint, -np.inf)
    highest = joint.max(axis=1)
    total: FloatArray = highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))
    return total
