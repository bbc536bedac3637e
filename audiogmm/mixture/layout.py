"""Parameters of components that are diagonal in common axes, as scores are computed from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray


class DiagonalLayout(NamedTuple):
    """Parameters of all K components; a score is `constants - 1/2 |(point - means) * scales|^2`."""

    origin: FloatArray
    means: FloatArray
    """(K, D), where points are: in whitened axes if the covariance is shared."""
    centered: FloatArray
    """(K, D): the same, less the origin."""
    scales: FloatArray
    """(K, D)."""
    precisions: FloatArray
    """(K, D) or (K, 1)."""
    constants: FloatArray
    """(K,)."""
    whitener: FloatArray
    """(D, D); empty where points are frames."""


def lay_out_diagonal(mixture: Mixture) -> DiagonalLayout:
    """Lay out the parameters of components that are diagonal; see `kernels.DiagonalKernels`."""
    form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
    origin = mixture.center.astype(np.float32).astype(np.float64)
    factors = form.precision_factor(mixture.covariances)
    constants = constants_of(mixture, factors)
    means, centered = mixture.means, mixture.means - origin
    whitener = np.empty((0, 0))
    if form.shared:
        whitener, factors = np.ascontiguousarray(factors), np.ones(K)
        means = centered = centered @ whitener
    scales = factors.reshape(K, -1)
    return DiagonalLayout(
        origin, means, centered, np.broadcast_to(scales, (K, D)), scales**2, constants, whitener
    )


def constants_of(mixture: Mixture, factors: FloatArray) -> FloatArray:
    """Return log weight + half log determinant of the precision - D/2 log 2 pi, shape (K,), nats."""
    K, D = mixture.means.shape
    half_log_det = form_of(mixture.covariance_type).half_log_precision(factors, K, D)
    with np.errstate(divide="ignore"):
        constants: FloatArray = np.log(mixture.weights) + half_log_det - 0.5 * D * np.log(2 * np.pi)
    return constants


FAR = 2.5e5
"""Squared distance of a component from the origin, in variances, from which float32 sums are too coarse."""


def needs_float64(mixture: Mixture, distances: FloatArray, factors: FloatArray) -> bool:
    """Say whether moments under a mixture need float64 sums: it is `far_apart`, or nearly singular.

    Float32 sums are off by a share of a feature's second moment about the origin. For a matrix that counts
    beside the variance of the feature given all others, the inverse of a diagonal entry of the precision.

    Parameters
    ----------
    mixture : Mixture
        The model.
    distances : ndarray of shape (K, D)
        Of the means from the origin, in deviations.
    factors : ndarray of shape (K, D, D) or (D, D)
        Of the precisions; not looked at where covariances are no matrices.

    Examples
    --------
    >>> one, narrow = np.eye(2), np.array([[1.0, 1.0], [1.0, 1.0 + 1e-8]])
    >>> for covariance in (one, narrow):
    ...     mixture = Mixture([1.0], [[0.0, 0.0]], covariance, "tied")
    ...     needs_float64(mixture, np.zeros((1, 2)), form_of("tied").precision_factor(covariance))
    False
    True
    """
    form, (K, D), active = form_of(mixture.covariance_type), mixture.means.shape, mixture.weights > 0
    if not form.is_matrix or far_apart(distances[active]):
        return far_apart(distances[active])
    moments = form.variances(mixture.covariances, K, D) + (mixture.means - mixture.center) ** 2
    precisions = np.square(factors).sum(axis=-1)
    ratios = mixture.weights @ moments * precisions if form.shared else (moments * precisions)[active]
    return far_apart(np.sqrt(ratios))


def is_low(floor: float | FloatArray, mixture: Mixture) -> bool:
    """Say whether a variance floor lets an M-step make variances that need float64 sums.

    That is one below a share 1 / `FAR` of the variance of all frames, as the mixture has it under which they
    are summed.

    Examples
    --------
    >>> mixture = Mixture([0.5, 0.5], [[-1.0], [1.0]], [[1.0], [1.0]], "diag")
    >>> is_low(1e-4, mixture), is_low(np.array([1e-6]), mixture)
    (False, True)
    """
    form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
    moments = form.variances(mixture.covariances, K, D) + (mixture.means - mixture.center) ** 2
    ratios = FAR * np.broadcast_to(floor, D), mixture.weights @ moments
    if form.shape(K, D) == (K,):  # one variance, floored at the mean
        return bool(ratios[0].mean() < ratios[1].mean())
    return bool((ratios[0] < ratios[1]).any())


def far_apart(distances: FloatArray) -> bool:
    """Say whether moments about one origin need float64 sums.

    With L the distance of a component's mean from the origin that all share, and s its deviation, along some
    axis, float32 sums leave its variance off by about ``u L^2``, u = 2^-24: in relation to the variance
    ``u (L / s)^2``. At `FAR` that is two per cent of a variance, and only a floor far below the usual one
    lets a component become so narrow.

    Parameters
    ----------
    distances : ndarray of shape (K, D), float64
        L / s, for each component and axis.

    Examples
    --------
    >>> far_apart(np.array([[1.0], [-1.0]])), far_apart(np.array([[1e4], [-1e4]]))
    (False, True)
    """
    return bool(np.square(distances).max(initial=0.0) > FAR)
