"""Evaluation at a few components of each frame: top-C, and truncated variational EM."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from audiogmm.errors import MixtureError
from audiogmm.kernels.estep import truncated
from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.diagonal import DiagonalComponents
from audiogmm.kernels.estep.full import FullComponents
from audiogmm.kernels.estep.moments import ABREAST
from audiogmm.kernels.estep.neighbors import ComponentSearch, SearchWorkspace
from audiogmm.kernels.estep.outer import mirror, scatter
from audiogmm.kernels.estep.screens import BLOCK
from audiogmm.kernels.estep.tiles import Tile
from audiogmm.kernels.estep.totals import DiagonalTotals, FullTotals
from audiogmm.mixture.checking import checked_frames, checked_weights, refuse_rows
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.kernels import pad_features
from audiogmm.mixture.layout import constants_of, lay_out_diagonal, needs_float64
from audiogmm.mixture.neighborhoods import Neighborhoods, Sets, make_search_workspace
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.tiling import make_tile, padded_width
from audiogmm.types import FloatArray

TILE = 4096
"""Frames of a tile at most."""

KEPT, KEPT_LEAST = 3, 8
"""Of the components that frames tried, this many times the neighbors, and so many more, are kept."""


class TruncatedStatistics(NamedTuple):
    """The result of a truncated E-step."""

    statistics: SufficientStats
    """`log_likelihood` is the free energy; `skipped` counts the pairs that were not even tried."""
    neighborhoods: Neighborhoods
    """Neighbors that were found; none unless a search was made."""


class TruncatedEvaluator:
    """Evaluates each frame at a set of components, as if the others had no weight.

    With sets K_n, posteriors are ``q_n(k) = p(k, x_n) / sum_(j in K_n) p(j, x_n)`` on K_n and 0 elsewhere,
    and the free energy is ``sum_n log sum_(k in K_n) p(k, x_n)`` (Forster and Luecke 2018, equations 4 and
    6): never above the log-likelihood, and equal to it where all components are in all sets. Scores are
    evaluated in float64. What a frame gets does not depend on the frames around it.

    This is an approximation, unlike `Evaluator`: reports should say what it lost. One use is top-C
    scoring: the sets of a background model (`Evaluator.leading`) serve every model adapted from it
    (Reynolds 2000, section 3.5).

    Parameters
    ----------
    mixture : Mixture
        The model.
    float64 : bool
        As of `Evaluator`.

    Examples
    --------
    >>> from audiogmm.mixture.evaluator import Evaluator
    >>> background = Mixture([0.5, 0.3, 0.2], [[0.0], [1.0], [9.0]], [[1.0], [1.0], [1.0]], "diag")
    >>> frames = np.array([[0.4], [9.0]], dtype=np.float32)
    >>> sets = Evaluator(background).leading(frames, 2)
    >>> sets
    array([[ 0,  1],
           [ 2, -1]], dtype=int32)
    >>> adapted = Mixture([0.5, 0.3, 0.2], [[0.2], [1.0], [8.0]], [[1.0], [1.0], [1.0]], "diag")
    >>> TruncatedEvaluator(adapted).log_likelihood(frames, sets).round(3)
    array([-1.219, -3.028])
    """

    def __init__(self, mixture: Mixture, float64: bool = False) -> None:
        self.mixture = mixture
        self._form = form = form_of(mixture.covariance_type)
        K = mixture.n_components
        self._model: Any
        self._table = np.empty(0, np.float32)
        if not form.has_common_axes:
            self.origin = mixture.center.astype(np.float32).astype(np.float64)
            factors = form.precision_factor(mixture.covariances)
            rest = padded_width(mixture.n_features) - mixture.n_features
            constants = constants_of(mixture, factors)
            distances = np.einsum("kd,kde->ke", mixture.means - self.origin, factors)
            self._model = FullComponents(
                pad_features(mixture.means).ravel(),
                np.pad(factors, ((0, 0), (0, rest), (0, rest))).ravel(),
                constants,
                self.origin,
            )
        else:
            layout = lay_out_diagonal(mixture)
            self.origin, constants = layout.origin, layout.constants
            distances, factors = layout.centered * layout.scales, layout.whitener
            scales = pad_features(layout.scales)
            rest = padded_width(len(layout.whitener)) - len(layout.whitener)
            self._model = DiagonalComponents(
                pad_features(layout.means).ravel(),
                scales.ravel(),
                constants,
                self.origin,
                np.pad(layout.whitener, (0, rest)),
            )
            halved = np.sqrt(0.5) * scales
            pieces = np.stack([halved, -pad_features(layout.centered) * halved]).reshape(2, K, -1, BLOCK)
            self._table = pieces.transpose(1, 2, 0, 3).astype(np.float32).ravel()
        self._float64 = float64 or needs_float64(mixture, distances, factors)
        self._coarse = constants.astype(np.float32)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mixture, self._float64)

    def accumulate(
        self, frames: AnyFrames, sets: Sets, weights: FloatArray | None = None
    ) -> TruncatedStatistics:
        """Make the E-step with posteriors on the sets.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features), float32 or float64
            Feature vectors.
        sets : ndarray of shape (n, C), int32
            Components of each frame; at least one that has a weight.
        weights : ndarray of shape (n,), float64, optional
            A weight of each frame, 1 by default.

        Returns
        -------
        TruncatedStatistics
            The statistics.

        Raises
        ------
        MixtureError
            If frames or sets do not fit the mixture, or frames are not finite.
        """
        return self._accumulate(frames, sets.copy(), None, 0, weights)

    def search(
        self,
        frames: AnyFrames,
        sets: Sets,
        neighbors: Sets,
        key: int = 0,
        weights: FloatArray | None = None,
    ) -> TruncatedStatistics:
        """Improve the sets, then make the E-step: one partial variational E-step.

        Each frame tries the neighbors of the components that it has, and one more at random, and keeps
        the C best of all; so the free energy never falls (Forster and Luecke 2018, section 3).

        Parameters
        ----------
        frames, weights
            As of `accumulate`.
        sets : ndarray of shape (n, C), int32
            Changed in place.
        neighbors : ndarray of shape (n_components, G - 1), int32
            The others in the neighborhood of each component; -1 for none.
        key : int
            Decides, with the row of a frame, which component it tries at random.

        Returns
        -------
        TruncatedStatistics
            The statistics, and the neighbors that were found.

        Raises
        ------
        MixtureError
            As `accumulate`.
        """
        return self._accumulate(frames, sets, neighbors, key, weights)

    def log_likelihood(self, frames: AnyFrames, sets: Sets) -> FloatArray:
        """Return log sum over its set of p(k, x), for every frame, (n,), nats; errors as of `accumulate`."""
        frames = self._checked(frames, sets)
        order, totals = self._order(sets), np.empty(len(frames))
        tile, room = self._room(frames, sets.shape[1], 0)
        diagonal = self._form.has_common_axes
        run = truncated.log_likelihood_diagonal if diagonal else truncated.log_likelihood_full
        assigned = truncated.FrameSets(frames, sets, order, np.empty(0))
        near = Neighborhoods.none(0, 0).near
        run(assigned, self._searching(None, 0), self._model, tile, room, near, totals)
        _refuse(float(totals.sum()), frames)
        scores = np.empty(len(frames))
        scores[order] = totals
        return scores

    def _accumulate(
        self,
        frames: AnyFrames,
        sets: Sets,
        neighbors: Sets | None,
        key: int,
        weights: FloatArray | None,
    ) -> TruncatedStatistics:
        frames = self._checked(frames, sets)
        if self._float64:
            frames = frames.astype(np.float64, copy=False)
        form, (K, D) = self._form, self.mixture.means.shape
        order, width = self._order(sets), padded_width(D)
        given = np.empty(0) if weights is None else checked_weights(weights, len(frames))
        n_near = 0 if neighbors is None else neighbors.shape[1]
        found = Neighborhoods.none(K, 0 if neighbors is None else KEPT * n_near + KEPT_LEAST)
        tile, room = self._room(frames, sets.shape[1], n_near, found)
        assigned = truncated.FrameSets(frames, sets, order, given[order] if len(given) else given)
        search = self._searching(neighbors, key)
        first = np.zeros((K, width))
        second = np.zeros(form.accumulator_shape(K, width))
        totals = DiagonalTotals(np.zeros(K), first.ravel(), second.ravel(), np.zeros(2))
        if not form.has_common_axes:
            of_full = FullTotals(*totals)
            truncated.accumulate_full(assigned, search, self._model, tile, room, found.near, of_full)
            padding, second = second, np.empty((K, D, D))
            mirror(padding.ravel(), width, np.arange(K), second)
        else:
            truncated.accumulate_diagonal(assigned, search, self._model, tile, room, found.near, totals)
            if second.ndim == 2:
                second = second[:, :D]
            elif form.shared:
                total = np.zeros((width, width))
                scatter(frames, given, self.origin, width, total.ravel())
                second = np.empty((1, D, D))
                mirror(total.ravel(), width, np.zeros(1, np.int64), second)
                second = second[0]
        _refuse(float(totals.sums[0]), frames)
        tried = int(room.state[2]) if search.wanted else float(totals.sums[1])
        statistics = SufficientStats(
            form.name,
            origin=self.origin,
            counts=totals.counts,
            first=first[:, :D],
            second=second,
            n_frames=float(given.sum()) if len(given) else float(len(frames)),
            log_likelihood=float(totals.sums[0]),
            skipped=len(frames) * K - tried,
        )
        return TruncatedStatistics(statistics, found)

    def _searching(self, neighbors: Sets | None, key: int) -> ComponentSearch:
        if neighbors is None:
            none = np.empty((0, 0), np.int32)
            return ComponentSearch(False, none, 0, self._table, self._coarse)
        return ComponentSearch(True, np.ascontiguousarray(neighbors), key, self._table, self._coarse)

    def _order(self, sets: Sets) -> Sets:
        order = np.empty(len(sets), np.int32)
        truncated.order_by_best(sets, self.mixture.n_components, order)
        return order

    def _room(
        self, frames: AnyFrames, set_size: int, n_near: int, found: Neighborhoods | None = None
    ) -> tuple[Tile, SearchWorkspace]:
        K, D = self.mixture.means.shape
        T, width = min(TILE, max(len(frames), 1)), padded_width(D)
        n_candidates = set_size * (1 + n_near) + 1
        points = np.dtype(np.float64) if self._form.shared else frames.dtype
        tile = make_tile(frames[:1], 1, 1, 1, points)._replace(
            centered=np.zeros(T * width, frames.dtype),
            points=np.zeros(T * width, points),
            found=np.empty(T * n_candidates, np.int32),
            owner=np.empty(T * n_candidates, np.int32),
            begin=np.empty(K + 1, np.int64),
            member=np.empty(T * n_candidates, np.int32),
            score=np.empty(T * n_candidates + ABREAST),
            gamma=np.empty(T * n_candidates, frames.dtype),
            highest=np.empty(T),
            total=np.empty(T),
        )
        n_kept = 0 if found is None else found.component.shape[1]
        rows = np.empty((T, D), frames.dtype)
        return tile, make_search_workspace(K, n_kept, T, n_candidates, set_size, rows)

    def _checked(self, frames: AnyFrames, sets: Sets) -> AnyFrames:
        K = self.mixture.n_components
        frames = checked_frames(frames, self.mixture.n_features)
        if sets.dtype != np.int32 or sets.ndim != 2 or len(sets) != len(frames) or sets.shape[1] == 0:
            raise MixtureError(
                f"sets of shape {sets.shape} and type {sets.dtype} for {len(frames)} frames",
                needed=f"int32, shape ({len(frames)}, C) with C of at least 1",
                remedy="the sets that `Evaluator.leading` gives for these frames",
            )
        if len(sets) and not (sets.min() >= -1 and sets.max() < K and sets[:, 0].min() >= 0):
            n = int(np.flatnonzero((sets < -1).any(1) | (sets >= K).any(1) | (sets[:, 0] < 0))[0])
            raise MixtureError(
                f"frame {n} has the set {sets[n].tolist()}",
                needed=f"components from 0 to {K - 1}, -1 only behind them",
            )
        return frames


def _refuse(log_likelihood: float, frames: AnyFrames) -> None:
    """Raise `MixtureError`, with the cause, if a sum is not finite."""
    if not np.isfinite(log_likelihood):
        refuse_rows(frames)
        raise MixtureError(
            "a frame whose set holds no component with a weight",
            needed="at least one such component a frame",
            remedy="sets of this mixture, or of one whose components without weight are the same",
        )
