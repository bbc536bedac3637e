"""The mixture of a linear map of what another mixture describes."""

from __future__ import annotations

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray


def marginal(mixture: Mixture, matrix: FloatArray, offset: FloatArray) -> Mixture:
    """Return the mixture of ``y = A x + b`` where x has the given one: means A m + b, covariances A S A'.

    A linear map of Gaussians is Gaussian, with the same weights: a model of cepstra holds one of every
    frequency band, and nothing has to be trained.

    Parameters
    ----------
    mixture : Mixture
        Of x.
    matrix : ndarray of shape (m, n_features), float64
        A, with linearly independent rows.
    offset : ndarray of shape (m,), float64
        b.

    Returns
    -------
    Mixture
        With full covariances.

    Raises
    ------
    MixtureError
        If the rows are not independent.

    Examples
    --------
    >>> import numpy as np
    >>> mixture = Mixture([1.0], [[1.0, 2.0]], [[3.0, 5.0]], "diag")
    >>> found = marginal(mixture, np.ones((1, 2)), np.array([10.0]))
    >>> found.means, found.covariances
    (array([[13.]]), array([[[8.]]]))
    """
    form = form_of(mixture.covariance_type)
    covariances = form.project(mixture.covariances, matrix, mixture.n_components)
    covariances = 0.5 * (covariances + covariances.transpose(0, 2, 1))
    return Mixture(mixture.weights, mixture.means @ matrix.T + offset, covariances, "full")
