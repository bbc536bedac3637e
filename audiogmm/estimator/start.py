"""The start of EM: scikit-learn's four ways to make responsibilities, without holding them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

from audiogmm.estimator import passes
from audiogmm.estimator.passes import Rows
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import CovarianceType, FloatArray, IntArray


def statistics_of_start(
    X: Rows,
    weights: FloatArray | None,
    n_components: int,
    covariance_type: CovarianceType,
    init_params: str,
    random_state: np.random.RandomState,
) -> SufficientStats:
    """Return statistics of responsibilities made by scikit-learn's rules, with its random numbers.

    Parameters
    ----------
    X : ndarray of shape (n, n_features), float32 or float64
        Rows, at least `n_components` of them with a weight above 0.
    weights : ndarray of shape (n,), float64, or None
        Weight of each row. A row of weight 0 counts as absent.
    n_components : int
        Components.
    covariance_type : CovarianceType
        Form of the second moments.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}
        k-means clusters; one row for each component, chosen as k-means++ does or at random; or
        random responsibilities.
    random_state : numpy RandomState
        Source of random numbers.

    Returns
    -------
    SufficientStats
    """
    if weights is not None and not weights.all():
        X, weights = X[weights > 0], weights[weights > 0]
    origin = mean_of(X, weights)
    K = n_components
    if init_params == "kmeans":
        clusters = KMeans(n_clusters=K, n_init=1, random_state=random_state).fit(X, sample_weight=weights)
        return statistics_of_labels(X, clusters.labels_, K, origin, covariance_type, weights)
    if init_params == "random":
        return _of_random_shares(X, weights, K, origin, covariance_type, random_state)
    if init_params == "k-means++":
        _, rows = kmeans_plusplus(X, K, sample_weight=weights, random_state=random_state)
    else:
        chances = None if weights is None else weights / weights.sum()
        rows = random_state.choice(len(X), size=K, replace=False, p=chances)
    chosen = statistics_of_labels(X[rows], np.arange(K), K, origin, covariance_type)
    if form_of(covariance_type).shared:
        return _with_all_scatter(chosen, X, weights)
    return chosen


def statistics_of_labels(
    X: Rows,
    labels: IntArray,
    n_components: int,
    origin: FloatArray,
    covariance_type: CovarianceType,
    weights: FloatArray | None = None,
) -> SufficientStats:
    """Return statistics of rows that belong to one component each.

    Parameters
    ----------
    X : ndarray of shape (n, n_features), float32 or float64
    labels : ndarray of shape (n,), integers
        Component of each row.
    n_components : int
    origin : ndarray of shape (n_features,), float64
    covariance_type : CovarianceType
    weights : ndarray of shape (n,), float64, optional

    Examples
    --------
    >>> stats = statistics_of_labels(
    ...     np.array([[0.0], [1.0], [4.0]]), np.array([1, 1, 0]), 3, np.zeros(1), "diag")
    >>> stats.counts, stats.second.ravel()
    (array([1., 2., 0.]), array([16.,  1.,  0.]))
    """
    form = form_of(covariance_type)

    def of_slice(part: passes.RowSlice) -> SufficientStats:
        D = part.frames.shape[1]
        counts, first = np.zeros(n_components), np.zeros((n_components, D))
        second = np.zeros(form.second_shape(n_components, D))
        here = labels[part.first : part.first + len(part.frames)]
        order = np.argsort(here, kind="stable")
        present, starts = np.unique(here[order], return_index=True)
        n_frames = 0.0
        for k, rows in zip(present, np.split(order, starts[1:]), strict=True):
            own = SufficientStats.measure(
                part.frames[rows],
                origin=origin,
                covariance_type=covariance_type,
                weights=None if part.weights is None else part.weights[rows],
            )
            counts[k], first[k] = own.counts[0], own.first[0]
            if form.shared:
                second += own.second
            else:
                second[k] = own.second[0]
            n_frames += own.n_frames
        return SufficientStats(covariance_type, origin, counts, first, second, n_frames)

    return passes.sum_slices(X, weights, of_slice)


def mean_of(X: Rows, weights: FloatArray | None = None) -> FloatArray:
    """Return the weighted mean of the rows, shape (n_features,), about which moments are taken."""
    if weights is None:
        return np.asarray(X.mean(axis=0, dtype=np.float64))
    return np.asarray(weights @ X / weights.sum())


def _of_random_shares(
    X: Rows,
    weights: FloatArray | None,
    n_components: int,
    origin: FloatArray,
    covariance_type: CovarianceType,
    random_state: np.random.RandomState,
) -> SufficientStats:
    """Draw uniform random responsibilities; drawn a block of rows at a time, the numbers are the same."""
    parts = None
    n_rows = max(1, passes.JOINT_CELLS // n_components)
    for first in range(0, len(X), n_rows):
        block = X[first : first + n_rows]
        shares = random_state.uniform(size=(len(block), n_components))
        shares /= shares.sum(axis=1)[:, None]
        part = SufficientStats.measure(
            block,
            shares,
            origin=origin,
            covariance_type=covariance_type,
            weights=None if weights is None else weights[first : first + n_rows],
        )
        parts = part if parts is None else parts + part
    assert parts is not None, "fit wants two rows"
    return parts


def _with_all_scatter(chosen: SufficientStats, X: Rows, weights: FloatArray | None) -> SufficientStats:
    """With the moments of all rows about 0 for second moments: scikit-learn's start of a shared covariance.

    Its estimate takes the responsibilities of every row to sum to one, which they do not here. That gives
    a wide start, unlike that of the other forms; it is kept so that the same seed gives the same model.
    """
    zero = np.zeros(chosen.n_features)
    everything = passes.sum_slices(
        X,
        weights,
        lambda part: SufficientStats.measure(
            part.frames, origin=zero, covariance_type=chosen.covariance_type, weights=part.weights
        ),
    )
    return replace(chosen.shifted(zero), second=everything.second)
