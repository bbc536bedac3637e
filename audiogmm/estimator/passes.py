"""Passes over the rows of an array: slices of fixed size through threads, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.estimator.plain import PlainEvaluator, is_small
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import EMPTY_WEIGHT
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.training.frames.source import ArraySlice, require_sum
from audiogmm.types import FloatArray, IntArray

Rows = NDArray[Any]
"""Rows of features, (n, n_features), float32 or float64."""

AnyEvaluator = Evaluator | PlainEvaluator

JOINT_CELLS = 2**19
"""Numbers of a block of (rows, n_components) that a thread holds at a time: 4 MiB."""


THRESHOLDS = {np.dtype(np.float32): 1e-7, np.dtype(np.float64): 1e-12}
"""By the dtype of X: an E-step may leave out posteriors that a bound has proved to be below this."""


def evaluator_of(mixture: Mixture, dtype: np.dtype[Any], n_rows: int = 0) -> AnyEvaluator:
    """Return an evaluator for a pass over `n_rows` rows of this dtype; 0 where each row stands alone."""
    return PlainEvaluator(mixture) if is_small(mixture, n_rows) else Evaluator(mixture, THRESHOLDS[dtype])


@dataclass(frozen=True, slots=True)
class RowSlice(ArraySlice):
    """Consecutive rows, the first of them, and the rows' weights (None: ones)."""

    frames: Rows
    first: int
    weights: FloatArray | None


def slices(X: Rows, weights: FloatArray | None = None) -> Iterator[RowSlice]:
    """Cut X into slices of `SLICE_ROWS` rows."""
    for first in range(0, len(X), SLICE_ROWS):
        rows = slice(first, first + SLICE_ROWS)
        yield RowSlice(f"rows from {first}", X[rows], first, None if weights is None else weights[rows])


def sum_slices(
    X: Rows, weights: FloatArray | None, statistic: Callable[[RowSlice], SufficientStats]
) -> SufficientStats:
    """Sum a statistic over all slices, in their order."""
    return require_sum(_reducer(X).reduce(slices(X, weights), statistic))


def expect(mixture: Mixture, X: Rows, weights: FloatArray | None, dtype: np.dtype[Any]) -> SufficientStats:
    """Make the E-step over all rows (Bishop 2006, equation 9.23); posteriors are never held.

    Parameters
    ----------
    mixture : Mixture
        The model.
    X : ndarray of shape (n, n_features), float32 or float64
        Rows.
    weights : ndarray of shape (n,), float64, or None
        Weight of each row.
    dtype : dtype
        What to compute in: float64, or that of X.

    Examples
    --------
    >>> mixture = Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> expect(mixture, np.ones((3, 1)), np.array([1.0, 0.0, 2.0]), np.dtype(np.float64)).counts
    array([3.])
    """
    evaluator = evaluator_of(mixture, dtype, len(X))
    stats = sum_slices(
        X, weights, lambda part: evaluator.accumulate(part.frames.astype(dtype, copy=False), part.weights)
    )
    light = (stats.counts < EMPTY_WEIGHT * stats.counts.sum()) & (mixture.weights > 0)
    if isinstance(evaluator, PlainEvaluator) or not light.any():
        return stats
    return _with_light(stats, evaluator, X, weights, np.flatnonzero(light))


def _with_light(
    stats: SufficientStats, evaluator: Evaluator, X: Rows, weights: FloatArray | None, light: IntArray
) -> SufficientStats:
    """Return statistics in which nothing of these components is skipped, so that a far one comes back."""
    mixture = evaluator.mixture
    form, share = form_of(mixture.covariance_type), mixture.weights[light].sum()
    covariances = form.take(mixture.covariances, light)
    alone = Evaluator(
        Mixture(mixture.weights[light] / share, mixture.means[light], covariances, form.name), threshold=0
    )

    def of_slice(part: RowSlice) -> SufficientStats:
        frames = part.frames.astype(np.float64, copy=False)
        logs = alone.log_joint(frames) + np.log(share) - evaluator.log_likelihood(frames)[:, None]
        return SufficientStats.measure(
            frames, np.exp(logs), origin=stats.origin, covariance_type=form.name, weights=part.weights
        )

    exact = sum_slices(X, weights, of_slice)
    counts, first, second = stats.counts.copy(), stats.first.copy(), stats.second
    counts[light], first[light] = exact.counts, exact.first
    if not form.shared:  # whose moments hold all rows
        second = second.copy()
        second[light] = exact.second
    return replace(stats, counts=counts, first=first, second=second)


def log_likelihoods(evaluator: AnyEvaluator, X: Rows) -> FloatArray:
    """Return log p(x) of every row, shape (n,), nats."""
    result = np.empty(len(X))
    _fill(X, SLICE_ROWS, evaluator.log_likelihood, result)
    return result


def labels(evaluator: AnyEvaluator, X: Rows) -> IntArray:
    """Return the likeliest component of every row, shape (n,), int64; the first of equals."""
    result = np.empty(len(X), np.int64)
    _fill(X, _block_rows(evaluator), lambda rows: evaluator.log_joint(rows).argmax(axis=1), result)
    return result


def posteriors(evaluator: AnyEvaluator, X: Rows, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return P(component | row), shape (n, n_components), in `dtype`."""
    result = np.empty((len(X), evaluator.mixture.n_components), dtype)
    _fill(X, _block_rows(evaluator), evaluator.posteriors, result)
    return result


def _fill(X: Rows, n_rows: int, function: Callable[[Rows], NDArray[Any]], result: NDArray[Any]) -> None:
    """Put what `function` gives for blocks of rows into the rows of `result`."""

    def fill(part: RowSlice) -> None:
        for first in range(0, len(part.frames), n_rows):
            block = part.frames[first : first + n_rows]
            result[part.first + first : part.first + first + len(block)] = function(block)

    for _ in _reducer(X).map(slices(X), fill):
        pass


def _block_rows(evaluator: AnyEvaluator) -> int:
    return max(1, min(SLICE_ROWS, JOINT_CELLS // evaluator.mixture.n_components))


def _reducer(X: Rows) -> LocalReducer:
    """Threads, where there is more than one slice for them."""
    return LocalReducer(1 if len(X) <= SLICE_ROWS else None)
