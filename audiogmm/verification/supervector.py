"""Supervectors: the offsets of all means under relevance MAP adaptation, as one vector."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray

RELEVANCE = 8.0
"""Default relevance factor, frames: a component with so many is moved half the way."""


def center_statistics(background: Mixture, stats: SufficientStats) -> tuple[FloatArray, FloatArray]:
    """Return counts, and first moments about each component's mean in its standard deviations.

    With n_k and f_k the zeroth and first moments of component k, ``(f_k - n_k m_k) / sigma_k``. Of full
    covariances the diagonal counts.

    Parameters
    ----------
    background : Mixture
        The model that gave the posteriors.
    stats : SufficientStats
        About any origin.

    Returns
    -------
    counts : ndarray of shape (n_components,), float64
    first : ndarray of shape (n_components, n_features), float64

    Raises
    ------
    MismatchError
        If the statistics are of another model.

    Examples
    --------
    >>> background = Mixture([1.0], [[1.0]], [[4.0]], "diag")
    >>> stats = SufficientStats.measure(np.full((3, 1), 5.0), origin=np.zeros(1), covariance_type="diag")
    >>> center_statistics(background, stats)
    (array([3.]), array([[6.]]))
    """
    if stats.first.shape != background.means.shape:
        raise MismatchError(
            f"statistics of (components, features) {stats.first.shape}",
            needed=f"{background.means.shape}, as the background model has",
        )
    about_means = stats.first - stats.counts[:, None] * (background.means - stats.origin)
    return stats.counts, about_means / component_deviations(background)


def component_deviations(background: Mixture) -> FloatArray:
    """Return the standard deviations of each component, shape (n_components, n_features)."""
    K, D = background.means.shape
    variances = form_of(background.covariance_type).variances(background.covariances, K, D)
    spread: FloatArray = np.sqrt(np.broadcast_to(variances, (K, D)))
    return spread


def supervector(counts: FloatArray, first: FloatArray, relevance: float = RELEVANCE) -> FloatArray:
    """Return the relevance MAP offsets of the means, side by side (Campbell, Sturim and Reynolds 2006).

    ``f_k / (n_k + relevance)`` for each component: equation 12 of Reynolds, Quatieri and Dunn 2000, in
    standard deviations.

    Parameters
    ----------
    counts : ndarray of shape (..., n_components), float64
    first : ndarray of shape (..., n_components, n_features), float64
        From `center_statistics`.
    relevance : float
        Frames, above 0.

    Returns
    -------
    ndarray of shape (..., n_components * n_features), float64

    Examples
    --------
    >>> supervector(np.array([8.0, 0.0]), np.array([[16.0], [0.0]]))
    array([1., 0.])
    """
    offsets = first / (counts + relevance)[..., None]
    return np.asarray(offsets.reshape(*offsets.shape[:-2], -1), dtype=np.float64)
