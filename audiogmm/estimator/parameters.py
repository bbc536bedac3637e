"""Between scikit-learn's arrays and a `Mixture`: starts, updates, precisions, attributes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import MixtureError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import CovarianceType, FloatArray

ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for "
    "instance caused by singleton or collapsed samples). Try to decrease the number of components, increase "
    "reg_covar, or scale the input data."
)
"""scikit-learn's words."""

PRIOR_COUNT = 10 * np.finfo(np.float64).eps
"""Added to every component's count, as scikit-learn does: a component of one row keeps a variance above 0.
Of a component of less than a row, as by tiny sample weights, it is a share."""

EMPTY_WEIGHT = 1e-200
"""Below this weight a component has nothing left to estimate it from."""


@dataclass(frozen=True)
class InitialParameters:
    """Parameters that the user starts from; None where they are estimated.

    Attributes
    ----------
    weights : ndarray of shape (n_components,), float64, or None
    means : ndarray of shape (n_components, n_features), float64, or None
    precisions : ndarray in the shape of the covariances, float64, or None
    """

    weights: FloatArray | None = None
    means: FloatArray | None = None
    precisions: FloatArray | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left to estimate."""
        return self.weights is not None and self.means is not None and self.precisions is not None


def update_mixture(stats: SufficientStats, reg_covar: float, previous: Mixture | None = None) -> Mixture:
    """Make the M-step as scikit-learn does: `reg_covar` added to every variance.

    A component below `EMPTY_WEIGHT` keeps the mean and the covariance of `previous`.

    Raises
    ------
    ValueError
        If a covariance is not positive definite, or a component has nothing to start from, in
        scikit-learn's words.

    Examples
    --------
    >>> stats = SufficientStats.measure(
    ...     np.array([[0.0], [2.0]]), origin=np.zeros(1), covariance_type="spherical")
    >>> update_mixture(stats, reg_covar=0.5).covariances
    array([1.5])
    """
    if previous is None and not reg_covar and not stats.counts.all():
        empty = int(np.flatnonzero(stats.counts == 0)[0])
        raise ValueError(f"{ILL_DEFINED} (With reg_covar=0, component {empty} has no samples to start from.)")
    try:
        counts = _with_prior(stats)
        return maximize(
            replace(stats, counts=counts), previous=previous, reg_covar=reg_covar, empty_weight=EMPTY_WEIGHT
        )[0]
    except MixtureError as error:
        raise ValueError(f"{ILL_DEFINED} (With reg_covar={reg_covar:g}, {error.what}.)") from error


def initial_mixture(
    stats: SufficientStats | None, given: InitialParameters, covariance_type: CovarianceType, reg_covar: float
) -> Mixture:
    """Return the mixture that EM begins with: what was given, and the rest from statistics.

    Parameters
    ----------
    stats : SufficientStats or None
        Of the first responsibilities; None if everything was given.
    given : InitialParameters
        What the user gave, checked.
    covariance_type : CovarianceType
        Form of the covariances.
    reg_covar : float
        Added to estimated variances.

    Raises
    ------
    ValueError
        If an estimated covariance is not positive definite.
    """
    weights, means, covariances = given.weights, given.means, None
    if given.precisions is not None:
        covariances = form_of(covariance_type).inverse(given.precisions)
    if stats is not None:
        if covariances is not None:  # the covariance of the data, which may be ill-defined, is not needed
            form = form_of(covariance_type)
            counts = _with_prior(stats)
            expected = form.expected(covariances, stats.first / counts[:, None], counts)
            stats = replace(stats, counts=counts, second=expected)
        estimated = update_mixture(stats, reg_covar if covariances is None else 0.0)
        weights = estimated.weights if weights is None else weights
        means = estimated.means if means is None else means
        covariances = estimated.covariances if covariances is None else covariances
    assert weights is not None and means is not None and covariances is not None
    return Mixture(weights / weights.sum(), means, covariances, covariance_type)


def _with_prior(stats: SufficientStats) -> FloatArray:
    """Return the counts with the prior count."""
    return stats.counts + PRIOR_COUNT * np.clip(stats.counts, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class ParameterArrays:
    """A mixture as scikit-learn shows it: arrays of one dtype, which the user may change.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
    means_ : ndarray of shape (n_components, n_features)
    covariances_, precisions_ : ndarray
        Spherical (n_components,), diag (n_components, n_features), tied (n_features, n_features),
        full (n_components, n_features, n_features).
    precisions_cholesky_ : ndarray of the same shape
        P with P P^T the precision; upper triangular where it is a matrix.

    Examples
    --------
    >>> ParameterArrays.of(Mixture([1.0], [[0.0]], [4.0], "spherical"), np.float32).precisions_cholesky_
    array([0.5], dtype=float32)
    """

    weights_: NDArray[Any]
    means_: NDArray[Any]
    covariances_: NDArray[Any]
    precisions_: NDArray[Any]
    precisions_cholesky_: NDArray[Any]

    @classmethod
    def of(cls, mixture: Mixture, dtype: np.dtype[Any] | type[np.floating[Any]]) -> ParameterArrays:
        """Return those of a mixture, rounded to `dtype`.

        Raises
        ------
        ValueError
            If a precision is too large for `dtype`.
        """
        form = form_of(mixture.covariance_type)
        factors = form.precision_factor(mixture.covariances)
        precisions = form.precision(factors)
        arrays = (mixture.weights, mixture.means, mixture.covariances, precisions, factors)
        try:
            with np.errstate(over="raise"):
                return cls(*(np.array(array, dtype=dtype) for array in arrays))
        except FloatingPointError as error:
            size = max(np.abs(array).max() for array in arrays)
            raise ValueError(f"{ILL_DEFINED} ({size:.3g} is too large for {np.dtype(dtype)}.)") from error


def mixture_of(
    weights: NDArray[Any],
    means: NDArray[Any],
    precisions_cholesky: NDArray[Any],
    covariance_type: CovarianceType,
) -> Mixture:
    """Return the mixture that these attributes show, as scikit-learn's methods read them.

    Parameters
    ----------
    weights, means, precisions_cholesky
        In the shapes of `ParameterArrays`.
    covariance_type : CovarianceType

    Raises
    ------
    MixtureError
        If they are not those of a mixture.

    Examples
    --------
    >>> mixture_of([1.0], [[0.0, 0.0]], [[0.5, 1.0]], "diag").covariances
    array([[4., 1.]])
    """
    factors = np.asarray(precisions_cholesky, dtype=np.float64)
    covariances = form_of(covariance_type).covariance(factors)
    return Mixture(np.asarray(weights), np.asarray(means), covariances, covariance_type)
