"""How distinct a component is from the rest of its mixture: rare sounds come before the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from audiogmm.mixture.forms import form_of
from audiogmm.threads import one_blas_thread
from audiogmm.types import FloatArray, IntArray

if TYPE_CHECKING:
    from audiogmm.mixture.gaussian import Mixture


def measure_distinctness(mixture: Mixture, groups: IntArray | None = None) -> FloatArray:
    """Measure how little each component, or each group of them, overlaps with the others.

    It is minus the logarithm of the mean Bhattacharyya coefficient with the other components, weighted as
    the mixture weights them: ``-log(sum_j w_j BC(k, j) / sum_j w_j)`` over all j but k. A component of the
    background overlaps with others that have much weight, and has a value near 0. One of a rare sound lies
    far from all that has weight, and is distinct even if a second component shares the sound with it, since
    that one has little weight as well; by the distance to the nearest component, both were duplicates.

    Parameters
    ----------
    mixture : Mixture
        The model; K components.
    groups : ndarray of shape (K,), int, optional
        The group of each component, counted from 0, such as its class; each is its own group by default.

    Returns
    -------
    ndarray of shape (n_groups,), float64
        Nats, at least 0; infinity for the only group, and for one without weight.

    References
    ----------
    Bhattacharyya (1943); for Gaussians Kailath (1967), eq. 61.

    Examples
    --------
    >>> from audiogmm.mixture.gaussian import Mixture
    >>> mixture = Mixture([0.49, 0.49, 0.01, 0.01], [[0.0], [0.1], [9.0], [9.1]], np.ones((4, 1)), "diag")
    >>> measure_distinctness(mixture).round(1)
    array([0. , 0. , 4.6, 4.6])
    >>> measure_distinctness(mixture, np.array([0, 0, 1, 1])).round(1)
    array([10.1, 10.1])
    """
    K, weights = mixture.n_components, mixture.weights
    groups = np.arange(K) if groups is None else np.asarray(groups)
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights)
    overlap = np.array([log_coefficients(mixture, k) for k in range(K)]) + log_weights + log_weights[:, None]
    found = np.full(int(groups.max()) + 1, np.inf)
    for group in range(len(found)):
        mine = groups == group
        own, others = weights[mine].sum(), weights[~mine].sum()
        if own > 0 and others > 0:
            shared = logsumexp(overlap[np.ix_(mine, ~mine)])
            found[group] = max(0.0, float(np.log(own) + np.log(others) - shared))
    return found


def log_coefficients(mixture: Mixture, component: int) -> FloatArray:
    """Return the log Bhattacharyya coefficient of a component with each, shape (K,): 0 for itself.

    ``-1/8 d^T S^-1 d - 1/2 log(|S| / sqrt(|S_1| |S_2|))`` with the difference d of the means and the mean S
    of the covariances.
    """
    form = form_of(mixture.covariance_type)
    K, D = mixture.means.shape
    difference = mixture.means - mixture.means[component]
    if not form.is_matrix:
        variances = form.variances(mixture.covariances, K, D)
        mean = (variances + variances[component]) / 2
        sizes = np.log(variances).sum(axis=1)
        shape = np.log(mean).sum(axis=1) - (sizes + sizes[component]) / 2
        return -(difference**2 / mean).sum(axis=1) / 8 - shape / 2  # type: ignore[no-any-return]
    matrices = np.stack([form.matrix(mixture.covariances, k, D) for k in range(K)])
    with one_blas_thread():
        roots = np.linalg.cholesky((matrices + matrices[component]) / 2)
        sizes = _log_determinants(np.linalg.cholesky(matrices))
        scaled = np.linalg.solve(roots, difference[:, :, None])[:, :, 0]
    shape = _log_determinants(roots) - (sizes + sizes[component]) / 2
    return -(scaled**2).sum(axis=1) / 8 - shape / 2  # type: ignore[no-any-return]


def _log_determinants(roots: NDArray[np.floating[Any]]) -> FloatArray:
    """Log determinants of matrices by their Cholesky factors."""
    return 2 * np.log(np.einsum("kdd->kd", roots)).sum(axis=1)  # type: ignore[no-any-return]
